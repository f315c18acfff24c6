//! Following a growing log file, for `/logtail` and `/mainlogtail`.

use std::io;
use std::time::SystemTime;

/// A log file being followed.
#[derive(Debug)]
pub struct Follower {}

impl Follower {
    /// Modification time of the file when it was opened, for `Last-Modified`.
    pub fn modified(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    /// The next bytes: first the last 1024 of the file (at once, possibly empty), then whatever is added, as soon as
    /// it is. A truncated file yields `==> File truncated <==\n` first; a rotated one is reopened.
    pub async fn next(&mut self) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
