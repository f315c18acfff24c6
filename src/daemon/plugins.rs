//! The way from the house to the plugins in Python: orders for whoever speaks with their helper process, and the children
//! of the daemon that are no programs.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};

use crate::core::effect::Verdict;
use crate::core::event::Event;
use crate::core::fault::Fault;
use crate::core::plugins::PluginCall;
use crate::core::result_handler::Judgement;
use crate::core::value::Value;

/// Something that plugins are to do, or to hear of.
#[derive(Debug)]
pub(crate) enum Order {
    /// Call a method.
    Call(PluginCall, oneshot::Sender<Result<Value, Fault>>),
    /// Judge the result of a listener.
    Judge(Box<Verdict>, oneshot::Sender<Judgement>),
    /// An event that they watch.
    Event(Rc<Event>),
}

/// Children of the daemon that run Python for plugins: nobody is told of their end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Helpers {
    state: Arc<Mutex<HelperState>>,
}

/// Who they are, and who reaps them.
#[derive(Debug, Default)]
pub(crate) struct HelperState {
    /// Those that have not been reaped.
    pub pids: HashSet<i32>,
    /// The house reaps every child, and who started one must not.
    pub house_reaps: bool,
}

impl Helpers {
    /// The state, for as long as the guard lives. Hold it while a child is started: it may end at once.
    pub(crate) fn lock(&self) -> MutexGuard<'_, HelperState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The house begins to reap, or has left its loop.
    pub(crate) fn house_reaps(&self, reaps: bool) {
        self.lock().house_reaps = reaps;
    }

    /// Whether a child that has ended was one; it is none from now on.
    pub(crate) fn is_over(&self, pid: i32) -> bool {
        self.lock().pids.remove(&pid)
    }
}

/// The house's end of the way to the plugins.
#[derive(Clone, Debug)]
pub(crate) struct Port {
    orders: mpsc::UnboundedSender<Order>,
    helpers: Helpers,
}

impl Port {
    /// A way, and its other end. Calls bound the orders of one kind, listeners those of another; events are counted where
    /// they arrive.
    pub(crate) fn new(helpers: Helpers) -> (Port, mpsc::UnboundedReceiver<Order>) {
        let (orders, received) = mpsc::unbounded_channel();
        (Port { orders, helpers }, received)
    }

    /// Children that are no programs.
    pub(crate) fn helpers(&self) -> &Helpers {
        &self.helpers
    }

    /// Gives an order. Where nobody takes it, whoever waits for an answer learns that.
    pub(crate) fn order(&self, order: Order) {
        let _ = self.orders.send(order);
    }
}
