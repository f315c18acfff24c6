//! What is said when no plugin can be asked.

use crate::core::fault::{Fault, FaultCode};
use crate::core::result_handler::Judgement;
use crate::daemon::plugins::Order;

/// Answers an order that nobody can carry out: a call fails, a result is rejected, so that its event is not lost.
pub(super) fn refuse(order: Order) {
    match order {
        Order::Call(_, reply) => {
            let _ = reply.send(Err(failed("the process of the plugins is not running"))); // the client may be gone
        }
        Order::Judge(_, reply) => drop(reply.send(Judgement::Rejected)),
        Order::Event(_) => {}
    }
}

/// The fault of a call that a plugin did not answer.
pub(super) fn failed(why: &str) -> Fault {
    Fault::new(FaultCode::Failed, why)
}
