//! What is said to the helper, and what its answers mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::plan::Plan;
use crate::core::config::{Credentials, Factory, ServerAddress, ServerConfig};
use crate::core::effect::{Call, Caller, Verdict};
use crate::core::event::Event;
use crate::core::fault::{Fault, FaultCode};
use crate::core::plugins::PluginCall;
use crate::core::result_handler::Judgement;
use crate::core::rpc::methods::OWN_NAMESPACE;
use crate::core::value::Value;
use crate::xmlrpc::{Response, parse_response, write_call};

fn record<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Struct(members.map(|(name, value)| (name.to_string(), value)).into())
}

fn number(number: u64) -> Value {
    Value::Double(number as f64) // beyond 32 bits an integer is none on the wire
}

/// Bytes that need not be text.
fn bytes(bytes: &[u8]) -> Value {
    Value::Str(STANDARD.encode(bytes))
}

/// A call of what only the helper may call, or of what the keeper says in its place.
pub(super) fn private(method: &str, params: Vec<Value>) -> Call {
    Call { caller: Caller::Plugin, method: format!("{OWN_NAMESPACE}.{method}"), params }
}

/// The first thing it is told: which plugins to make for which servers.
pub(super) fn start(plan: &Plan) -> Vec<u8> {
    let interface = |name: &String, spec: &String, options: &[(String, String)]| {
        let options = options.iter().map(|(name, value)| (name.clone(), Value::str(value)));
        record([
            ("name", Value::str(name)),
            ("spec", Value::str(spec)),
            ("options", Value::Struct(options.collect())),
        ])
    };
    let interfaces = plan.interfaces.iter().filter_map(|it| match &it.factory {
        Factory::Main => None,
        Factory::Python { spec, options } => Some(interface(&it.name, spec, options)),
    });
    let handlers = plan.handlers.iter().map(|(section, spec)| {
        record([("section", Value::str(section)), ("spec", Value::str(spec))])
    });
    let told = record([
        ("servers", Value::Array(plan.servers.iter().map(server).collect())),
        ("interfaces", Value::Array(interfaces.collect())),
        ("handlers", Value::Array(handlers.collect())),
    ]);
    write_call("start", &[told])
}

/// A server as `options.server_configs` has it.
fn server(config: &ServerConfig) -> Value {
    let optional = |text: Option<&String>| text.map_or(Value::Nil, Value::str);
    let credentials = config.credentials.as_ref();
    let mut members = match &config.address {
        ServerAddress::Inet { host, port } => record([
            ("host", Value::str(host)),
            ("port", Value::Int(i64::from(*port))),
            ("family", Value::str("inet")),
        ]),
        ServerAddress::Unix { path, chmod, .. } => record([
            ("file", Value::str(path)),
            ("chmod", Value::Int(i64::from(*chmod))),
            ("family", Value::str("unix")),
        ]),
    };
    let more = [
        ("section", Value::str(&config.section)),
        ("username", optional(credentials.map(|Credentials { username, .. }| username))),
        ("password", optional(credentials.map(|Credentials { password, .. }| password))),
    ];
    if let Value::Struct(members) = &mut members {
        members.extend(more.map(|(name, value)| (name.to_string(), value)));
    }
    members
}

/// A method is to be called.
pub(super) fn call(call: PluginCall) -> Vec<u8> {
    let PluginCall { server, namespace, method, params } = call;
    let server = Value::Int(i64::try_from(server).unwrap_or(i64::MAX));
    write_call("call", &[server, Value::Str(namespace), Value::Str(method), Value::Array(params)])
}

/// A result is to be judged.
pub(super) fn judge(verdict: &Verdict) -> Vec<u8> {
    let Verdict { handler, event, serial, pool: (pool, pool_serial), result } = verdict;
    let told = record([
        ("eventname", Value::str(event.kind().name())),
        ("payload", bytes(event.payload().as_bytes())),
        ("serial", number(*serial)),
        ("pool", Value::str(pool)),
        ("poolserial", number(*pool_serial)),
    ]);
    write_call("judge", &[Value::str(handler), told, bytes(result)])
}

/// An event has occurred.
pub(super) fn event(event: &Event) -> Vec<u8> {
    write_call("event", &[Value::str(event.kind().name()), bytes(event.payload().as_bytes())])
}

/// What it answered. An error is what is no answer, in words.
pub(super) fn answer(document: &[u8]) -> Result<Result<Value, Fault>, String> {
    let unreadable = |_| "the daemon cannot read the answer".to_string();
    Ok(match parse_response(document).map_err(unreadable)? {
        Response::Value(value) => Ok(value),
        Response::Fault { code, text } => {
            let number = i32::try_from(code).unwrap_or(FAILED_CODE);
            let code = FaultCode::of_code(code).unwrap_or(FaultCode::Plugin(number));
            Err(Fault { code, text })
        }
    })
}

/// The number of FAILED.
const FAILED_CODE: i32 = 30;

/// What it made of a result. A handler that could not be asked rejects, so that the event is not lost.
pub(super) fn judgement(answer: &Result<Value, Fault>) -> Judgement {
    match answer {
        Ok(Value::Str(word)) if word == "accepted" => Judgement::Accepted { print: Vec::new() },
        Ok(Value::Str(word)) if word == "failed" => Judgement::Failed,
        Ok(_) | Err(_) => Judgement::Rejected,
    }
}
