//! The `supervisor.*` and `system.*` methods: who may be called, with what, and what it answers.
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
use super::effect::{Call, Caller, Effect, Host, ReplyId};
use super::fault::{Fault, FaultCode};
use super::states::Mood;
use super::supervisor::Supervisor;
use super::value::Value;
use methods::{Method, Namespace, SUPERVISOR, SYSTEM};
use pending::{Pending, Wait};

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
    /// Who made the call.
    pub(super) caller: Caller,
}

impl Supervisor {
    /// Takes a call from a client; its reply follows at once or when its wait is over.
    pub(super) fn receive(&mut self, reply: ReplyId, call: &Call, now: Now, host: &mut dyn Host) {
        let caller = call.caller;
        let mut context = Context { supervisor: self, now, host, caller };
        match dispatch(&mut context, &call.method, &call.params) {
            Ok(Answer::Wait(wait)) => {
                self.pending.push(Pending { reply, caller, wait, put_off: false });
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
    let method = lookup(context, name).ok_or(Fault::bare(FaultCode::UnknownMethod))?;
    if params.len() < method.required || params.len() > method.params.len() {
        return Err(Fault::bare(FaultCode::IncorrectParameters));
    }
    if context.supervisor.mood() != Mood::Running && !method.during_shutdown {
        return Err(Fault::bare(FaultCode::ShutdownState));
    }
    (method.handler)(context, params)
}

/// The method that a dotted name means to the caller, if it means one.
pub(super) fn lookup(context: &Context<'_>, name: &str) -> Option<&'static Method> {
    find(&context.supervisor.rpcinterfaces, context.caller, name)
}

fn find(published: &[String], caller: Caller, name: &str) -> Option<&'static Method> {
    let (namespace, method) = name.split_once('.')?;
    let is_main = || match caller {
        Caller::Client => published.iter().any(|name| name == namespace),
        Caller::Button => namespace == SUPERVISOR,
    };
    let namespace = match namespace {
        SYSTEM => Namespace::System,
        _ if is_main() => Namespace::Supervisor,
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
            ("getState", false, false),
            (".getState", false, false),
        ] {
            let found = |caller| find(&renamed, caller, name).is_some();
            assert_eq!((found(Caller::Client), found(Caller::Button)), (client, button), "{name}");
        }
    }
}
