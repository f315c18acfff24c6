//! The `supervisor.*` and `system.*` methods, and those of our own: who may be called, with what, and what it answers.
//!
//! [`methods`] is the one table of names, signatures and help; [`process`], [`batch`], [`logs`] and [`system`] hold
//! the handlers; [`pending`] holds the calls that answer later; [`weight`] knows how big answers may be.

pub(super) mod batch;
mod control;
mod logs;
pub mod methods;
mod params;
pub(super) mod pending;
mod process;
mod system;
pub mod weight;

use super::clock::Now;
use super::effect::{Call, Effect, Host, ReplyId};
use super::fault::{Fault, FaultCode};
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;
use methods::{Method, Namespace, OWN_NAMESPACE};
use pending::{Pending, Wait};

/// The namespace under which the web interface calls, however the configuration publishes the main interface, if at
/// all. No client can spell it: XML has no such character.
pub const HOUSE_NAMESPACE: &str = "\0";

/// What a method answers: at once, or when something has come true.
#[derive(Debug)]
pub enum Answer {
    /// The result.
    Value(Value),
    /// Wait for this.
    Wait(Wait),
}

/// `true`, the result of most methods.
pub(super) const DONE: Answer = Answer::Value(Value::Bool(true));

/// What a handler works with.
pub struct Context<'a> {
    pub(super) supervisor: &'a mut Supervisor,
    pub(super) now: Now,
    pub(super) host: &'a mut dyn Host,
}

impl Supervisor {
    /// Takes a call from a client; its reply follows at once or when its wait is over.
    pub(super) fn receive(&mut self, reply: ReplyId, call: &Call, now: Now, host: &mut dyn Host) {
        let answer =
            dispatch(&mut Context { supervisor: self, now, host }, &call.method, &call.params);
        match answer {
            Ok(Answer::Wait(wait)) => {
                self.pending.push(Pending { reply, wait, put_off: false });
            }
            Ok(Answer::Value(value)) => {
                self.effects.push_back(Effect::Reply { reply, result: Ok(value) });
            }
            Err(fault) => self.effects.push_back(Effect::Reply { reply, result: Err(fault) }),
        }
    }
}

/// Finds the method and calls it (`xmlrpc.py: traverse`). Arity is checked before anything else; then, for all but
/// one `supervisor.*` method, that the supervisor is not on its way down.
pub(super) fn dispatch(
    context: &mut Context<'_>,
    name: &str,
    params: &[Value],
) -> Result<Answer, Fault> {
    let method = lookup(context.supervisor, name).ok_or(Fault::bare(FaultCode::UnknownMethod))?;
    if params.len() < method.required || params.len() > method.params.len() {
        return Err(Fault::bare(FaultCode::IncorrectParameters));
    }
    if context.supervisor.mood() != Mood::Running && !method.during_shutdown {
        return Err(Fault::bare(FaultCode::ShutdownState));
    }
    (method.handler)(context, params)
}

/// The method a dotted name means, if it is published here.
pub(super) fn lookup(supervisor: &Supervisor, name: &str) -> Option<&'static Method> {
    let (namespace, method) = name.split_once('.')?;
    let namespace = if namespace == "system" {
        Namespace::System
    } else if namespace == HOUSE_NAMESPACE
        || supervisor.rpcinterfaces.iter().any(|published| published == namespace)
    {
        Namespace::Supervisor
    } else if namespace == OWN_NAMESPACE {
        Namespace::Own
    } else {
        return None;
    };
    // A second dot or a leading underscore matches no name of the table.
    methods::METHODS
        .iter()
        .find(|candidate| candidate.namespace == namespace && candidate.name == method)
}
