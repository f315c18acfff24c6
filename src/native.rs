//! Text of ours ([`core::text`](crate::core::text)) as the names that the system takes and gives, which are bytes.

use std::ffi::{CString, NulError, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::core::text;

/// What the system names, as text.
pub(crate) fn text(name: impl AsRef<OsStr>) -> String {
    text::decode(name.as_ref().as_bytes())
}

/// A text as the system has it.
pub(crate) fn os(text: &str) -> OsString {
    OsString::from_vec(text::encode(text).into_owned())
}

/// The path a text names.
pub(crate) fn path(text: &str) -> PathBuf {
    PathBuf::from(os(text))
}

/// A text for a system call. Fails on a null byte.
pub(crate) fn c_string(text: &str) -> Result<CString, NulError> {
    CString::new(text::encode(text).into_owned())
}
