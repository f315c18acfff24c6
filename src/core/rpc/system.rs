//! The `system.*` methods: introspection and multicall.

use super::lookup;
use super::methods::{METHODS, Method, Namespace};
use super::multi::Multi;
use super::plugins;
use super::wait::{Answer, Wait};
use crate::core::fault::{Fault, FaultCode};
use crate::core::outside::Outside;
use crate::core::plugins::PluginMethod;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

pub(super) fn list_methods(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    _: &[Value],
) -> Result<Answer, Fault> {
    let mut names: Vec<String> = Vec::new();
    for method in METHODS {
        match method.namespace {
            Namespace::System => names.push(format!("system.{}", method.name)),
            Namespace::Supervisor => {
                let published = supervisor.rpcinterfaces.iter();
                names.extend(published.map(|namespace| format!("{namespace}.{}", method.name)));
            }
            Namespace::Own => {}
        }
    }
    let listed = plugins::listed(supervisor, outside.caller);
    names.extend(listed.map(|(namespace, method)| format!("{namespace}.{}", method.name)));
    names.sort();
    names.dedup();
    Ok(Answer::Value(Value::Array(names.into_iter().map(Value::Str).collect())))
}

fn known(
    supervisor: &Supervisor,
    outside: &Outside<'_>,
    name: &Value,
) -> Result<&'static Method, Fault> {
    let unknown = Fault::bare(FaultCode::SignatureUnsupported);
    let Value::Str(name) = name else {
        return Err(unknown);
    };
    lookup(supervisor, outside, name).ok_or(unknown)
}

fn of_plugin<'a>(
    supervisor: &'a Supervisor,
    outside: &Outside<'_>,
    name: &Value,
) -> Option<&'a PluginMethod> {
    let Value::Str(name) = name else {
        return None;
    };
    plugins::described(supervisor, outside.caller, name)
}

pub(super) fn method_help(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    if let Some(method) = of_plugin(supervisor, outside, &args[0]) {
        return Ok(Answer::Value(Value::str(&method.help)));
    }
    let method = known(supervisor, outside, &args[0])?;
    let mut help = format!(" {}\n\n", method.about);
    for param in method.params {
        help.push_str(&format!("        @param {} {}  {}\n", param.kind, param.name, param.about));
    }
    help.push_str(&format!("        @return {}\n        ", method.returns));
    Ok(Answer::Value(Value::Str(help)))
}

pub(super) fn method_signature(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    if let Some(method) = of_plugin(supervisor, outside, &args[0]) {
        let types = method.signature.as_ref();
        let types = types.ok_or(Fault::bare(FaultCode::SignatureUnsupported))?;
        return Ok(Answer::Value(Value::Array(types.iter().map(Value::str).collect())));
    }
    let method = known(supervisor, outside, &args[0])?;
    let types = std::iter::once(method.returns).chain(method.params.iter().map(|param| param.kind));
    Ok(Answer::Value(Value::Array(types.map(Value::str).collect())))
}

pub(super) fn multicall(
    _: &mut Supervisor,
    _: &mut Outside<'_>,
    args: &[Value],
) -> Result<Answer, Fault> {
    let Value::Array(calls) = &args[0] else {
        return Err(Fault::bare(FaultCode::IncorrectParameters));
    };
    Ok(Answer::Wait(Wait::Multi(Multi::new(calls)?)))
}
