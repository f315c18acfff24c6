//! Accepting connections, and who answers which path.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::fd::{AsFd, AsRawFd, RawFd};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use nix::libc::{EMFILE, ENFILE};
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::{KeepAlive, TcpKeepCount, TcpKeepIdle, TcpKeepInterval};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::auth::{Admission, Gate};
use super::bind::Bound;
use super::hosts::Names;
use super::hub::Hub;
use super::live::Audience;
use super::location::own_authority;
use super::metrics::Latencies;
use super::origin::Token;
use super::pace::{Door, Pace, Paced, Phase, Timeouts};
use super::response::{AccessEntry, Content, Persistence, Tracked, error, finish, unauthorized};
use super::seats::{Places, Seat, Seats};
use super::site::Site;
use super::{api, logtail, metrics, percent, rpc2, ui};
use crate::core::config::ServerAddress;
use crate::core::states::Level;
use crate::daemon::handle::Handle;
use crate::sys;

/// Bytes of request line and headers together, which is also hyper's read and write buffer.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// Wait after a failed accept. If descriptors have run out, somebody is given up meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Bytes that wait in the kernel without being on their way. Little, so that the connection of a client that takes
/// anything at all is seen to move.
const UNSENT_BYTES: u32 = 32 << 10;

/// After how much silence a TCP client is asked whether it is still there, how often, and how many times in vain:
/// whoever follows a silent log on a laptop that fell asleep is gone three minutes later.
const KEEPALIVE_IDLE_SECS: u32 = 120;
const KEEPALIVE_INTERVAL_SECS: u32 = 15;
const KEEPALIVE_PROBES: u32 = 4;

/// The bounds under which the servers work; tests have their own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) places: Places,
    pub(super) timeouts: Timeouts,
}

/// The servers at work. Dropping them closes listeners and connections at once.
#[derive(Debug)]
pub struct Servers {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Servers {
    /// Stops accepting, ends log streams and idle connections, and gives answers under way up to `grace` to be sent.
    pub async fn finish(mut self, grace: Duration) {
        self.stop.send_replace(true);
        let all_done = async { while self.tasks.join_next().await.is_some() {} };
        // Whoever is not done by then is cut off when `self` goes.
        let _ = timeout(grace, all_done).await;
    }
}

/// Starts serving; to be called inside a `LocalSet`. Lines below `threshold` are not even composed.
pub fn serve(bound: Vec<Bound>, handle: &Handle, threshold: Level) -> io::Result<Servers> {
    serve_within(bound, handle, threshold, Limits::default())
}

pub(super) fn serve_within(
    bound: Vec<Bound>,
    handle: &Handle,
    threshold: Level,
    limits: Limits,
) -> io::Result<Servers> {
    let (stop, stopped) = watch::channel(false);
    let token = Token::random()?;
    let hub = Rc::new(Hub::new(Seats::new(limits.places, handle.clone())));
    let audience = Audience::default();
    let measured = bound.iter().any(|bound| bound.config.metrics);
    let latencies = measured.then(Rc::<Latencies>::default);
    let mut tasks = JoinSet::new();
    for (server, Bound { config, listener, .. }) in bound.into_iter().enumerate() {
        let site = Rc::new(Site {
            handle: handle.clone(),
            threshold,
            server,
            gate: Gate::new(&config),
            names: Names::of(&config),
            authority: own_authority(&config.address),
            token: token.clone(),
            timeouts: limits.timeouts,
            hub: hub.clone(),
            audience: audience.clone(),
            metrics: config.metrics,
            latencies: latencies.clone(),
        });
        let listener = match config.address {
            ServerAddress::Inet { .. } => {
                let listener = StdTcpListener::from(listener);
                listener.set_nonblocking(true)?;
                Listener::Inet(TcpListener::from_std(listener)?)
            }
            ServerAddress::Unix { .. } => {
                let listener = StdUnixListener::from(listener);
                listener.set_nonblocking(true)?;
                Listener::Unix(UnixListener::from_std(listener)?)
            }
        };
        tasks.spawn_local(accept_all(listener, site, stopped.clone()));
    }
    Ok(Servers { stop, tasks })
}

enum Listener {
    Inet(TcpListener),
    Unix(UnixListener),
}

/// A connected socket, of either family.
trait Socket: AsyncRead + AsyncWrite + Unpin {}
impl<S: AsyncRead + AsyncWrite + Unpin> Socket for S {}

/// Somebody who came in.
struct Newcomer {
    stream: Box<dyn Socket>,
    descriptor: RawFd,
    peer: Rc<str>,
}

impl Listener {
    fn door(&self) -> Door {
        match self {
            Listener::Inet(_) => Door::Inet,
            Listener::Unix(_) => Door::Unix,
        }
    }

    async fn accept(&self) -> io::Result<Newcomer> {
        match self {
            Listener::Inet(listener) => {
                let (stream, peer) = listener.accept().await?;
                // An option that cannot be set makes a connection worse and not useless.
                let _ = prepare(&stream);
                let (descriptor, peer) = (stream.as_raw_fd(), peer.to_string().into());
                Ok(Newcomer { stream: Box::new(stream), descriptor, peer })
            }
            Listener::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                let descriptor = stream.as_raw_fd();
                Ok(Newcomer { stream: Box::new(stream), descriptor, peer: "localhost:0".into() })
            }
        }
    }
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Answers are written whole; waiting for more would only delay them.
    stream.set_nodelay(true)?;
    setsockopt(stream, TcpKeepIdle, &KEEPALIVE_IDLE_SECS)?;
    setsockopt(stream, TcpKeepInterval, &KEEPALIVE_INTERVAL_SECS)?;
    setsockopt(stream, TcpKeepCount, &KEEPALIVE_PROBES)?;
    setsockopt(stream, KeepAlive, &true)?;
    sys::limit_unsent(stream.as_fd(), UNSENT_BYTES)?; // last: since Linux 3.12
    Ok(())
}

async fn accept_all(listener: Listener, site: Rc<Site>, mut stopped: watch::Receiver<bool>) {
    let (door, seats) = (listener.door(), site.hub.seats.clone());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stop_of(&mut stopped) => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = listener.accept() => accepted,
        };
        let newcomer = match accepted {
            Ok(newcomer) => newcomer,
            Err(error) if matches!(error.raw_os_error(), Some(EMFILE | ENFILE)) => {
                seats.make_room(door, ACCEPT_PAUSE).await;
                continue;
            }
            Err(_) => {
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let pace = Pace::new(door);
        let seat = tokio::select! {
            biased;
            () = stop_of(&mut stopped) => break,
            seat = seats.take(door, newcomer.descriptor, &pace) => seat,
        };
        connections.spawn_local(connection(newcomer, site.clone(), pace, seat, stopped.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Resolves when the servers are to finish.
async fn stop_of(stopped: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, and these tasks are about to be dropped with it.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn connection(
    newcomer: Newcomer,
    site: Rc<Site>,
    pace: Rc<Pace>,
    _seat: Seat,
    mut stopped: watch::Receiver<bool>,
) {
    let Newcomer { stream, peer, .. } = newcomer;
    let stream = Paced::new(stream, pace.clone(), site.timeouts);
    let service = service_fn(|request| respond(&site, &pace, &peer, request));
    let mut builder = http1::Builder::new();
    builder.title_case_headers(true).max_buf_size(MAX_HEAD_BYTES);
    let mut connection = pin!(builder.serve_connection(stream, service));
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            () = pace.evicted() => return,
            () = stop_of(&mut stopped), if !stopping => {
                if pace.phase() == Phase::Streaming {
                    return;
                }
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            // Whatever went wrong, the client is gone and there is nobody to tell.
            _ = connection.as_mut() => return,
        }
    }
}

async fn respond(
    site: &Site,
    pace: &Rc<Pace>,
    peer: &Rc<str>,
    request: Request<Incoming>,
) -> Result<Response<Tracked>, Infallible> {
    pace.enter(Phase::Busy);
    let persistence = Persistence::of(&request);
    let traced = Level::Trace >= site.threshold;
    let entry = traced.then(|| AccessEntry::new(&site.handle, peer, &request));
    let response = match site.gate.judge(request.headers()) {
        Admission::Refused => unauthorized(),
        Admission::Malformed => error(StatusCode::BAD_REQUEST),
        Admission::Accepted => match site.names.refusal(&request) {
            Some(refusal) => refusal,
            None => {
                pace.know();
                dispatch(site, pace, request).await
            }
        },
    };
    Ok(finish(response, persistence, pace.clone(), entry))
}

/// Who answers: matched by prefix, in the order the reference asks its handlers.
async fn dispatch(site: &Site, pace: &Pace, request: Request<Incoming>) -> Response<Content> {
    let path = percent::decode(request.uri().path());
    match path.as_str() {
        path if path.starts_with("/RPC2") => rpc2::respond(site, pace, request).await,
        path if path.starts_with("/logtail") => {
            logtail::process_log(site, request.method(), request.uri()).await
        }
        path if path.starts_with("/mainlogtail") => {
            logtail::main_log(site, request.method(), request.uri()).await
        }
        metrics::PATH if site.metrics && metrics::is_read(request.method()) => {
            metrics::respond(site, pace).await
        }
        _ if request.uri().path().starts_with(api::ROOT) => {
            api::respond(site, pace, request.method(), request.uri()).await
        }
        _ => ui::respond(site, pace, &path, request).await,
    }
}
