//! The `supervisor.*` and `system.*` methods: who may be called, with what, and what it answers.
//!
//! [`methods`] is the one table of names, signatures and help; [`process`], [`batch`], [`logs`] and [`system`] hold
//! the handlers; [`single`] does to one process what several of them want; [`pending`] holds the calls that answer later,
//! [`wait`] says what they wait for and [`tickets`] who waits for what; [`weight`] knows how big answers may be.

mod batch;
mod control;
mod logs;
pub mod methods;
mod multi;
mod params;
pub(super) mod pending;
mod process;
mod single;
mod system;
mod tickets;
pub(super) mod wait;
pub mod weight;

use super::effect::{Call, Effect, ReplyId};
use super::fault::{Fault, FaultCode};
use super::outside::Outside;
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;
use methods::{Method, Namespace};
use pending::Calls;
use wait::Answer;

/// The namespace under which the web interface calls, however the configuration publishes the main interface, if at
/// all. No client can spell it: XML has no such character.
pub const HOUSE_NAMESPACE: &str = "\0";

impl Calls {
    /// Takes a call from a client; its reply follows at once or when its wait is over.
    pub(super) fn receive(
        &mut self,
        reply: ReplyId,
        call: &Call,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
    ) {
        match dispatch(supervisor, outside, &call.method, &call.params) {
            Ok(Answer::Wait(wait)) => self.wait(reply, wait),
            Ok(Answer::Value(value)) => outside.effect(Effect::Reply { reply, result: Ok(value) }),
            Err(fault) => outside.effect(Effect::Reply { reply, result: Err(fault) }),
        }
    }
}

/// Finds the method and calls it (`xmlrpc.py: traverse`). Arity is checked before anything else; then, for all but
/// one `supervisor.*` method, that the supervisor is not on its way down.
pub(super) fn dispatch(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    name: &str,
    params: &[Value],
) -> Result<Answer, Fault> {
    let method = lookup(supervisor, name).ok_or(Fault::bare(FaultCode::UnknownMethod))?;
    if params.len() < method.required || params.len() > method.params.len() {
        return Err(Fault::bare(FaultCode::IncorrectParameters));
    }
    if supervisor.mood() != Mood::Running && !method.during_shutdown {
        return Err(Fault::bare(FaultCode::ShutdownState));
    }
    (method.handler)(supervisor, outside, params)
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
    } else {
        return None;
    };
    // A second dot or a leading underscore matches no name of the table.
    methods::METHODS
        .iter()
        .find(|candidate| candidate.namespace == namespace && candidate.name == method)
}
