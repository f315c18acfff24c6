//! How much memory the connections of all servers hold together.
//!
//! One request and one answer are bounded by themselves; many at a time would still add up. Whoever is about to need
//! much waits until the others of its [`Lane`] hold less than that has, and a connection that moves no byte meanwhile is
//! given up for it. What an answer will hold is kept for it before it is made.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, timeout};

use super::pace::{Lane, Pace};
use super::seats::Seats;
use crate::core::rpc::weight::MULTICALL_BYTES;

/// Bytes that all connections of a lane may hold before another big request or answer has to wait.
const MEMORY_BYTES: usize = 8 << 20;

/// Requests and answers up to this size never wait.
pub(super) const SMALL_BYTES: u64 = 64 << 10;

/// Multicalls that never wait: the restart of a program is one.
const SMALL_MULTICALL_BYTES: usize = 16 << 10;

/// How long a big multicall waits for others that keep what it needs.
const MULTICALL_PATIENCE: Duration = Duration::from_secs(60);

/// How often those who wait for memory look whether there is some.
const MEMORY_CHECK: Duration = Duration::from_millis(50);

/// In how many of these looks in a row a connection may stand still: a second, longer than any round trip.
const PATIENCE_CHECKS: u32 = 20;

impl Lane {
    /// Bytes that all connections may hold in it together.
    fn capacity(self) -> usize {
        match self {
            Lane::Requests | Lane::House | Lane::Logs => MEMORY_BYTES,
            Lane::Multicalls => 2 * MULTICALL_BYTES,
        }
    }
}

/// The memory of all connections.
#[derive(Debug)]
pub(super) struct Hub {
    pub(super) seats: Rc<Seats>,
    /// When those who wait for memory last looked.
    looked: Cell<Instant>,
    /// Big answers of a lane are made one after the other, so that the memory of each is known before the next.
    house_turn: Mutex<()>,
    logs_turn: Mutex<()>,
    /// Those who wait for memory for a multicall, in the order they came.
    multicalls: Mutex<()>,
    /// Big requests are taken apart one after the other, because each is several times as big meanwhile.
    reading: Mutex<()>,
}

impl Hub {
    pub(super) fn new(seats: Rc<Seats>) -> Hub {
        Hub {
            seats,
            looked: Cell::new(Instant::now()),
            house_turn: Mutex::new(()),
            logs_turn: Mutex::new(()),
            multicalls: Mutex::new(()),
            reading: Mutex::new(()),
        }
    }

    /// Waits until there is memory for a big request.
    pub(super) async fn memory(&self) {
        self.memory_of(Lane::Requests).await;
    }

    /// For a request that has come: waits until no other big one is being taken apart.
    pub(super) async fn turn_of_reading(&self, bytes: usize) -> Option<MutexGuard<'_, ()>> {
        if bytes as u64 > SMALL_BYTES { Some(self.reading.lock().await) } else { None }
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

    /// Waits until a plain call may be made whose answer has so many bytes, and keeps them for it.
    pub(super) async fn reserve_for_house(&self, pace: &Pace, bytes: usize) {
        if bytes as u64 > SMALL_BYTES {
            let _turn = self.house_turn.lock().await;
            self.memory_for(Lane::House, bytes).await;
        }
        pace.hold(Lane::House, bytes);
    }

    /// The same for a multicall: the calls that are to be made count as well, because it may wait for programs before it
    /// goes on. For the same reason it is refused after a while.
    pub(super) async fn reserve_for_multicall(
        &self,
        pace: &Pace,
        bytes: usize,
    ) -> Result<(), Full> {
        if bytes > SMALL_MULTICALL_BYTES {
            let room = async {
                let _turn = self.multicalls.lock().await;
                self.memory_for(Lane::Multicalls, bytes).await;
            };
            timeout(MULTICALL_PATIENCE, room).await.map_err(|_| Full)?;
        }
        pace.hold(Lane::Multicalls, bytes);
        Ok(())
    }

    /// Waits until a lane has some memory left, however much will be needed.
    async fn memory_of(&self, lane: Lane) {
        self.memory_for(lane, 1).await;
    }

    /// Waits until a lane has so much memory, or all of it; gives up those who hold some of it and stand still.
    async fn memory_for(&self, lane: Lane, bytes: usize) {
        let before = lane.capacity().saturating_sub(bytes);
        while self.held(lane) > before {
            self.relieve();
            tokio::time::sleep(MEMORY_CHECK).await;
        }
    }

    fn held(&self, lane: Lane) -> usize {
        let mut sum = 0;
        self.seats.each(|pace| sum += pace.held(lane));
        sum
    }

    fn relieve(&self) {
        // However many wait.
        if self.looked.get().elapsed() < MEMORY_CHECK {
            return;
        }
        self.looked.set(Instant::now());
        self.seats.each(|pace| {
            if pace.seen() > PATIENCE_CHECKS {
                pace.evict();
            }
        });
    }
}

/// There is no memory for a call, and those who have it keep it.
#[derive(Debug)]
pub(super) struct Full;
