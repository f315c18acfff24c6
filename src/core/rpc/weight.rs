//! How much memory the answer to a call may take: known before the call is made, so that it can wait or be refused.

use super::methods::{self, Namespace, SYSTEM};
use crate::core::effect::Call;
use crate::core::info::Extent;
use crate::core::value::Value;

/// Bytes that the results of one multicall may hold together.
pub(crate) const MULTICALL_BYTES: usize = 8 << 20;

/// Bytes that the result of a part of a multicall holds at least: a fault, whose text is no longer than a line.
pub(super) const FAULT_BYTES: usize = 384;

/// What decides how big the answer of a method is; a column of the table of methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Size {
    /// It is small, or small for each process and known only when the call is over.
    Small,
    /// A description of every process.
    Infos,
    /// The configuration of every process.
    Configs,
    /// Part of a log, as much as the last two parameters ask for; `true` where a negative offset means the end.
    Log {
        /// It is read, not tailed.
        from_end: bool,
    },
    /// The results of the calls in its one parameter.
    Results,
}

/// What an answer may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// So many bytes, made at once.
    House(usize),
    /// So many bytes of a log; without a bound that of the file.
    Log(u64),
    /// So many bytes for the calls that are to be made and their results, which may take their time; how much of logs is
    /// to be read for them.
    Multicall {
        /// Calls and results.
        bytes: usize,
        /// Logs.
        logs: u64,
    },
}

/// Weighs a call, whatever its interface is published as.
pub(crate) fn weigh(call: &Call, extent: &Extent) -> Weight {
    match (size_of(&call.method), call.params.as_slice()) {
        (Size::Results, [calls @ Value::Array(parts)]) => {
            let (mut results, mut logs) = (0usize, 0u64);
            for part in parts {
                let bytes = match weigh_part(part, extent) {
                    Weight::Log(bytes) => {
                        logs = logs.saturating_add(bytes);
                        usize::try_from(bytes).unwrap_or(usize::MAX)
                    }
                    Weight::House(bytes) | Weight::Multicall { bytes, .. } => bytes,
                };
                results = results.saturating_add(bytes.max(FAULT_BYTES));
            }
            let bytes = calls.held_bytes() + results.min(MULTICALL_BYTES);
            Weight::Multicall { bytes, logs }
        }
        (size, params) => match weigh_one(size, params, extent) {
            // Faults quote what was sent.
            Weight::House(bytes) => Weight::House(bytes + params_bytes(params)),
            weight @ (Weight::Log(_) | Weight::Multicall { .. }) => weight,
        },
    }
}

/// Weighs a part of a multicall.
pub(super) fn weigh_part(part: &Value, extent: &Extent) -> Weight {
    let params = match part.member("params") {
        Some(Value::Array(params)) => params.as_slice(),
        _ => &[],
    };
    match part.member("methodName") {
        Some(Value::Str(method)) => weigh_one(size_of(method), params, extent),
        _ => Weight::House(0),
    }
}

/// What the table says of a method, whatever its interface is published as; the answer of an unknown one is a fault.
fn size_of(method: &str) -> Size {
    let known = method.split_once('.').and_then(|(namespace, name)| {
        let namespace = if namespace == SYSTEM { Namespace::System } else { Namespace::Supervisor };
        methods::find(namespace, name)
    });
    known.map_or(Size::Small, |method| method.size)
}

fn weigh_one(size: Size, params: &[Value], extent: &Extent) -> Weight {
    match size {
        // A multicall of something else than calls, or within another, is a fault.
        Size::Small | Size::Results => Weight::House(0),
        Size::Infos => Weight::House(extent.info_bytes),
        Size::Configs => Weight::House(extent.config_bytes),
        Size::Log { from_end } => Weight::Log(log_bytes(params, from_end)),
    }
}

fn log_bytes(params: &[Value], from_end: bool) -> u64 {
    match params {
        [.., Value::Int(_), Value::Int(length)] if *length > 0 => length.unsigned_abs(),
        [.., Value::Int(offset), Value::Int(0)] if from_end && *offset < 0 => offset.unsigned_abs(),
        _ => u64::MAX,
    }
}

fn params_bytes(params: &[Value]) -> usize {
    params.iter().map(Value::held_bytes).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::effect::Caller;

    const EXTENT: Extent = Extent { info_bytes: 70_000, config_bytes: 200_000, descriptors: 0 };

    fn call(method: &str, params: Vec<Value>) -> Call {
        Call { caller: Caller::Client(0), method: method.to_string(), params }
    }

    #[test]
    fn what_an_answer_may_carry() {
        let name = Value::str("cat");
        let ints = |offset, length| vec![name.clone(), Value::Int(offset), Value::Int(length)];
        for (method, params, weight) in [
            ("supervisor.getState", vec![], Weight::House(0)),
            ("supervisor.getAllProcessInfo", vec![], Weight::House(70_000)),
            ("renamed.getAllConfigInfo", vec![], Weight::House(200_000)),
            ("supervisor.nonsense", vec![], Weight::House(0)),
            ("system.getAllProcessInfo", vec![], Weight::House(0)),
            ("system.multicall", vec![], Weight::House(0)),
            ("supervisor.readProcessStdoutLog", ints(0, 0), Weight::Log(u64::MAX)),
            ("renamed.readProcessStdoutLog", ints(7, 100), Weight::Log(100)),
            ("supervisor.readProcessLog", ints(-1600, 0), Weight::Log(1600)),
            ("supervisor.tailProcessLog", ints(0, 1024), Weight::Log(1024)),
            ("supervisor.tailProcessLog", ints(i64::MIN, 0), Weight::Log(u64::MAX)),
            ("supervisor.readLog", vec![Value::Int(i64::MIN), Value::Int(0)], Weight::Log(1 << 63)),
            ("supervisor.readLog", vec![], Weight::Log(u64::MAX)),
        ] {
            assert_eq!(weigh(&call(method, params), &EXTENT), weight, "{method}");
        }
    }

    #[test]
    fn what_a_multicall_may_carry() {
        let part = |method: &str, params: Vec<Value>| {
            Value::Struct(vec![
                ("methodName".to_string(), Value::str(method)),
                ("params".to_string(), Value::Array(params)),
            ])
        };
        let read = |length| part("supervisor.readLog", vec![Value::Int(0), Value::Int(length)]);
        let info = || part("supervisor.getAllProcessInfo", vec![]);
        let weight = |parts: Vec<Value>| {
            let parts = Value::Array(parts);
            let calls = parts.held_bytes();
            let weight = weigh(&call("system.multicall", vec![parts]), &EXTENT);
            let Weight::Multicall { bytes, logs } = weight else { panic!("{weight:?}") };
            (bytes - calls, logs)
        };
        assert_eq!(weight(vec![read(5000), read(7), Value::Nil]), (5000 + 2 * FAULT_BYTES, 5007));
        assert_eq!(weight(vec![info(), info()]), (140_000, 0));
        assert_eq!(weight(vec![read(0)]), (MULTICALL_BYTES, u64::MAX));
        assert_eq!(weight((0..1000).map(|_| info()).collect()), (MULTICALL_BYTES, 0));
    }

    #[test]
    fn a_fault_is_as_small_as_it_is_counted() {
        let text = "SHUTDOWN_STATE: the results of one multicall hold 8 MiB at most";
        let fault = crate::core::info::record([
            ("faultCode", Value::Int(6)),
            ("faultString", Value::str(text)),
        ]);
        assert!(fault.held_bytes() <= FAULT_BYTES, "{}", fault.held_bytes());
    }
}
