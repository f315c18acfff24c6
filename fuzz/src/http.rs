//! What clients send to the servers, on a socket, with a house that has no programs behind them.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use supervisord_rs::parts::core::census::Census;
use supervisord_rs::parts::core::config::{ServerAddress, ServerConfig};
use supervisord_rs::parts::core::fault::{Fault, FaultCode};
use supervisord_rs::parts::core::overview::{About, Overview};
use supervisord_rs::parts::core::states::{Level, Mood};
use supervisord_rs::parts::core::value::Value;
use supervisord_rs::parts::daemon::excerpt::NoExcerpt;
use supervisord_rs::parts::daemon::handle::{Handle, Inbox, Request};
use supervisord_rs::parts::http::{bind, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;

/// How long an answer may take to begin or to go on before the client has heard enough: streams have no end, and what is
/// no whole request gets no answer.
const PATIENCE: Duration = Duration::from_millis(20);

/// The same for a request that is answered, on a machine that is as slow as it likes.
const PATIENCE_FOR_AN_ANSWER: Duration = Duration::from_secs(60);

/// Most of an answer that is read, in bytes.
const HEARD_BYTES: usize = 256 << 10;

/// The bytes of one connection: whatever they are, the server answers in HTTP or not at all, and then answers others.
pub fn http(data: &[u8]) {
    let directory = Directory::new();
    let path = directory.0.join("s.sock").to_string_lossy().into_owned();
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        // A client that leaves ends no Rust program; under libFuzzer, whose main is not Rust's, it would end this one.
        let _pipes = signal(SignalKind::pipe()).expect("a handler");
        let address = ServerAddress::Unix { path: path.clone(), chmod: 0o700, chown: None };
        let section = "unix_http_server".to_string();
        let (credentials, allowed_hosts, metrics) = (None, vec![], true);
        let config = ServerConfig { section, address, credentials, allowed_hosts, metrics };
        let bound = bind(&config).expect("a socket in a new directory");
        let (handle, inbox) = Handle::new();
        spawn_local(answer(inbox));
        let servers = serve(vec![bound], &handle, Level::Trace).expect("a server");
        let heard = ask(&path, data, PATIENCE).await;
        assert!(
            heard.is_empty() || heard.starts_with(b"HTTP/1."),
            "{:?}",
            String::from_utf8_lossy(&heard)
        );
        let nothing = b"GET /nope HTTP/1.1\r\nConnection: close\r\n\r\n";
        let heard = ask(&path, nothing, PATIENCE_FOR_AN_ANSWER).await;
        assert!(heard.starts_with(b"HTTP/1.1 404 "), "{:?}", String::from_utf8_lossy(&heard));
        servers.finish(Duration::ZERO).await;
    });
}

/// Sends everything on a connection of its own and returns what is answered.
async fn ask(path: &str, data: &[u8], patience: Duration) -> Vec<u8> {
    let stream = UnixStream::connect(path).await.expect("the server listens");
    let (mut reader, mut writer) = stream.into_split();
    let said = data.to_vec();
    // A server may answer, or leave, before it has heard everything.
    let saying = spawn_local(async move {
        let _ = writer.write_all(&said).await;
        writer
    });
    let mut heard = Vec::new();
    let mut part = vec![0; 16 << 10];
    while heard.len() < HEARD_BYTES {
        match timeout(patience, reader.read(&mut part)).await {
            Ok(Ok(length)) if length > 0 => heard.extend_from_slice(&part[..length]),
            Ok(Ok(_) | Err(_)) | Err(_) => break,
        }
    }
    saying.abort();
    heard
}

/// A house without programs: calls are answered with their parameters.
async fn answer(mut inbox: Inbox) {
    let about = || About { mood: Mood::Running, identifier: "fuzz".to_string() };
    while let Some(request) = inbox.requests.recv().await {
        match request {
            Request::Call { call, reply, .. } if call.params.is_empty() => {
                let _ = reply.send(Err(Fault::new(FaultCode::BadName, call.method)));
            }
            Request::Call { call, reply, .. } => {
                let _ = reply.send(Ok(Value::Array(call.params)));
            }
            Request::Hangup(_) | Request::Log(..) => {}
            Request::About(reply) => {
                let _ = reply.send(about());
            }
            Request::Overview(reply) => {
                let overview =
                    Overview { about: about(), pid: 7, now_millis: 0, processes: Vec::new() };
                let _ = reply.send(overview);
            }
            Request::Census(reply) => {
                let (processes, pools) = (Vec::new(), Vec::new());
                let _ = reply.send(Census { mood: Mood::Running, pid: 7, processes, pools });
            }
            Request::Program { reply, .. } => {
                let _ = reply.send(None);
            }
            Request::Follow { reply, .. } => {
                let _ = reply.send(None);
            }
            Request::ReadLog { reply, .. } => {
                let _ = reply.send(Err(NoExcerpt::NoFile));
            }
        }
    }
}

/// A directory for one connection, removed with it.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("supervisord-rs-fuzz-{}-{serial}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a new directory");
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
