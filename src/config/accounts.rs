//! Users and groups of the system, by name or number.

use super::complaint::Mistake;
use nix::unistd::{Gid, Group, Uid, User};

use crate::core::config::Owner;
use crate::core::python::int;
use crate::native;

fn user_named(name: &str) -> Option<User> {
    User::from_name(name).ok().flatten()
}

/// Home directory of the account this process runs as.
pub(crate) fn own_home() -> Option<String> {
    User::from_uid(Uid::current()).ok().flatten().map(|user| native::text(user.dir))
}

/// Home directory of a named account.
pub(crate) fn home_of(name: &str) -> Option<String> {
    if name.contains('\0') {
        return None;
    }
    user_named(name).map(|user| native::text(user.dir))
}

/// A user id from a name or an existing number (`datatypes.py: name_to_uid`).
///
/// Errors: `Invalid user name NAME`, `Invalid user id ID`.
pub(crate) fn uid(name: &str) -> Result<u32, Mistake> {
    match int(name) {
        Some(number) => u32::try_from(number)
            .ok()
            .filter(|id| User::from_uid(Uid::from_raw(*id)).is_ok_and(|user| user.is_some()))
            .ok_or_else(|| Mistake::new(format!("Invalid user id {name}"))),
        None if name.contains('\0') => Err(Mistake::new("embedded null byte")),
        None => user_named(name)
            .map(|user| user.uid.as_raw())
            .ok_or_else(|| Mistake::new(format!("Invalid user name {name}"))),
    }
}

/// A group id from a name or an existing number (`datatypes.py: name_to_gid`).
///
/// Errors: `Invalid group name NAME`, `Invalid group id ID`.
pub(crate) fn gid(name: &str) -> Result<u32, Mistake> {
    match int(name) {
        Some(number) => u32::try_from(number)
            .ok()
            .filter(|id| Group::from_gid(Gid::from_raw(*id)).is_ok_and(|group| group.is_some()))
            .ok_or_else(|| Mistake::new(format!("Invalid group id {name}"))),
        None if name.contains('\0') => Err(Mistake::new("embedded null byte")),
        None => Group::from_name(name)
            .ok()
            .flatten()
            .map(|group| group.gid.as_raw())
            .ok_or_else(|| Mistake::new(format!("Invalid group name {name}"))),
    }
}

/// The primary group of a user id (`datatypes.py: gid_for_uid`).
pub(crate) fn primary_gid(uid: u32) -> Option<u32> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(|user| user.gid.as_raw())
}

/// `user:group` or `user`; `None` when either is unknown.
pub(crate) fn owner(text: &str) -> Option<Owner> {
    let Some((user, group)) = text.split_once(':') else {
        return Some(Owner { uid: uid(text).ok()?, gid: None });
    };
    Some(Owner { uid: uid(user).ok()?, gid: Some(gid(group).ok()?) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_superuser_by_name_and_number() {
        assert_eq!(uid("root"), Ok(0));
        assert_eq!(uid(" 0 "), Ok(0));
        assert_eq!(owner("0"), Some(Owner { uid: 0, gid: None }));
        assert_eq!(owner("root:0"), Some(Owner { uid: 0, gid: Some(0) }));
        assert_eq!(owner("root:no-such-group"), None);
    }

    #[test]
    fn unknown_accounts() {
        assert_eq!(uid(""), Err(Mistake::new("Invalid user name ")));
        assert_eq!(uid("-1"), Err(Mistake::new("Invalid user id -1")));
        assert_eq!(uid("99999999999"), Err(Mistake::new("Invalid user id 99999999999")));
        assert_eq!(uid("a\0b"), Err(Mistake::new("embedded null byte")));
        assert_eq!(gid("no-such"), Err(Mistake::new("Invalid group name no-such")));
    }
}
