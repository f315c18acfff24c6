//! Who asks: what a user may do is asked of the system as that user.

use nix::unistd::{Gid, Uid, getgid, getgroups, getuid, setgroups, setresgid, setresuid};

use super::findings::Severity;
use crate::core::config::UserId;
use crate::daemon::privileges;
use crate::sys::ChildIdentity;

/// The daemon, as far as whoever checks can be it.
pub(super) struct Eyes {
    daemon: ChildIdentity,
    /// What becomes of an error that is a matter of permission.
    denial: Severity,
}

impl Eyes {
    /// Those of the daemon that whoever checks would start, for it to become this user.
    pub(super) fn of(user: Option<UserId>) -> Eyes {
        let daemon = user.map_or(ChildIdentity::Keep, |user| privileges::identity(user.uid));
        let denial = match &daemon {
            _ if getuid().is_root() => Severity::Error,
            // Only root can be it, and so root will start it.
            ChildIdentity::Refuse(_) => Severity::Note,
            // It may be root who starts it.
            _ if user.is_none() => Severity::Warning,
            _ => Severity::Error,
        };
        Eyes { daemon, denial }
    }

    /// How much it matters that something is not permitted that would matter so much.
    pub(super) fn denial(&self, severity: Severity) -> Severity {
        severity.min(self.denial)
    }

    /// Why whoever checks cannot become the daemon's user, if that is so.
    pub(super) fn refusal(&self) -> Option<&str> {
        match &self.daemon {
            ChildIdentity::Refuse(why) => Some(why),
            _ => None,
        }
    }

    /// Whom the daemon runs as.
    pub(super) fn uid(&self) -> u32 {
        match &self.daemon {
            ChildIdentity::Become { uid, .. } => *uid,
            _ => getuid().as_raw(),
        }
    }

    /// Looks as the daemon.
    pub(super) fn look<T>(&self, look: impl FnOnce() -> T) -> T {
        look_as(&self.daemon, look)
    }

    /// Looks as a process of the daemon's with this user, or says why the daemon cannot start one.
    pub(super) fn look_as_program<T>(
        &self,
        user: Option<u32>,
        look: impl FnOnce() -> T,
    ) -> Result<T, String> {
        let Some(uid) = user.filter(|uid| *uid != self.uid()) else {
            return Ok(self.look(look));
        };
        if self.uid() != 0 {
            return Err("Can't drop privilege as nonroot user".to_string());
        }
        match privileges::identity(uid) {
            ChildIdentity::Refuse(why) => Err(why),
            identity => Ok(look_as(&identity, look)),
        }
    }
}

/// Looks as another, and is then who it was: only the saved user stays meanwhile. Where that cannot be done it looks as it
/// is, which may do more.
fn look_as<T>(identity: &ChildIdentity, look: impl FnOnce() -> T) -> T {
    let ChildIdentity::Become { uid, gid, groups } = identity else { return look() };
    let _back = Back { uid: getuid(), gid: getgid(), groups: getgroups().unwrap_or_default() };
    let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
    let (uid, gid) = (Uid::from_raw(*uid), Gid::from_raw(*gid));
    let _ = setgroups(&groups)
        .and_then(|()| setresgid(gid, gid, getgid()))
        .and_then(|()| setresuid(uid, uid, getuid()));
    look()
}

/// Who it was.
struct Back {
    uid: Uid,
    gid: Gid,
    groups: Vec<Gid>,
}

impl Drop for Back {
    fn drop(&mut self) {
        // The saved user may become the real one: this cannot fail.
        let _ = setresuid(self.uid, self.uid, self.uid)
            .and_then(|()| setresgid(self.gid, self.gid, self.gid))
            .and_then(|()| setgroups(&self.groups));
    }
}
