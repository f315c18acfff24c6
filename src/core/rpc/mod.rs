//! The `supervisor.*` and `system.*` methods, and those of our own: who may be called, with what, and what it answers.
//!
//! [`methods`] is the one table of names, signatures and help; [`process`], [`batch`], [`logs`] and [`system`] hold
//! the handlers; [`single`] does to one process what several of them want; [`pending`] holds the calls that answer later,
//! [`wait`] says what they wait for and [`tickets`] who waits for what; [`weight`] knows how big answers may be.

mod batch;
mod control;
mod logs;
pub(crate) mod methods;
mod multi;
mod params;
pub(super) mod pending;
mod plugins;
mod private;
mod process;
mod single;
mod system;
mod tickets;
pub(super) mod wait;
pub(crate) mod weight;

use super::effect::{Call, Caller, Effect, ReplyId};
use super::fault::{Fault, FaultCode};
use super::outside::Outside;
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;
use methods::{Method, Namespace, OWN_NAMESPACE, SUPERVISOR, SYSTEM};
use pending::Calls;
use wait::Answer;

pub(crate) use multi::MULTICALL;

impl Calls {
    /// Takes a call from a client; its reply follows at once or when its wait is over.
    pub(super) fn receive(
        &mut self,
        reply: ReplyId,
        call: &Call,
        supervisor: &mut Supervisor,
        outside: &mut Outside<'_>,
    ) {
        outside.caller = call.caller;
        match dispatch(supervisor, outside, &call.method, &call.params) {
            Ok(Answer::Wait(wait)) => self.wait(reply, call.caller, wait),
            Ok(Answer::Value(value)) => outside.effect(Effect::Reply { reply, result: Ok(value) }),
            Err(fault) => outside.effect(Effect::Reply { reply, result: Err(fault) }),
        }
    }
}

/// What the names of the methods of [`SYSTEM`] begin with, whatever a plugin is called.
const SYSTEM_PREFIX: &str = "system.";

/// Finds the method and calls it (`xmlrpc.py: traverse`). Arity is checked before anything else; then, for all but
/// one `supervisor.*` method, that the supervisor is not on its way down.
pub(super) fn dispatch(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    name: &str,
    params: &[Value],
) -> Result<Answer, Fault> {
    if !name.starts_with(SYSTEM_PREFIX)
        && let Some(called) = plugins::call(supervisor, outside, name, params)
    {
        return called;
    }
    let method = lookup(supervisor, outside, name).ok_or(Fault::bare(FaultCode::UnknownMethod))?;
    if params.len() < method.required || params.len() > method.params.len() {
        return Err(Fault::bare(FaultCode::IncorrectParameters));
    }
    if supervisor.mood() != Mood::Running && !method.during_shutdown {
        return Err(Fault::bare(FaultCode::ShutdownState));
    }
    (method.handler)(supervisor, outside, params)
}

/// The method that a dotted name means to the caller, if it means one.
pub(super) fn lookup(
    supervisor: &Supervisor,
    outside: &Outside<'_>,
    name: &str,
) -> Option<&'static Method> {
    find(&supervisor.rpcinterfaces, outside.caller, name)
}

fn find(published: &[String], caller: Caller, name: &str) -> Option<&'static Method> {
    let (namespace, method) = name.split_once('.')?;
    let is_main = || match caller {
        Caller::Client(_) => published.iter().any(|name| name == namespace),
        Caller::Button | Caller::Plugin => namespace == SUPERVISOR,
    };
    let namespace = match namespace {
        SYSTEM => Namespace::System,
        _ if is_main() => Namespace::Supervisor,
        OWN_NAMESPACE
            if caller == Caller::Plugin
                && let Some(private) = private::find(method) =>
        {
            return Some(private);
        }
        OWN_NAMESPACE => Namespace::Own,
        _ => return None,
    };
    // A second dot or a leading underscore matches no name of the table.
    methods::find(namespace, method)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_what() {
        let renamed = ["main".to_string(), "other".to_string()];
        for (name, client, button) in [
            ("main.getState", true, false),
            ("other.getState", true, false),
            ("supervisor.getState", false, true),
            ("system.listMethods", true, true),
            ("system.getState", false, false),
            ("main.listMethods", false, false),
            ("supervisor.supervisor.getState", false, false),
            ("supervisor._getState", false, false),
            ("supervisord_rs.reopenLogs", true, true),
            ("supervisord_rs.getState", false, false),
            ("supervisor.reopenLogs", false, false),
            ("getState", false, false),
            (".getState", false, false),
        ] {
            let found = |caller| find(&renamed, caller, name).is_some();
            assert_eq!(
                (found(Caller::Client(0)), found(Caller::Button)),
                (client, button),
                "{name}"
            );
        }
    }
}
