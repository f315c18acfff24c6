//! The connections of all servers: how many there may be, and how much memory they hold together.
//!
//! One request and one answer are bounded by themselves; many at a time would still add up. Whoever is about to need
//! much waits until the others of its [`Lane`] hold less than [`MEMORY_BYTES`], and a connection that moves no byte
//! meanwhile is given up for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::time::{Instant, timeout};

use super::pace::Pace;
use crate::core::effect::Call;
use crate::core::value::Value;

/// Bytes that all connections of a lane may hold before another big request or answer has to wait.
const MEMORY_BYTES: usize = 8 << 20;

/// Requests and answers up to this size never wait.
pub(super) const SMALL_BYTES: u64 = 64 << 10;

/// How often a full house looks for a connection to give up.
const SEAT_CHECK: Duration = Duration::from_secs(1);

/// How often those who wait for memory look whether there is some.
const MEMORY_CHECK: Duration = Duration::from_millis(50);

/// In how many of these looks in a row a connection may stand still: a second, longer than any round trip.
const PATIENCE_CHECKS: u32 = 20;

/// What is held, and so what it may have to wait for. A disk that hangs, or somebody who is slow to take a big log,
/// holds up no page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lane {
    /// A request, which its client has to send.
    #[default]
    Requests,
    /// What the house knows: made at once, and as big as the configuration.
    House,
    /// Logs, which the disk has to give.
    Logs,
}

/// The connections of all servers.
#[derive(Debug)]
pub(super) struct Hub {
    capacity: usize,
    next_id: Cell<u64>,
    connections: RefCell<BTreeMap<u64, Rc<Pace>>>,
    freed: Notify,
    /// How many listen to the house or follow a log.
    listeners: Cell<usize>,
    /// When those who wait for memory last looked.
    looked: Cell<Instant>,
    /// Big answers of a lane are made one after the other, so that the memory of each is known before the next.
    house_turn: Mutex<()>,
    logs_turn: Mutex<()>,
}

/// A connection's place in the hub.
pub(super) struct Seat {
    hub: Rc<Hub>,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.hub.connections.borrow_mut().remove(&self.id);
        self.hub.freed.notify_one();
    }
}

/// A listener's place among the connections.
pub(super) struct Listening {
    hub: Rc<Hub>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hub.listeners.set(self.hub.listeners.get() - 1);
    }
}

impl Hub {
    pub(super) fn new(capacity: usize) -> Hub {
        Hub {
            capacity,
            next_id: Cell::new(0),
            connections: RefCell::new(BTreeMap::new()),
            freed: Notify::new(),
            listeners: Cell::new(0),
            looked: Cell::new(Instant::now()),
            house_turn: Mutex::new(()),
            logs_turn: Mutex::new(()),
        }
    }

    /// Waits for a place, taking it from the connection that has waited for its client longest, if any has.
    pub(super) async fn seat(self: &Rc<Hub>, pace: &Rc<Pace>) -> Seat {
        while self.connections.borrow().len() >= self.capacity {
            let oldest = {
                let connections = self.connections.borrow();
                connections
                    .values()
                    .filter_map(|pace| pace.waiting_since().map(|since| (since, pace.clone())))
                    .min_by_key(|(since, _)| *since)
            };
            if let Some((_, pace)) = oldest {
                pace.evict();
            }
            let _ = timeout(SEAT_CHECK, self.freed.notified()).await;
        }
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.connections.borrow_mut().insert(id, pace.clone());
        Seat { hub: self.clone(), id }
    }

    /// A place to listen to the house, or to follow a log, for as long as the client stays. Half of all connections may,
    /// so that open pages never keep anybody from acting, and leave descriptors to the programs.
    pub(super) fn listen(self: &Rc<Hub>) -> Option<Listening> {
        let listeners = self.listeners.get();
        if listeners >= self.capacity.div_ceil(2) {
            return None;
        }
        self.listeners.set(listeners + 1);
        Some(Listening { hub: self.clone() })
    }

    /// Waits until there is memory for a big request.
    pub(super) async fn memory(&self) {
        self.memory_of(Lane::Requests).await;
    }

    /// For an answer about the whole house: waits until no other one is being made, and for memory.
    pub(super) async fn turn_of_house(&self) -> MutexGuard<'_, ()> {
        let turn = self.house_turn.lock().await;
        self.memory_of(Lane::House).await;
        turn
    }

    /// The same for an answer with so many bytes of a log, if that is much.
    pub(super) async fn turn_of_logs(&self, bytes: u64) -> Option<MutexGuard<'_, ()>> {
        if bytes <= SMALL_BYTES {
            return None;
        }
        let turn = self.logs_turn.lock().await;
        self.memory_of(Lane::Logs).await;
        Some(turn)
    }

    /// Waits until a lane has memory; gives up those who hold some of it and stand still.
    async fn memory_of(&self, lane: Lane) {
        while self.held(lane) >= MEMORY_BYTES {
            self.relieve();
            tokio::time::sleep(MEMORY_CHECK).await;
        }
    }

    fn held(&self, lane: Lane) -> usize {
        self.connections.borrow().values().map(|pace| pace.held(lane)).sum()
    }

    fn relieve(&self) {
        // However many wait.
        if self.looked.get().elapsed() < MEMORY_CHECK {
            return;
        }
        self.looked.set(Instant::now());
        for pace in self.connections.borrow().values() {
            if pace.seen() > PATIENCE_CHECKS {
                pace.evict();
            }
        }
    }
}

/// Most bytes of logs that the answer to a call may carry; other answers are small.
pub(super) fn log_bytes(call: &Call) -> u64 {
    match (call.method.as_str(), call.params.as_slice()) {
        ("system.multicall", [Value::Array(calls)]) => {
            calls.iter().map(log_bytes_of_part).fold(0, u64::saturating_add)
        }
        (method, params) => log_bytes_of(method, params),
    }
}

fn log_bytes_of_part(part: &Value) -> u64 {
    match (part.member("methodName"), part.member("params")) {
        (Some(Value::Str(method)), Some(Value::Array(params))) => log_bytes_of(method, params),
        _ => 0,
    }
}

fn log_bytes_of(method: &str, params: &[Value]) -> u64 {
    let verb = method.strip_prefix("supervisor.").unwrap_or_default();
    let reads = verb.starts_with("read");
    if !reads && !verb.starts_with("tail") {
        return 0;
    }
    match params {
        [.., Value::Int(_), Value::Int(length)] if *length > 0 => length.unsigned_abs(),
        [.., Value::Int(offset), Value::Int(0)] if reads && *offset < 0 => offset.unsigned_abs(),
        _ => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str, params: Vec<Value>) -> Call {
        Call { method: method.to_string(), params }
    }

    #[test]
    fn what_an_answer_may_carry() {
        let name = Value::str("cat");
        let ints = |offset, length| vec![name.clone(), Value::Int(offset), Value::Int(length)];
        for (method, params, bytes) in [
            ("supervisor.getAllProcessInfo", vec![], 0),
            ("supervisor.readProcessStdoutLog", ints(0, 0), u64::MAX),
            ("supervisor.readProcessStdoutLog", ints(7, 100), 100),
            ("supervisor.readProcessLog", ints(-1600, 0), 1600),
            ("supervisor.tailProcessLog", ints(0, 1024), 1024),
            ("supervisor.tailProcessLog", ints(i64::MIN, 0), u64::MAX),
            ("supervisor.readLog", vec![Value::Int(i64::MIN), Value::Int(0)], 1 << 63),
            ("supervisor.readLog", vec![], u64::MAX),
        ] {
            assert_eq!(log_bytes(&call(method, params)), bytes, "{method}");
        }
        let part = |params| {
            Value::Struct(vec![
                ("methodName".to_string(), Value::str("supervisor.readProcessLog")),
                ("params".to_string(), Value::Array(params)),
            ])
        };
        let parts = Value::Array(vec![part(ints(0, 5)), part(ints(-7, 0)), Value::Nil]);
        assert_eq!(log_bytes(&call("system.multicall", vec![parts])), 12);
    }
}
