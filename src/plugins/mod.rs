//! Plugins in Python: `[rpcinterface:x]` factories and result handlers, run by one helper process.
//!
//! [`Plugins`] is a task of the supervision thread, the `keeper` of a helper. It starts the helper when there is something for it, hands over what the
//! house orders, makes the calls that the helper asks for, and starts it again after it has died, babbled or hung. Nothing
//! waits for it but those who asked it for something.
//!
//! - `plan`: which plugins there are; `refusal`: what is said when none can be asked
//! - `wire`: frames; `messages`: what is in them
//! - `helper`: the process; `life`: the conversation with one, from its start to its end
//! - `resolve`: whether something can be imported, before there is a helper

mod helper;
mod keeper;
mod life;
mod messages;
mod plan;
mod refusal;
mod resolve;
mod wire;

pub(crate) use keeper::Plugins;
pub(crate) use plan::Plan;
pub(crate) use resolve::Resolver;
