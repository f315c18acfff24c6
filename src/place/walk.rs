//! Walking a path.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::{Place, Refused, Way, is_trusted, standard_stream};

/// Links on one way, as the kernel allows.
const MAX_LINKS: usize = 40;

/// The inode of the top of `/proc`, whose links are texts; those below lead to open files and the like.
const PROC_ROOT_INODE: u64 = 1;

/// What becomes of the last name when it is a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    /// It is followed.
    Follow,
    /// It is what was looked for.
    Keep,
}

/// Follows a path.
pub(super) fn find(path: &Path, last: Last) -> io::Result<Way> {
    if let Some(stream) = standard_stream(path.as_os_str())
        && last == Last::Follow
    {
        return Ok(Way::Stream(stream));
    }
    if path.as_os_str().as_bytes().ends_with(b"/") {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Walk::new(path.as_os_str())?.run(last)
}

/// Follows a path to the directory it leads to.
pub(super) fn find_directory(path: &Path) -> io::Result<OwnedFd> {
    let mut walk = Walk::new(path.as_os_str())?;
    while let Some(step) = walk.ahead.pop_front() {
        walk.step(step)?;
    }
    Ok(walk.dir)
}

enum Step {
    Into(OsString),
    /// The link of this user ends here.
    MustBelongTo(u32),
}

struct Walk {
    dir: OwnedFd,
    ahead: VecDeque<Step>,
    links: usize,
    /// Whose link led here, of those that may not lead anywhere.
    guide: Option<u32>,
}

impl Walk {
    fn new(path: &OsStr) -> io::Result<Walk> {
        let dir = if is_absolute(path) { open_root()? } else { enter(AT_FDCWD, ".")? };
        let ahead = names(path).map(Step::Into).collect();
        Ok(Walk { dir, ahead, links: 0, guide: None })
    }

    fn run(mut self, last: Last) -> io::Result<Way> {
        while let Some(step) = self.ahead.pop_front() {
            let more = self.ahead.iter().any(|step| matches!(step, Step::Into(_)));
            let Step::Into(name) = step else {
                self.step(step)?;
                continue;
            };
            if more {
                self.step(Step::Into(name))?;
                continue;
            }
            if name == ".." {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let link = match last {
                Last::Follow => self.link(&name)?,
                Last::Keep => None,
            };
            match link {
                Some(link) if link.is_magic => return Ok(Way::Place(self.end(name, true))),
                Some(link) => {
                    let from_root = is_absolute(&link.target);
                    self.follow(link)?;
                    // Anybody's link may lead there: programs write to it anyway.
                    if let Some(stream) = self.stream_ahead().filter(|_| from_root) {
                        return Ok(Way::Stream(stream));
                    }
                }
                None => return Ok(Way::Place(self.end(name, false))),
            }
        }
        Err(io::ErrorKind::IsADirectory.into())
    }

    /// The last name is reached; the owners of the links that end with it are still to be satisfied.
    fn end(self, name: OsString, magic: bool) -> Place {
        let guides = self.ahead.iter().filter_map(|step| match step {
            Step::MustBelongTo(uid) => Some(*uid),
            Step::Into(_) => None,
        });
        let guides = guides.collect();
        Place { dir: Arc::new(self.dir), name, magic, guides }
    }

    /// A step into a directory.
    fn step(&mut self, step: Step) -> io::Result<()> {
        let name = match step {
            Step::MustBelongTo(uid) => {
                self.guide = Some(uid);
                return self.check(uid);
            }
            Step::Into(name) => name,
        };
        match enter(&self.dir, name.as_os_str()) {
            Ok(dir) => {
                self.dir = dir;
                // Up from where a link has led may be anywhere; what a link says is judged by where it ends.
                match self.guide.filter(|_| name == ".." && !self.is_led()) {
                    Some(uid) => self.check(uid),
                    None => Ok(()),
                }
            }
            Err(error) if matches!(error.raw_os_error(), Some(code) if is_link_error(code)) => {
                match self.link(&name)? {
                    Some(link) if link.is_magic => {
                        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
                        self.dir = openat(&self.dir, name.as_os_str(), flags, Mode::empty())?;
                        Ok(())
                    }
                    Some(link) => self.follow(link),
                    None => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Whether it is a link's word that is being followed, of those that may not lead anywhere.
    fn is_led(&self) -> bool {
        self.ahead.iter().any(|step| matches!(step, Step::MustBelongTo(_)))
    }

    fn check(&self, uid: u32) -> io::Result<()> {
        if self.directory()?.uid() == uid { Ok(()) } else { Err(Refused::Link(uid).into()) }
    }

    /// The link that has the name; `None` when something else has it, or nothing.
    fn link(&self, name: &OsStr) -> io::Result<Option<Link>> {
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let node = match openat(&self.dir, name, flags, Mode::empty()) {
            Ok(node) => File::from(node),
            Err(Errno::ENOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let found = node.metadata()?;
        if !found.is_symlink() {
            return Ok(None);
        }
        let of_kernel = is_of_kernel(&node, &found);
        if of_kernel && self.directory()?.ino() != PROC_ROOT_INODE {
            return Ok(Some(Link { target: OsString::new(), owner: None, is_magic: true }));
        }
        let owner = Some(found.uid()).filter(|uid| !of_kernel && !is_trusted(*uid));
        // What was looked at, whatever has the name by now.
        Ok(Some(Link { target: readlinkat(&node, "")?, owner, is_magic: false }))
    }

    /// Puts what a link says before what is still ahead.
    fn follow(&mut self, link: Link) -> io::Result<()> {
        self.links += 1;
        if self.links > MAX_LINKS {
            return Err(Errno::ELOOP.into());
        }
        if let Some(uid) = link.owner {
            self.ahead.push_front(Step::MustBelongTo(uid));
        }
        if is_absolute(&link.target) {
            self.dir = open_root()?;
        }
        let names: Vec<OsString> = names(&link.target).collect();
        names.into_iter().rev().for_each(|name| self.ahead.push_front(Step::Into(name)));
        Ok(())
    }

    /// The stream that what is ahead is the name of, seen from the root.
    fn stream_ahead(&self) -> Option<u8> {
        let mut rest = OsString::new();
        for step in &self.ahead {
            if let Step::Into(name) = step {
                rest.push("/");
                rest.push(name);
            }
        }
        standard_stream(&rest)
    }

    fn directory(&self) -> io::Result<Metadata> {
        File::from(self.dir.try_clone()?).metadata()
    }
}

struct Link {
    target: OsString,
    /// Who made it, if that is nobody to be trusted.
    owner: Option<u32>,
    /// Only the kernel can follow it.
    is_magic: bool,
}

/// Whether a link is on a `/proc`.
fn is_of_kernel(link: &File, found: &Metadata) -> bool {
    match fstatfs(link) {
        Ok(system) => system.filesystem_type() == PROC_SUPER_MAGIC,
        // Before Linux 3.12 it cannot be asked this way.
        Err(_) => std::fs::metadata("/proc").is_ok_and(|proc| proc.dev() == found.dev()),
    }
}

fn is_absolute(path: &OsStr) -> bool {
    path.as_bytes().starts_with(b"/")
}

fn names(path: &OsStr) -> impl Iterator<Item = OsString> {
    let names = path.as_bytes().split(|byte| *byte == b'/');
    names
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| OsStr::from_bytes(name).to_os_string())
}

/// O_PATH fails for a link to a directory with ENOTDIR, other calls do with ELOOP.
fn is_link_error(code: i32) -> bool {
    code == Errno::ENOTDIR as i32 || code == Errno::ELOOP as i32
}

fn open_root() -> io::Result<OwnedFd> {
    enter(AT_FDCWD, "/")
}

/// The directory of this name, which is no link. Needs no more than the permission to search.
fn enter(dir: impl std::os::fd::AsFd, name: impl AsRef<OsStr>) -> io::Result<OwnedFd> {
    let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(dir, name.as_ref(), flags, Mode::empty())?)
}
