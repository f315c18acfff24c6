use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A directory of its own for each test.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("bind-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Directory(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_string()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn unix(path: &str, chmod: u32, chown: Option<Owner>) -> ServerConfig {
    let address = ServerAddress::Unix { path: path.to_string(), chmod, chown };
    ServerConfig {
        section: "unix_http_server".to_string(),
        address,
        credentials: None,
        allowed_hosts: vec![],
        metrics: false,
    }
}

fn inet(host: &str, port: u16) -> ServerConfig {
    let address = ServerAddress::Inet { host: host.to_string(), port };
    ServerConfig {
        section: "inet_http_server".to_string(),
        address,
        credentials: None,
        allowed_hosts: vec![],
        metrics: false,
    }
}

fn refusal(config: &ServerConfig) -> String {
    bind(config).map(|_| ()).unwrap_err().to_string()
}

const IN_USE: &str = "Another program is already listening on a port that one of our HTTP servers is configured to \
                      use.  Shut this program down first before starting supervisord.";

#[test]
fn a_unix_socket_has_its_mode_and_leaves_no_temporary_name() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let mut bound = bind(&unix(&path, 0o712, None)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o712);
    assert_eq!(directory.names(), ["s.sock"]);
    assert!(UnixStream::connect(&path).is_ok());
    bound.take_name().unwrap().remove();
    assert!(directory.names().is_empty());
}

#[test]
fn a_name_that_is_another_sockets_by_now_stays() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let mut leaving = bind(&unix(&path, 0o700, None)).unwrap();
    let name = leaving.take_name().unwrap();
    drop(leaving);
    let _next = bind(&unix(&path, 0o700, None)).unwrap();
    name.remove();
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn whoever_takes_a_name_waits_for_those_who_look_at_it() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let place = place::find_name(Path::new(&path)).unwrap();
    let Lock::Held(lock) = place.lock(Duration::ZERO) else { panic!("no lock") };
    assert!(matches!(place.lock(Duration::ZERO), Lock::Busy));
    std::thread::scope(|scope| {
        let binding = scope.spawn(|| bind(&unix(&path, 0o700, None)));
        // It comes by again and again, and meanwhile leaves everything alone.
        for _ in 0..3 {
            assert!(matches!(place.lock(Duration::from_millis(10)), Lock::Busy));
            assert_eq!(directory.names(), ["s.sock.lock"]);
        }
        drop(lock);
        let _bound = binding.join().unwrap().unwrap();
        assert_eq!(directory.names(), ["s.sock"]);
    });
}

#[test]
fn a_stale_socket_is_taken_over() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    drop(UnixListener::bind(&path).unwrap());
    bind(&unix(&path, 0o700, None)).unwrap();
    assert_eq!(directory.names(), ["s.sock"]);
}

#[test]
fn a_live_socket_is_left_alone() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut peer, _) = listener.accept().unwrap();
        assert!(peer.read(&mut [0; 64]).unwrap() > 0);
        peer.write_all(b"HTTP/1.0 404").unwrap();
        listener
    });
    assert_eq!(refusal(&unix(&path, 0o700, None)), IN_USE);
    let _listener = answering.join().unwrap();
    assert_eq!(directory.names(), ["s.sock"]);
    assert!(UnixStream::connect(&path).is_ok());
}

#[test]
fn a_daemon_on_its_way_out_is_succeeded() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let leaving = std::thread::spawn(move || drop(listener.accept().unwrap()));
    bind(&unix(&path, 0o700, None)).unwrap();
    leaving.join().unwrap();
}

#[test]
fn a_hung_peer_counts_as_alive_in_bounded_time() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let _never_accepts = UnixListener::bind(&path).unwrap();
    assert_eq!(refusal(&unix(&path, 0o700, None)), IN_USE);
}

#[test]
fn system_errors_by_name_and_number() {
    let directory = Directory::new();
    let missing = directory.file("no/s.sock");
    assert_eq!(
        refusal(&unix(&missing, 0o700, None)),
        "Cannot open an HTTP server: socket.error reported errno.ENOENT (2)"
    );
    let long = directory.file(&"x".repeat(120));
    assert_eq!(
        refusal(&unix(&long, 0o700, None)),
        "Cannot open an HTTP server: socket.error reported AF_UNIX path too long"
    );
    fs::create_dir(directory.file("d")).unwrap();
    assert_eq!(
        refusal(&unix(&directory.file("d"), 0o700, None)),
        "Cannot open an HTTP server: socket.error reported errno.EISDIR (21)"
    );
    assert_eq!(directory.names(), ["d"]);
}

#[test]
fn the_owner_is_set_or_the_refusal_explained() {
    let directory = Directory::new();
    let path = directory.file("s.sock");
    let config = unix(&path, 0o770, Some(Owner { uid: 1, gid: Some(2) }));
    if geteuid().is_root() {
        let _bound = bind(&config).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1, 2));
        assert_eq!(metadata.mode() & 0o777, 0o770);
    } else {
        let text = refusal(&config);
        assert!(text.starts_with(&format!("Not permitted to chown {path} to uid/gid (1, 2); ")));
        assert!(directory.names().is_empty());
    }
}

#[test]
fn the_words_for_a_refused_owner() {
    let owner = Owner { uid: 0, gid: None };
    let error = BindError::Chown { path: "/s".to_string(), owner, user: "web".to_string() };
    assert_eq!(
        error.to_string(),
        "Not permitted to chown /s to uid/gid (0, -1); adjust \"sockchown\" value in config file or on command line \
         to values that the current user (web) can successfully chown"
    );
}

#[test]
fn tcp_addresses() {
    let mut bound = bind(&inet("localhost", 0)).unwrap();
    assert!(bound.take_name().is_none());
    let listener = std::net::TcpListener::from(bound.listener);
    let port = listener.local_addr().unwrap().port();
    assert_eq!(refusal(&inet("127.0.0.1", port)), IN_USE);
    assert_eq!(refusal(&inet("", port)), IN_USE);
    drop(listener);
    bind(&inet("", 0)).unwrap();
    assert_eq!(
        refusal(&inet("192.0.2.1", 9)),
        "Cannot open an HTTP server: socket.error reported errno.EADDRNOTAVAIL (99)"
    );
    assert_eq!(refusal(&inet("::1", 9)), "Cannot open an HTTP server: socket.error reported -9");
}
