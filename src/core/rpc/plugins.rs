//! Methods of plugins, which a helper process answers.

use super::wait::{Answer, job};
use crate::core::effect::{Caller, Job};
use crate::core::fault::{Fault, FaultCode};
use crate::core::outside::Outside;
use crate::core::plugins::{PluginCall, PluginMethod};
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// The call of a plugin's method, if it is one.
pub(super) fn call(
    supervisor: &mut Supervisor,
    outside: &mut Outside<'_>,
    name: &str,
    params: &[Value],
) -> Option<Result<Answer, Fault>> {
    let (namespace, method) = name.split_once('.')?;
    let Caller::Client(server) = outside.caller else {
        return None;
    };
    if !supervisor.plugins.has(namespace) {
        return None;
    }
    // As the reference has it: neither what is hidden nor what lies deeper.
    if method.starts_with('_') || method.contains('.') {
        return Some(Err(Fault::bare(FaultCode::UnknownMethod)));
    }
    let call = PluginCall {
        server,
        namespace: namespace.to_string(),
        method: method.to_string(),
        params: params.to_vec(),
    };
    Some(Ok(job(supervisor, outside, Job::Plugin(call))))
}

/// The method of a plugin as `system.*` tells of it.
pub(super) fn described<'a>(
    supervisor: &'a Supervisor,
    caller: Caller,
    name: &str,
) -> Option<&'a PluginMethod> {
    let (namespace, method) = name.split_once('.')?;
    listed(supervisor, caller)
        .find(|(of, known)| *of == namespace && known.name == method)
        .map(|(_, method)| method)
}

/// Everything that the server of the caller lists of plugins: namespaces and methods.
pub(super) fn listed(
    supervisor: &Supervisor,
    caller: Caller,
) -> impl Iterator<Item = (&str, &PluginMethod)> {
    let server = match caller {
        Caller::Client(server) => server,
        Caller::Button | Caller::Plugin => usize::MAX,
    };
    supervisor.plugins.published(server)
}
