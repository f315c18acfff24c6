//! Who keeps the helper: starts it, hands over orders, starts it again.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::helper::{self, Helper};
use super::life::{End, Life, Ready};
use super::messages;
use super::plan::Plan;
use super::refusal::refuse;
use crate::core::states::Level;
use crate::core::value::Value;
use crate::daemon::handle::Handle;
use crate::daemon::plugins::{Helpers, Order, Port};

/// How long after its end the helper is started again at first; twice as long each time it does not live.
const FIRST_BACKOFF: Duration = Duration::from_secs(1);

/// How long at most.
const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// A helper that has lived for so long begins with the first backoff again.
const GOOD_LIFE: Duration = Duration::from_secs(60);

/// The plugins at work.
pub(crate) struct Plugins {
    task: JoinHandle<()>,
}

impl Plugins {
    /// Puts them to work. The other end of `ready` learns whether they could be made, at once when there are none.
    pub(crate) fn start(
        plan: Plan,
        handle: Handle,
        helpers: Helpers,
    ) -> (Plugins, Port, oneshot::Receiver<Result<(), String>>) {
        let (port, orders) = Port::new(helpers.clone());
        let (ready, readied) = oneshot::channel();
        let keeper = Keeper { plan, handle, helpers, orders };
        let task = tokio::task::spawn_local(keeper.keep(ready));
        (Plugins { task }, port, readied)
    }

    /// Ends the helper, when the house has left its loop and dropped its port.
    pub(crate) async fn finish(self) {
        let _ = self.task.await; // it does not panic, and nobody cancels it
    }
}

/// Keeps a helper.
struct Keeper {
    plan: Plan,
    handle: Handle,
    helpers: Helpers,
    orders: mpsc::UnboundedReceiver<Order>,
}

/// What a helper's life came to.
enum Outcome {
    /// It is to be started again.
    Again,
    /// The house is gone, and so is the helper.
    Over,
}

impl Keeper {
    async fn keep(mut self, ready: Ready) {
        let mut ready = Some(ready);
        let mut backoff = FIRST_BACKOFF;
        if self.plan.is_empty() {
            ready.take().into_iter().for_each(|ready| drop(ready.send(Ok(()))));
            // A reread may bring a result handler; then there is something for it.
            let Some(order) = self.first_judgement().await else {
                return;
            };
            refuse(order);
        }
        loop {
            let begun = Instant::now();
            match self.live(&mut ready).await {
                Outcome::Over => return,
                Outcome::Again if begun.elapsed() >= GOOD_LIFE => backoff = FIRST_BACKOFF,
                Outcome::Again => {}
            }
            let secs = backoff.as_secs();
            self.handle
                .log(Level::Warn, format!("plugins: their process is started again in {secs} s"));
            if self.refuse_until(Instant::now() + backoff).await.is_none() {
                return;
            }
            backoff = (backoff * 2).min(LONGEST_BACKOFF);
        }
    }

    /// One life of a helper.
    async fn live(&mut self, ready: &mut Option<Ready>) -> Outcome {
        let python = helper::named(self.plan.python.as_deref());
        let helper = match helper::start(&python, &self.helpers, &self.handle) {
            Ok(helper) => helper,
            Err(why) => {
                self.handle.log(Level::Critical, why.as_str());
                if let Some(ready) = ready.take() {
                    let _ = ready.send(Err(why));
                }
                return Outcome::Again;
            }
        };
        self.handle.log(Level::Info, format!("plugins: their process has the pid {}", helper.pid));
        let mut life = Life::new(&helper, &self.handle, ready);
        let end = life.go_on(messages::start(&self.plan), &mut self.orders).await;
        drop(life);
        self.part(helper, end).await
    }

    async fn part(&mut self, helper: Helper, end: End) -> Outcome {
        // Whatever it watched, nobody does now.
        let nothing = vec![Value::Array(Vec::new())];
        let why = match end {
            End::Stopped => {
                helper.end().await;
                return Outcome::Over;
            }
            End::Closed => "has ended".to_string(),
            End::Broken(why) => {
                helper.kill();
                why
            }
        };
        let pid = helper.pid;
        self.handle.log(Level::Error, format!("plugins: their process (pid {pid}) {why}"));
        let _ = self.handle.call(messages::private("subscribe", nothing)).await;
        Outcome::Again
    }

    /// Refuses everything until a moment; `None` when the house is gone.
    async fn refuse_until(&mut self, moment: Instant) -> Option<()> {
        loop {
            tokio::select! {
                order = self.orders.recv() => refuse(order?),
                () = sleep_until(moment) => return Some(()),
            }
        }
    }

    /// Waits for something to be judged; `None` when the house is gone.
    async fn first_judgement(&mut self) -> Option<Order> {
        loop {
            match self.orders.recv().await? {
                order @ Order::Judge(..) => return Some(order),
                other => refuse(other),
            }
        }
    }
}
