//! Links of root, of the daemon's user, and of others. What needs another user is only checked by root.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{lchown, symlink};
use std::path::PathBuf;
use std::time::Duration;

use nix::unistd::{mkfifo, pipe};

use super::*;
use crate::testing::TempDir;

const NOBODY: u32 = 65534;

fn append(path: &Path) -> io::Result<File> {
    open(path, OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT, 0o666)
}

fn write(path: &Path) -> io::Result<()> {
    append(path)?.write_all(b"x")
}

/// Whether the way was refused, and nothing else was wrong.
fn is_refused(result: io::Result<()>) -> bool {
    let error = result.unwrap_err();
    error.get_ref().is_some_and(|error| error.is::<Refused>())
}

fn link_of(owner: u32, target: impl AsRef<Path>, link: &Path) {
    symlink(target, link).unwrap();
    lchown(link, Some(owner), Some(owner)).unwrap();
}

fn give(path: &Path) {
    lchown(path, Some(NOBODY), Some(NOBODY)).unwrap();
}

/// A directory of nobody's.
fn foreign(dir: &TempDir, name: &str) -> PathBuf {
    let path = dir.path(name);
    fs::create_dir(&path).unwrap();
    give(&path);
    path
}

fn place(path: &Path) -> Place {
    match find(path).unwrap() {
        Way::Place(place) => place,
        Way::Stream(number) => panic!("stream {number}"),
    }
}

#[test]
fn own_links_are_followed_wherever_they_lead() {
    let dir = TempDir::new();
    fs::create_dir_all(dir.path("a/b")).unwrap();
    symlink("a/b", dir.path("relative")).unwrap();
    symlink(dir.path("a"), dir.path("absolute")).unwrap();
    symlink("../../made.log", dir.path("a/b/up")).unwrap();
    for (path, real) in [
        ("relative/x.log", "a/b/x.log"),
        ("absolute/./b//y.log", "a/b/y.log"),
        ("relative/../z.log", "a/z.log"),
        ("relative/up", "made.log"),
    ] {
        write(&dir.path(path)).unwrap();
        assert_eq!(fs::read(dir.path(real)).unwrap(), b"x", "{path}");
    }
    symlink("loop", dir.path("loop")).unwrap();
    assert_eq!(write(&dir.path("loop")).unwrap_err().raw_os_error(), Some(Errno::ELOOP as i32));
    let missing = write(&dir.path("missing/x.log")).unwrap_err();
    assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    let no_dir = write(&dir.path("made.log/x.log")).unwrap_err();
    assert_eq!(no_dir.kind(), io::ErrorKind::NotADirectory);
    for directory in ["a", "a/", "a/..", "relative"] {
        let error = write(&dir.path(directory)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory, "{directory}");
    }
}

#[test]
fn links_of_others_lead_only_to_what_is_theirs() {
    if !geteuid().is_root() {
        return;
    }
    let dir = TempDir::new();
    let theirs = foreign(&dir, "theirs");
    fs::create_dir(dir.path("ours")).unwrap();
    fs::write(dir.path("ours/secret"), "").unwrap();
    // To a file, to a name that would become one, through a directory, and up from one of theirs.
    link_of(NOBODY, dir.path("ours/secret"), &theirs.join("file"));
    link_of(NOBODY, dir.path("ours/new"), &theirs.join("new"));
    link_of(NOBODY, dir.path("ours"), &theirs.join("dir"));
    give(&{
        fs::create_dir(dir.path("ours/below")).unwrap();
        dir.path("ours/below")
    });
    link_of(NOBODY, dir.path("ours/below"), &theirs.join("below"));
    link_of(NOBODY, "file", &theirs.join("again"));
    for path in ["file", "new", "dir/secret", "dir/new", "below/../secret", "again"] {
        assert!(is_refused(write(&theirs.join(path))), "{path}");
    }
    let read = open(&theirs.join("file"), OFlag::O_RDONLY, 0).map(drop);
    assert!(is_refused(read));
    assert_eq!(fs::read(dir.path("ours/secret")).unwrap(), b"");
    assert!(!dir.path("ours/new").exists());
    // A deployment's links, a link to what everybody may write, and a link of ours among theirs.
    fs::create_dir(theirs.join("release")).unwrap();
    give(&theirs.join("release"));
    link_of(NOBODY, "release", &theirs.join("current"));
    link_of(NOBODY, "/dev/null", &theirs.join("null"));
    symlink(dir.path("ours/secret"), theirs.join("placed")).unwrap();
    // A log that is made by way of their link is ours, and can be opened again.
    link_of(NOBODY, "release/made.log", &theirs.join("made.log"));
    // Up and down again.
    give(&{
        fs::create_dir(dir.path("shared")).unwrap();
        dir.path("shared")
    });
    link_of(NOBODY, "../../shared", &theirs.join("release/shared"));
    let followed =
        ["current/x.log", "null", "placed", "made.log", "made.log", "current/shared/x.log"];
    for path in followed {
        write(&theirs.join(path)).unwrap();
    }
    assert_eq!(fs::read(dir.path("ours/secret")).unwrap(), b"x");
    // But not what is ours and has another name somewhere.
    fs::hard_link(dir.path("ours/secret"), theirs.join("release/stolen")).unwrap();
    link_of(NOBODY, "release/stolen", &theirs.join("stolen"));
    assert!(is_refused(write(&theirs.join("stolen"))));
}

#[test]
fn a_hard_link_where_others_make_names_is_refused() {
    let dir = TempDir::new();
    fs::write(dir.path("one"), "").unwrap();
    fs::hard_link(dir.path("one"), dir.path("two")).unwrap();
    write(&dir.path("two")).unwrap();
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o1777)).unwrap();
    assert!(is_refused(write(&dir.path("two"))));
    fs::remove_file(dir.path("one")).unwrap();
    write(&dir.path("two")).unwrap();
}

#[test]
fn streams_are_known_behind_links() {
    let dir = TempDir::new();
    symlink("/dev/stdout", dir.path("one")).unwrap();
    symlink("one", dir.path("two")).unwrap();
    symlink("/dev/fd/2", dir.path("err")).unwrap();
    for (path, stream) in [
        (dir.path("two"), 1),
        (dir.path("err"), 2),
        (PathBuf::from("/dev/stdout"), 1),
        (PathBuf::from("/proc/self/fd/2"), 2),
    ] {
        assert!(matches!(find(&path).unwrap(), Way::Stream(found) if found == stream));
    }
    if geteuid().is_root() {
        link_of(NOBODY, "/dev/stdout", &dir.path("theirs"));
        assert!(matches!(find(&dir.path("theirs")), Ok(Way::Stream(1))));
    }
}

#[test]
fn open_files_are_found_through_proc() {
    let dir = TempDir::new();
    let (reader, writer) = pipe().unwrap();
    let number = std::os::fd::AsRawFd::as_raw_fd(&writer);
    symlink(format!("/proc/{}/fd/{number}", std::process::id()), dir.path("x.log")).unwrap();
    let found = place(&dir.path("x.log"));
    assert!(found.is_magic() && !found.is_fifo());
    let pipe = File::from(writer.try_clone().unwrap()).metadata().unwrap();
    assert!(found.holds(Identity::from(&pipe)));
    write(&dir.path("x.log")).unwrap();
    drop((reader, writer));
}

#[test]
fn a_file_is_made_anew_as_it_was() {
    let dir = TempDir::new();
    let path = dir.path("x.log");
    for (mode, owner) in [(0o600, 0), (0o640, 0), (0o660, NOBODY)] {
        fs::write(&path, "before").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        if geteuid().is_root() {
            lchown(&path, Some(owner), Some(owner)).unwrap();
        }
        let before = fs::metadata(&path).unwrap();
        fs::remove_file(&path).unwrap();
        place(&path).create_like(&before).unwrap().write_all(b"x").unwrap();
        let after = fs::metadata(&path).unwrap();
        assert_eq!(after.mode(), before.mode());
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    }
}

#[test]
fn what_took_the_name_of_a_new_file_makes_room() {
    if !geteuid().is_root() {
        return;
    }
    let dir = TempDir::new();
    fs::set_permissions(dir.path(""), Permissions::from_mode(0o1777)).unwrap();
    fs::write(dir.path("secret"), "").unwrap();
    let (path, model) = (dir.path("x.log"), fs::metadata(dir.path("secret")).unwrap());
    link_of(NOBODY, dir.path("secret"), &path);
    let place = find_name(&path).unwrap();
    place.create_like(&model).unwrap().write_all(b"x").unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, "").unwrap();
    give(&path);
    place.create_like(&model).unwrap().write_all(b"x").unwrap();
    assert_eq!(fs::metadata(&path).unwrap().uid(), 0);
    assert_eq!(fs::read(dir.path("secret")).unwrap(), b"");
    // Another one's of ours is as good.
    place.create_like(&model).unwrap().write_all(b"y").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"xy");
}

#[test]
fn a_name_that_is_taken_is_not_taken_over() {
    let dir = TempDir::new();
    fs::write(dir.path("a"), "a").unwrap();
    fs::write(dir.path("b"), "b").unwrap();
    let (a, b, c) = (place(&dir.path("a")), place(&dir.path("b")), place(&dir.path("c")));
    assert_eq!(a.rename_new(&b).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    a.rename_new(&c).unwrap();
    c.rename(&b).unwrap();
    assert_eq!(fs::read(dir.path("b")).unwrap(), b"a");
    assert!(a.metadata().unwrap().is_none() && c.metadata().unwrap().is_none());
}

#[test]
fn a_lock_is_held_by_one_and_leaves_nothing() {
    let dir = TempDir::new();
    let name = find_name(&dir.path("x")).unwrap();
    let Lock::Held(first) = name.lock(Duration::ZERO) else { panic!("no lock") };
    assert!(matches!(name.lock(Duration::ZERO), Lock::Busy));
    drop(first);
    assert!(matches!(name.lock(Duration::ZERO), Lock::Held(_)));
    assert_eq!(fs::read_dir(dir.path("")).unwrap().count(), 0);
    // Left by a daemon that was killed, and what is no lock of ours.
    dir.file("x.lock", "", 0o600);
    assert!(matches!(name.lock(Duration::ZERO), Lock::Held(_)));
    dir.file("x.lock", "", 0o644);
    assert!(matches!(name.lock(Duration::ZERO), Lock::Unavailable));
    fs::remove_file(dir.path("x.lock")).unwrap();
    mkfifo(&dir.path("x.lock"), Mode::S_IRWXU).unwrap();
    assert!(matches!(name.lock(Duration::ZERO), Lock::Unavailable));
    let nowhere = find_name(Path::new("/proc/x")).unwrap();
    assert!(matches!(nowhere.lock(Duration::ZERO), Lock::Unavailable));
}

#[test]
fn a_lock_goes_round_among_many() {
    let dir = TempDir::new();
    let name = find_name(&dir.path("x")).unwrap();
    let inside = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let Lock::Held(_lock) = name.lock(Duration::from_secs(60)) else {
                        panic!("no lock")
                    };
                    assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                    inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                }
            });
        }
    });
}

#[test]
fn only_the_socket_that_was_bound_is_changed() {
    let dir = TempDir::new();
    let path = dir.path("s.sock");
    let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let name = find_name(&path).unwrap();
    let file = SocketFile::of(&name).unwrap();
    for mode in [0o700, 0o777, 0o712] {
        file.set_mode(mode).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, mode);
    }
    let secret = dir.file("secret", "", 0o600);
    fs::rename(&path, dir.path("moved")).unwrap();
    symlink(&secret, &path).unwrap();
    assert!(SocketFile::of(&name).is_err());
    file.set_mode(0o777).unwrap();
    if geteuid().is_root() {
        file.give(NOBODY, None).unwrap();
        assert_eq!(fs::metadata(dir.path("moved")).unwrap().uid(), NOBODY);
    }
    let secret = fs::metadata(&secret).unwrap();
    assert_eq!((secret.mode() & 0o777, secret.uid()), (0o600, geteuid().as_raw()));
}
