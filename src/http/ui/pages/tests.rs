//! What the pages say, and what they must never say.

use std::collections::HashMap;

use super::{Frame, log, program, status};
use crate::core::info::ProcessInfo;
use crate::core::overview::{About, Overview, Program};
use crate::core::states::{Mood, ProcessState};
use crate::core::value::Value;
use crate::daemon::usage::Usage;

const HOSTILE: &str = "<script>\"'&";

fn process(group: &str, name: &str, state: ProcessState) -> ProcessInfo {
    ProcessInfo {
        group: group.to_string(),
        name: name.to_string(),
        state,
        description: format!("about {name}"),
        pid: (state == ProcessState::Running).then_some(7),
        start_secs: 100,
        stop_secs: 0,
        now_secs: 200,
        exit_status: None,
        spawn_error: String::new(),
        stdout_logfile: None,
        stderr_logfile: None,
    }
}

fn frame() -> Frame<'static> {
    Frame { identifier: "here", mood: Mood::Running, message: Some("<b>done"), token: "SECRET" }
}

fn status_page(processes: Vec<ProcessInfo>) -> String {
    let about = About { mood: Mood::Running, identifier: "here".to_string() };
    let overview = Overview { about, pid: 1, now_millis: 200_000, processes };
    let usage = Usage { cpu_millis: 2500, memory_bytes: 3 << 20, measured: 200_000 };
    let usage = HashMap::from([(7, usage)]);
    let page = status::render(&overview, &usage, &frame()).into_string();
    // The templates are for the script.
    page.split("<template").next().unwrap_or_default().to_string()
}

/// The values of the buttons of a process, in order.
fn actions(state: ProcessState) -> Vec<String> {
    let page = status_page(vec![process("p", "p", state)]);
    let row = page.split("<tbody").nth(1).unwrap();
    row.split("name=\"action\" value=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap().to_string())
        .collect()
}

#[test]
fn the_reference_s_actions_of_each_state() {
    for state in ProcessState::ALL {
        let expected: &[&str] = match state {
            ProcessState::Running => &["restart", "stop", "clearlog"],
            ProcessState::Stopped | ProcessState::Exited | ProcessState::Fatal => {
                &["start", "clearlog"]
            }
            ProcessState::Starting
            | ProcessState::Backoff
            | ProcessState::Stopping
            | ProcessState::Unknown => &["clearlog"],
        };
        assert_eq!(actions(state), expected, "{state:?}");
    }
}

#[test]
fn programs_without_a_group_come_first() {
    let running = |group, name| process(group, name, ProcessState::Running);
    let page = status_page(vec![running("a", "a_1"), running("a", "a_2"), running("b", "b")]);
    let places = ["data-namespec=\"b\"", "data-group=\"a\"", "\"a:a_1\"", "\"a:a_2\""]
        .map(|text| page.find(text).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(page.contains("2.5 %") && page.contains("3.0 MB"));
}

#[test]
fn a_group_has_all_its_members() {
    let running = |group, name| process(group, name, ProcessState::Running);
    let page = status_page(vec![
        running("alone", "alone"),
        running("other", "one"),
        running("web", "web"),
        running("web", "worker"),
    ]);
    let bodies: Vec<&str> = page.split("<tbody").skip(1).collect();
    let [single, other, web] = bodies[..] else { panic!("{} bodies", bodies.len()) };
    assert!(single.contains("data-namespec=\"alone\"") && !single.contains("\"web\""));
    assert!(other.contains("data-group=\"other\"") && other.contains("\"other:one\""));
    assert!(web.contains("data-namespec=\"web\"") && web.contains("\"web:worker\""));
    assert!(web.contains("<span class=\"count\">2</span> of <span class=\"total\">2</span>"));
    assert!(web.contains("Stop all <span class=\"total\">2</span> processes of <b>web</b>?"));
}

#[test]
fn nothing_to_manage_is_said_only_then() {
    assert!(status_page(vec![]).contains("No programs to manage"));
    assert!(!status_page(vec![process("p", "p", ProcessState::Running)]).contains("No programs"));
}

#[test]
fn everything_from_outside_is_escaped() {
    let mut info = process(HOSTILE, HOSTILE, ProcessState::Exited);
    info.description = HOSTILE.to_string();
    info.spawn_error = HOSTILE.to_string();
    info.stdout_logfile = Some(HOSTILE.to_string());
    let settings = vec![("command".to_string(), Value::str(HOSTILE))];
    let source = log::Source::Program { namespec: HOSTILE, channel: "stdout" };
    for page in [
        status_page(vec![info.clone()]),
        program::render(&Program { info, settings }, &frame()).into_string(),
        log::render(&source, HOSTILE, 1024, &frame()).into_string(),
    ] {
        assert!(!page.contains("<script>") && !page.contains("\"'") && !page.contains("<b>done"));
        assert!(page.contains("&lt;script&gt;") && page.contains("%3Cscript%3E%22%27%26"));
        assert!(!page.contains("href=\"/") && !page.contains("action=\"/"), "an absolute link");
        assert!(!page.contains("style=") && !page.contains(" on"), "something inline");
    }
}

#[test]
fn a_log_comes_out_of_the_browser_as_it_went_in() {
    let shown = |text| {
        let page = log::render(&log::Source::Main, text, 1024, &frame()).into_string();
        let pre = page.split_once("<pre").unwrap().1.split_once('>').unwrap().1;
        pre.split("</pre>").next().unwrap().to_string()
    };
    assert_eq!(shown("a\nb & c\n"), "a\nb &amp; c\n");
    // The parser drops a first line feed, and makes line feeds of carriage returns.
    assert_eq!(shown("\n\na\r\nb"), "\n\n\na&#13;\nb");
}
