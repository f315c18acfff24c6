//! Who is served: how many connections there may be, and who has to leave when others need the place.
//!
//! Nobody is closed on a clock. Descriptors are what connections compete for with the programs: strangers get those that are
//! left when all programs have theirs, and nobody gets the last ones. Whoever waits for an answer takes no place that others
//! need: only those that wait for their client count against the number that memory allows.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::RawFd;
use std::rc::Rc;
use std::time::Duration;

use nix::sys::resource::{Resource, getrlimit};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::pace::{Door, Pace};
use crate::daemon::handle::Handle;

/// Connections that wait for their client, and streams: some 20 KiB each at most while they are quiet.
const MOST_QUIET: usize = 256;

/// Connections in all. A call that waits may be as small as one that is quiet, and a small request may grow in memory to four
/// times its size.
const MOST: usize = 1024;

/// Connections that come in however much the programs need: half of the last descriptors.
const FEWEST: usize = 16;

/// Places on the Unix sockets beyond those, so that an operator gets in whoever holds the others.
const UNIX_PLACES: usize = 16;

/// Descriptors of the daemon itself: logs, listeners, epoll, signals, inotify, standard streams.
const OWN_DESCRIPTORS: usize = 32;

/// The last descriptors, which connections leave to the starts of programs, to rotations and to readers of logs.
const SPARED_DESCRIPTORS: usize = 32;

/// How often a full house looks for a connection to give up when it found none.
const SEAT_CHECK: Duration = Duration::from_secs(1);

/// How many connections there may be; tests have their own numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// That wait for their client, or follow something.
    pub(super) quiet: usize,
    /// In all.
    pub(super) all: usize,
    /// Descriptors the process may have.
    pub(super) descriptors: usize,
}

impl Default for Places {
    fn default() -> Places {
        let (soft, _) = getrlimit(Resource::RLIMIT_NOFILE).unwrap_or((1024, 1024));
        let descriptors = usize::try_from(soft).unwrap_or(usize::MAX);
        Places { quiet: MOST_QUIET, all: MOST, descriptors }
    }
}

impl Door {
    /// Places of its own.
    fn extra(self) -> usize {
        match self {
            Door::Inet => 0,
            Door::Unix => UNIX_PLACES,
        }
    }

    /// Who may be given up for a newcomer here.
    fn outranks(self, rank: Rank) -> bool {
        match self {
            Door::Inet => matches!(rank, Rank::Stranger | Rank::Quiet),
            Door::Unix => true,
        }
    }
}

/// What a connection is worth keeping; the first is given up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Has not said anything yet that the server would listen to.
    Stranger,
    /// Waits for its client.
    Quiet,
    /// Follows a log or the house.
    Listener,
    /// Waits for an answer.
    Caller,
}

/// The connections of all servers.
#[derive(Debug)]
pub(super) struct Seats {
    places: Places,
    house: Handle,
    next_id: Cell<u64>,
    taken: RefCell<BTreeMap<u64, Rc<Pace>>>,
    freed: Notify,
    /// How many listen to the house or follow a log.
    listeners: Cell<usize>,
}

/// A connection's place.
pub(super) struct Seat {
    seats: Rc<Seats>,
    id: u64,
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken.borrow_mut().remove(&self.id);
        self.seats.freed.notify_waiters();
    }
}

/// A listener's place among the connections.
pub(super) struct Listening {
    seats: Rc<Seats>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.seats.listeners.set(self.seats.listeners.get() - 1);
    }
}

impl Seats {
    pub(super) fn new(places: Places, house: Handle) -> Rc<Seats> {
        Rc::new(Seats {
            places,
            house,
            next_id: Cell::new(0),
            taken: RefCell::default(),
            freed: Notify::new(),
            listeners: Cell::new(0),
        })
    }

    /// Waits for a place for a connection with this descriptor, taking it from whoever is worth keeping least.
    pub(super) async fn take(
        self: &Rc<Seats>,
        door: Door,
        descriptor: RawFd,
        pace: &Rc<Pace>,
    ) -> Seat {
        let mut scarce = self.are_scarce(door, descriptor);
        while scarce || self.are_full(door) {
            scarce &= !self.make_room(door, SEAT_CHECK).await;
        }
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        self.taken.borrow_mut().insert(id, pace.clone());
        Seat { seats: self.clone(), id }
    }

    /// Gives up one connection for a newcomer, if one may be; waits until a place is free, but no longer than that. Whether
    /// somebody had to leave.
    pub(super) async fn make_room(&self, door: Door, patience: Duration) -> bool {
        let freed = self.freed.notified();
        let least = {
            let taken = self.taken.borrow();
            let ranked = taken.values().map(|pace| (rank(pace), pace));
            let lower = ranked.filter(|((rank, _), _)| door.outranks(*rank));
            lower.min_by_key(|(rank, _)| *rank).map(|(_, pace)| pace.clone())
        };
        if let Some(pace) = &least {
            pace.evict();
        }
        let _ = timeout(patience, freed).await;
        least.is_some()
    }

    /// A place to listen to the house, or to follow a log, for as long as the client stays. Half of the quiet places may,
    /// so that open pages never keep anybody from acting.
    pub(super) fn listen(self: &Rc<Seats>) -> Option<Listening> {
        let listeners = self.listeners.get();
        if listeners >= self.places.quiet.div_ceil(2) {
            return None;
        }
        self.listeners.set(listeners + 1);
        Some(Listening { seats: self.clone() })
    }

    /// How many connections there are, and how many there have been.
    pub(super) fn counts(&self) -> (usize, u64) {
        (self.taken.borrow().len(), self.next_id.get())
    }

    /// Calls `visit` with every connection.
    pub(super) fn each(&self, visit: impl FnMut(&Rc<Pace>)) {
        self.taken.borrow().values().for_each(visit);
    }

    fn are_full(&self, door: Door) -> bool {
        let taken = self.taken.borrow();
        let of = |least, most| {
            let ranks = taken.values().map(|pace| rank(pace).0);
            ranks.filter(|rank| (least..=most).contains(rank)).count()
        };
        let strange = door == Door::Inet && of(Rank::Stranger, Rank::Stranger) >= self.strangers();
        let quiet = of(Rank::Stranger, Rank::Listener) >= self.places.quiet + door.extra();
        strange || quiet || taken.len() >= self.places.all + door.extra()
    }

    /// Strangers that may be there before descriptors are missing to the programs.
    fn strangers(&self) -> usize {
        let needed = self.house.extent().descriptors + OWN_DESCRIPTORS + SPARED_DESCRIPTORS;
        self.places.descriptors.saturating_sub(needed).max(FEWEST)
    }

    /// Whether a connection has one of the last descriptors: the lowest free number is given first, so all others are
    /// taken, whatever for.
    fn are_scarce(&self, door: Door, descriptor: RawFd) -> bool {
        if self.taken.borrow().len() < FEWEST {
            return false;
        }
        let spared = SPARED_DESCRIPTORS - door.extra();
        let last = self.places.descriptors.saturating_sub(spared);
        usize::try_from(descriptor).is_ok_and(|descriptor| descriptor >= last)
    }
}

/// How much a connection is worth keeping, and since when.
fn rank(pace: &Pace) -> (Rank, Instant) {
    match pace.waiting_since() {
        Some(since) if pace.is_known() => (Rank::Quiet, since),
        Some(since) => (Rank::Stranger, since),
        None if pace.streams() => (Rank::Listener, pace.since()),
        None => (Rank::Caller, pace.since()),
    }
}
