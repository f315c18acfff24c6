//! Everything that is told: one row for each family, in the order of the answer.
//!
//! The first four have the names and the meaning of node_exporter's supervisord collector, so that its rules and boards
//! work as they are. Names of the daemon's own are those that client libraries give every program.

use super::scene::Scene;
use super::text::{Kind, Millis, Page};
use crate::core::census::{Counted, CountedPool};
use crate::core::listener::ListenerState;
use crate::core::states::{Mood, ProcessState};
use crate::daemon::usage::Usage;
use crate::{SUPERVISOR_VERSION, VERSION};

/// A family of numbers.
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// One line.
    pub(super) help: &'static str,
    pub(super) lines: Lines,
}

/// What writes the lines of a family.
#[derive(Clone, Copy)]
pub(super) enum Lines {
    /// Those of the house.
    House(fn(&mut Page, &Scene)),
    /// Those of one process.
    Process(fn(&mut Page, &Counted, Option<Usage>)),
    /// Those of one pool.
    Pool(fn(&mut Page, &CountedPool)),
}

const fn family(name: &'static str, kind: Kind, help: &'static str, lines: Lines) -> Family {
    Family { name, kind, help, lines }
}

/// All of them.
pub(super) const FAMILIES: &[Family] = &[
    family(
        "node_supervisord_up",
        Kind::Gauge,
        "1 while there is a process: in STARTING, RUNNING and STOPPING; else 0.",
        Lines::Process(|page, process, _| page.line(&labels(process), u8::from(is_up(process)))),
    ),
    family(
        "node_supervisord_state",
        Kind::Gauge,
        "State as the code that getProcessInfo answers, e.g. 20 for RUNNING.",
        Lines::Process(|page, process, _| page.line(&labels(process), process.state.code())),
    ),
    family(
        "node_supervisord_exit_status",
        Kind::Gauge,
        "Exit status of the last end, -1 after a death by a signal; 0 since a start, too.",
        Lines::Process(|page, process, _| page.line(&labels(process), process.exit_status)),
    ),
    family(
        "node_supervisord_start_time_seconds",
        Kind::Gauge,
        "When the process was started, in seconds since 1970; while there is one.",
        Lines::Process(|page, process, _| {
            if is_up(process) {
                page.line(&labels(process), process.start_secs);
            }
        }),
    ),
    family(
        "supervisord_process_restarts_total",
        Kind::Counter,
        "Starts that nobody asked for: after an end of its own, or a start that came to nothing.",
        Lines::Process(|page, process, _| page.line(&labels(process), process.restarts)),
    ),
    family(
        "supervisord_process_spawn_failures_total",
        Kind::Counter,
        "Starts that yielded no process: no such command, no permission.",
        Lines::Process(|page, process, _| page.line(&labels(process), process.spawn_failures)),
    ),
    family(
        "supervisord_process_cpu_seconds_total",
        Kind::Counter,
        "Processor time of the process since it was started, without its children.",
        Lines::Process(|page, process, usage| {
            if let Some(usage) = usage {
                page.line(&labels(process), Millis(usage.cpu_millis));
            }
        }),
    ),
    family(
        "supervisord_process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory of the process, without its children.",
        Lines::Process(|page, process, usage| {
            if let Some(usage) = usage {
                page.line(&labels(process), usage.memory_bytes);
            }
        }),
    ),
    family(
        "supervisord_log_written_bytes_total",
        Kind::Counter,
        "Bytes written to the log file of a channel.",
        Lines::Process(|page, process, _| {
            for (channel, written, _) in process.logs() {
                let [name, group] = labels(process);
                page.line(&[name, group, ("channel", channel.name())], written);
            }
        }),
    ),
    family(
        "supervisord_log_dropped_bytes_total",
        Kind::Counter,
        "Bytes for the log file of a channel that were lost: it could not be written, or not fast enough.",
        Lines::Process(|page, process, _| {
            for (channel, _, dropped) in process.logs() {
                let [name, group] = labels(process);
                page.line(&[name, group, ("channel", channel.name())], dropped);
            }
        }),
    ),
    family(
        "supervisord_event_buffer_events",
        Kind::Gauge,
        "Events that wait for a listener of the pool.",
        Lines::Pool(|page, pool| page.line(&[("group", &pool.group)], pool.waiting)),
    ),
    family(
        "supervisord_event_buffer_capacity",
        Kind::Gauge,
        "Most events that may wait: buffer_size of the pool.",
        Lines::Pool(|page, pool| page.line(&[("group", &pool.group)], pool.capacity)),
    ),
    family(
        "supervisord_events_total",
        Kind::Counter,
        "Events that occurred for the pool.",
        Lines::Pool(|page, pool| page.line(&[("group", &pool.group)], pool.accepted)),
    ),
    family(
        "supervisord_events_dropped_total",
        Kind::Counter,
        "Events that were dropped because the buffer of the pool was full.",
        Lines::Pool(|page, pool| page.line(&[("group", &pool.group)], pool.discarded)),
    ),
    family(
        "supervisord_listener_state",
        Kind::Gauge,
        "1 for the state an event listener is in, 0 for the others.",
        Lines::Pool(|page, pool| {
            for (name, state) in &pool.listeners {
                for one in ListenerState::ALL {
                    let labels =
                        [("name", name.as_str()), ("group", &pool.group), ("state", one.name())];
                    page.line(&labels, u8::from(*state == one));
                }
            }
        }),
    ),
    family(
        "supervisord_rpc_duration_seconds",
        Kind::Histogram,
        "From a call over XML-RPC that was read to its answer, by method.",
        Lines::House(|page, scene| {
            scene.latencies.iter().for_each(|latencies| latencies.write(page));
        }),
    ),
    family(
        "supervisord_http_connections",
        Kind::Gauge,
        "Open connections of all HTTP servers.",
        Lines::House(|page, scene| page.line(&[], scene.connections.0)),
    ),
    family(
        "supervisord_http_accepted_total",
        Kind::Counter,
        "Connections that the HTTP servers have accepted.",
        Lines::House(|page, scene| page.line(&[], scene.connections.1)),
    ),
    family(
        "supervisord_mood",
        Kind::Gauge,
        "1 for what the daemon is doing, as getState names it, 0 for the others.",
        Lines::House(|page, scene| {
            for mood in Mood::ALL {
                page.line(&[("mood", mood.name())], u8::from(scene.census.mood == mood));
            }
        }),
    ),
    family(
        "supervisord_build_info",
        Kind::Gauge,
        "Always 1; the version, and the release of Supervisor it is compatible with.",
        Lines::House(|page, _| {
            page.line(&[("version", VERSION), ("supervisor_version", SUPERVISOR_VERSION)], 1);
        }),
    ),
    family(
        "process_cpu_seconds_total",
        Kind::Counter,
        "Processor time of the daemon.",
        Lines::House(|page, scene| {
            if let Some(usage) = scene.own_usage {
                page.line(&[], Millis(usage.cpu_millis));
            }
        }),
    ),
    family(
        "process_resident_memory_bytes",
        Kind::Gauge,
        "Resident memory of the daemon.",
        Lines::House(|page, scene| {
            if let Some(usage) = scene.own_usage {
                page.line(&[], usage.memory_bytes);
            }
        }),
    ),
    family(
        "process_open_fds",
        Kind::Gauge,
        "Open descriptors of the daemon.",
        Lines::House(|page, scene| {
            scene.own.open_fds.into_iter().for_each(|fds| page.line(&[], fds))
        }),
    ),
    family(
        "process_max_fds",
        Kind::Gauge,
        "Most descriptors that the daemon may have open.",
        Lines::House(|page, scene| {
            scene.own.max_fds.into_iter().for_each(|fds| page.line(&[], fds))
        }),
    ),
    family(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the daemon was started, in seconds since 1970.",
        Lines::House(|page, scene| {
            scene.own.start_millis.into_iter().for_each(|start| page.line(&[], Millis(start)));
        }),
    ),
];

/// Who a line is about.
fn labels(process: &Counted) -> [(&str, &str); 2] {
    [("name", process.name()), ("group", process.group())]
}

/// As node_exporter counts.
fn is_up(process: &Counted) -> bool {
    match process.state {
        ProcessState::Starting | ProcessState::Running | ProcessState::Stopping => true,
        ProcessState::Stopped
        | ProcessState::Backoff
        | ProcessState::Exited
        | ProcessState::Fatal
        | ProcessState::Unknown => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_helps_are_as_the_format_wants_them() {
        let mut names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
        for family in FAMILIES {
            let allowed = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(family.name.chars().all(allowed), "{}", family.name);
            assert_eq!(
                family.name.ends_with("_total"),
                family.kind == Kind::Counter,
                "{}",
                family.name
            );
            assert!(
                !family.help.contains(['\n', '\\']) && family.help.ends_with('.'),
                "{}",
                family.name
            );
        }
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len());
    }
}
