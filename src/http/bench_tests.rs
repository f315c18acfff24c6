//! What the tests stand on: a house that is a task answering the inbox, a server in front of it, raw clients.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep, timeout};

use super::super::server::{Limits, serve_within};
use super::super::{Servers, bind};
use crate::core::census::Census;
use crate::core::config::{Credentials, ServerAddress, ServerConfig};
use crate::core::fault::{Fault, FaultCode};
use crate::core::info::Extent;
use crate::core::logs::LogRef;
use crate::core::overview::{About, Overview};
use crate::core::states::{Level, Mood};
use crate::core::value::Value;
use crate::daemon::excerpt::NoExcerpt;
use crate::daemon::handle::{Handle, Inbox, Request};

/// Nothing awaited here takes this long unless it never comes.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long `test.late` takes: enough for the server to see everything the client did meanwhile.
const LATENESS: Duration = Duration::from_millis(50);

/// What the house saw.
#[derive(Default)]
pub(super) struct House {
    pub(super) calls: RefCell<Vec<String>>,
    pub(super) hangups: RefCell<usize>,
    pub(super) log: RefCell<Vec<(Level, String)>>,
    /// What there is to supervise.
    pub(super) extent: Rc<Cell<Extent>>,
    changed: Notify,
}

fn about() -> About {
    About { mood: Mood::Running, identifier: "test".to_string() }
}

impl House {
    async fn serve(self: Rc<House>, mut inbox: Inbox) {
        let mut never_answered = Vec::new();
        while let Some(request) = inbox.requests.recv().await {
            match request {
                Request::Call { call, reply, .. } => {
                    self.calls.borrow_mut().push(call.method.clone());
                    let result = match call.method.as_str() {
                        "test.hang" => {
                            never_answered.push(reply);
                            self.changed.notify_one();
                            continue;
                        }
                        "test.late" => {
                            spawn_local(async move {
                                sleep(LATENESS).await;
                                let _ = reply.send(Ok(Value::from("late")));
                            });
                            continue;
                        }
                        "test.big" => Ok(Value::str("x".repeat(4 << 20))),
                        "test.echo" => Ok(Value::Array(call.params)),
                        _ => Err(Fault::new(FaultCode::BadName, "x")),
                    };
                    let _ = reply.send(result);
                }
                Request::Hangup(_) => *self.hangups.borrow_mut() += 1,
                Request::Log(level, line) => self.log.borrow_mut().push((level, line)),
                Request::Follow { log, reply, .. } => {
                    if let LogRef::Process { namespec, channel } = log {
                        self.calls.borrow_mut().push(format!("{namespec} {channel}"));
                    }
                    let _ = reply.send(None);
                }
                Request::ReadLog { reply, .. } => {
                    let _ = reply.send(Err(NoExcerpt::NoFile));
                }
                Request::About(reply) => {
                    let _ = reply.send(about());
                }
                // Nobody here has programs.
                Request::Overview(reply) => {
                    let _ = reply.send(Overview {
                        about: about(),
                        pid: 7,
                        now_millis: 0,
                        processes: Vec::new(),
                    });
                }
                Request::Census(reply) => {
                    let (processes, pools) = (Vec::new(), Vec::new());
                    let census = Census { mood: Mood::Running, pid: 7, processes, pools };
                    let _ = reply.send(census);
                }
                Request::Program { reply, .. } => {
                    let _ = reply.send(None);
                }
            }
            self.changed.notify_one();
        }
    }

    pub(super) async fn until(&self, condition: impl Fn(&House) -> bool) {
        let wait = async {
            while !condition(self) {
                self.changed.notified().await;
            }
        };
        timeout(PATIENCE, wait).await.expect("the house never saw it");
    }
}

/// A server under test.
pub(super) struct Fixture {
    pub(super) address: SocketAddr,
    pub(super) house: Rc<House>,
    pub(super) servers: Servers,
}

impl Fixture {
    pub(super) fn new(
        credentials: Option<(&str, &str)>,
        threshold: Level,
        limits: Limits,
    ) -> Fixture {
        let credentials = credentials.map(|(username, password)| Credentials {
            username: username.to_string(),
            password: password.to_string(),
        });
        let address = ServerAddress::Inet { host: "127.0.0.1".to_string(), port: 0 };
        let section = "inet_http_server".to_string();
        let config =
            ServerConfig { section, address, credentials, allowed_hosts: vec![], metrics: true };
        let bound = bind(&config).unwrap();
        let listener = std::net::TcpListener::from(bound.listener.try_clone().unwrap());
        let address = listener.local_addr().unwrap();
        let (handle, inbox) = Handle::new();
        let house = House { extent: Rc::clone(&inbox.extent), ..House::default() };
        let house = Rc::new(house);
        spawn_local(house.clone().serve(inbox));
        let servers = serve_within(vec![bound], &handle, threshold, limits).unwrap();
        Fixture { address, house, servers }
    }

    pub(super) fn plain() -> Fixture {
        Fixture::new(None, Level::Info, Limits::default())
    }

    pub(super) async fn client(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        Client { stream, buffer: Vec::new() }
    }

    /// The answer to the only request of a connection.
    pub(super) async fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        let mut client = self.client().await;
        client.send(request).await;
        client.answer().await
    }
}

/// A raw client.
pub(super) struct Client {
    pub(super) stream: TcpStream,
    pub(super) buffer: Vec<u8>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Client {
    pub(super) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        // The server may have refused and closed already; the answer tells.
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    pub(super) async fn more(&mut self) -> usize {
        let read = self.stream.read_buf(&mut self.buffer);
        timeout(PATIENCE, read).await.expect("neither bytes nor end").unwrap_or(0)
    }

    pub(super) async fn answer(&mut self) -> Answer {
        loop {
            if let Some(answer) = self.take_answer() {
                return answer;
            }
            assert!(self.more().await > 0, "closed early: {:?}", self.buffer);
        }
    }

    fn take_answer(&mut self) -> Option<Answer> {
        let mut answer = self.find_head()?;
        let end = answer.head.len();
        let length: usize =
            answer.header("Content-Length").map_or(0, |length| length.parse().unwrap());
        let body = self.buffer.get(end..end + length)?;
        answer.body = String::from_utf8(body.to_vec()).unwrap();
        self.buffer.drain(..end + length);
        Some(answer)
    }

    fn find_head(&self) -> Option<Answer> {
        let end = self.buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        let head = String::from_utf8(self.buffer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer: {head:?}"));
        Some(Answer { status, head, body: String::new() })
    }

    /// An answer without the body its headers speak of, as to HEAD.
    pub(super) async fn bodiless_answer(&mut self) -> Answer {
        loop {
            if let Some(answer) = self.find_head() {
                self.buffer.drain(..answer.head.len());
                return answer;
            }
            assert!(self.more().await > 0, "closed early: {:?}", self.buffer);
        }
    }

    pub(super) async fn is_closed(&mut self) -> bool {
        self.buffer.clear();
        self.more().await == 0
    }
}

pub(super) fn body(method: &str) -> String {
    format!("<methodCall><methodName>{method}</methodName></methodCall>")
}

pub(super) fn post(version: &str, extra: &str, body: &str) -> String {
    format!("POST /RPC2 HTTP/{version}\r\n{extra}Content-Length: {}\r\n\r\n{body}", body.len())
}

pub(super) fn call(method: &str) -> String {
    post("1.1", "", &body(method))
}

pub(super) fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(LocalSet::new().run_until(test));
}
