//! The `system.*` methods: introspection and multicall.

use super::methods::{METHODS, Method, Namespace};
use super::pending::{Multi, Wait};
use super::{Answer, Context, lookup};
use crate::core::fault::{Fault, FaultCode};
use crate::core::value::Value;

pub(super) fn list_methods(context: &mut Context<'_>, _: &[Value]) -> Result<Answer, Fault> {
    let mut names: Vec<String> = Vec::new();
    for method in METHODS {
        match method.namespace {
            Namespace::System => names.push(format!("system.{}", method.name)),
            Namespace::Supervisor => {
                let published = context.supervisor.rpcinterfaces.iter();
                names.extend(published.map(|namespace| format!("{namespace}.{}", method.name)));
            }
            Namespace::Own => {}
        }
    }
    names.sort();
    names.dedup();
    Ok(Answer::Value(Value::Array(names.into_iter().map(Value::Str).collect())))
}

fn known(context: &Context<'_>, name: &Value) -> Result<&'static Method, Fault> {
    let method = match name {
        Value::Str(name) => lookup(context.supervisor, name),
        _ => None,
    };
    method.ok_or(Fault::bare(FaultCode::SignatureUnsupported))
}

pub(super) fn method_help(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    let method = known(context, &args[0])?;
    let mut help = format!(" {}\n\n", method.about);
    for param in method.params {
        help.push_str(&format!("        @param {} {}  {}\n", param.kind, param.name, param.about));
    }
    help.push_str(&format!("        @return {}\n        ", method.returns));
    Ok(Answer::Value(Value::Str(help)))
}

pub(super) fn method_signature(context: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    let method = known(context, &args[0])?;
    let types = std::iter::once(method.returns).chain(method.params.iter().map(|param| param.kind));
    Ok(Answer::Value(Value::Array(types.map(Value::str).collect())))
}

pub(super) fn multicall(_: &mut Context<'_>, args: &[Value]) -> Result<Answer, Fault> {
    match &args[0] {
        Value::Array(calls) => Ok(Answer::Wait(Wait::Multi(Multi::new(calls)?))),
        _ => Err(Fault::bare(FaultCode::IncorrectParameters)),
    }
}
