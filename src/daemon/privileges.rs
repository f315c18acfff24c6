//! Becoming another user: the daemon at start, and what a child will need to do it (`options.py: drop_privileges`).

use std::ffi::CString;

use nix::unistd::{Gid, Uid, User, getuid, setgid, setgroups, setuid};

use crate::core::config::UserId;
use crate::core::states::Level;
use crate::sys::{self, ChildIdentity};

const ROOT_WITHOUT_USER: &str = "Supervisor is running as root.  Privileges were not dropped because no user is \
    specified in the config file.  If you intend to run as root, you can set user=root in the config file to avoid \
    this message.";

/// What it takes to become a user: nothing if it is the current one, and impossible for anyone but root otherwise.
///
/// The groups are the primary one, then every group whose member list names the user.
pub(crate) fn identity(uid: u32) -> ChildIdentity {
    let Ok(Some(user)) = User::from_uid(Uid::from_raw(uid)) else {
        return ChildIdentity::Refuse(format!("Can't find uid {uid}"));
    };
    if getuid().as_raw() == uid {
        return ChildIdentity::Keep;
    }
    if !getuid().is_root() {
        return ChildIdentity::Refuse("Can't drop privilege as nonroot user".to_string());
    }
    let gid = user.gid.as_raw();
    let mut groups = vec![gid];
    // A name from the user database holds no null byte.
    groups
        .extend(CString::new(user.name).map(|name| sys::groups_listing(&name)).unwrap_or_default());
    ChildIdentity::Become { uid, gid, groups }
}

/// Makes the daemon the user of `user=`. Returns the line for the main log, or the message to exit with
/// (`options.py: set_uid_or_exit`). To be called before the log is opened and before a thread exists.
pub(crate) fn drop_privileges(user: Option<UserId>) -> Result<Option<(Level, String)>, String> {
    let Some(UserId { uid }) = user else {
        let warning = || (Level::Critical, ROOT_WITHOUT_USER.to_string());
        return Ok(getuid().is_root().then(warning));
    };
    match identity(uid) {
        ChildIdentity::Keep => {}
        ChildIdentity::Refuse(message) => return Err(message),
        ChildIdentity::Become { uid, gid, groups } => {
            let groups: Vec<Gid> = groups.into_iter().map(Gid::from_raw).collect();
            setgroups(&groups).map_err(|_| "Could not set groups of effective user")?;
            setgid(Gid::from_raw(gid)).map_err(|_| "Could not set group id of effective user")?;
            setuid(Uid::from_raw(uid)).map_err(|_| "Could not set user id of effective user")?;
        }
    }
    Ok(Some((Level::Info, format!("Set uid to user {uid} succeeded"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_current_user_needs_no_change() {
        let uid = getuid().as_raw();
        assert_eq!(identity(uid), ChildIdentity::Keep);
        let line = drop_privileges(Some(UserId { uid })).unwrap();
        assert_eq!(line, Some((Level::Info, format!("Set uid to user {uid} succeeded"))));
    }

    #[test]
    fn an_unknown_user_is_refused() {
        let refused = ChildIdentity::Refuse("Can't find uid 4000000001".to_string());
        assert_eq!(identity(4_000_000_001), refused);
        let refused = drop_privileges(Some(UserId { uid: 4_000_000_001 }));
        assert_eq!(refused, Err("Can't find uid 4000000001".to_string()));
    }

    #[test]
    fn root_without_a_user_is_warned() {
        let line = drop_privileges(None).unwrap();
        assert_eq!(line.is_some(), getuid().is_root());
        assert!(line.is_none_or(|(level, text)| level == Level::Critical
            && text.starts_with("Supervisor is running as root.  Privileges were not dropped")
            && text.ends_with("in the config file to avoid this message.")));
    }
}
