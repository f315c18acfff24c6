//! Events: their types, who descends from whom, and what listeners get to read (`events.py`).

use std::borrow::Cow;
use std::io::Write;

use super::python::repr_bytes;
use super::states::ProcessState;
use super::text;

/// Every event type a listener may subscribe to (`events.py: EventTypes`), abstract ones included.
pub(crate) const EVENT_TYPES: [&str; 27] = [
    "EVENT",
    "PROCESS_STATE",
    "PROCESS_STATE_STOPPED",
    "PROCESS_STATE_EXITED",
    "PROCESS_STATE_STARTING",
    "PROCESS_STATE_STOPPING",
    "PROCESS_STATE_BACKOFF",
    "PROCESS_STATE_FATAL",
    "PROCESS_STATE_RUNNING",
    "PROCESS_STATE_UNKNOWN",
    "PROCESS_COMMUNICATION",
    "PROCESS_COMMUNICATION_STDOUT",
    "PROCESS_COMMUNICATION_STDERR",
    "PROCESS_LOG",
    "PROCESS_LOG_STDOUT",
    "PROCESS_LOG_STDERR",
    "REMOTE_COMMUNICATION",
    "SUPERVISOR_STATE_CHANGE",
    "SUPERVISOR_STATE_CHANGE_RUNNING",
    "SUPERVISOR_STATE_CHANGE_STOPPING",
    "TICK",
    "TICK_5",
    "TICK_60",
    "TICK_3600",
    "PROCESS_GROUP",
    "PROCESS_GROUP_ADDED",
    "PROCESS_GROUP_REMOVED",
];

/// Room for an ordinary header line.
const ENVELOPE_BYTES: usize = 192;

/// One of the output channels of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

impl Channel {
    /// As it is called in option names, messages and events.
    pub fn name(self) -> &'static str {
        match self {
            Channel::Stdout => "stdout",
            Channel::Stderr => "stderr",
        }
    }

    /// The channel of a name.
    pub fn named(name: &str) -> Option<Channel> {
        [Channel::Stdout, Channel::Stderr].into_iter().find(|channel| channel.name() == name)
    }
}

/// How often ticks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TickPeriod {
    /// TICK_5
    FiveSeconds,
    /// TICK_60
    Minute,
    /// TICK_3600
    Hour,
}

impl TickPeriod {
    /// Shortest first.
    pub const ALL: [TickPeriod; 3] =
        [TickPeriod::FiveSeconds, TickPeriod::Minute, TickPeriod::Hour];

    /// Its length in seconds.
    pub fn secs(self) -> u64 {
        match self {
            TickPeriod::FiveSeconds => 5,
            TickPeriod::Minute => 60,
            TickPeriod::Hour => 3600,
        }
    }
}

/// The types of events that occur; the abstract ones only have descendants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// A process entered this state.
    ProcessState(ProcessState),
    /// A process sent something between the capture tokens.
    Communication(Channel),
    /// A process printed something.
    Log(Channel),
    /// A client called `sendRemoteCommEvent`.
    RemoteCommunication,
    /// The supervisor is up.
    SupervisorRunning,
    /// The supervisor begins to stop everything.
    SupervisorStopping,
    /// Time went by.
    Tick(TickPeriod),
    /// A group became active.
    GroupAdded,
    /// A group is no longer active.
    GroupRemoved,
}

impl EventKind {
    /// The type and its ancestors, itself first, `EVENT` last.
    pub fn lineage(self) -> &'static [&'static str] {
        use ProcessState as S;
        match self {
            EventKind::ProcessState(state) => match state {
                S::Stopped => &["PROCESS_STATE_STOPPED", "PROCESS_STATE", "EVENT"],
                S::Exited => &["PROCESS_STATE_EXITED", "PROCESS_STATE", "EVENT"],
                S::Starting => &["PROCESS_STATE_STARTING", "PROCESS_STATE", "EVENT"],
                S::Stopping => &["PROCESS_STATE_STOPPING", "PROCESS_STATE", "EVENT"],
                S::Backoff => &["PROCESS_STATE_BACKOFF", "PROCESS_STATE", "EVENT"],
                S::Fatal => &["PROCESS_STATE_FATAL", "PROCESS_STATE", "EVENT"],
                S::Running => &["PROCESS_STATE_RUNNING", "PROCESS_STATE", "EVENT"],
                S::Unknown => &["PROCESS_STATE_UNKNOWN", "PROCESS_STATE", "EVENT"],
            },
            EventKind::Communication(Channel::Stdout) => {
                &["PROCESS_COMMUNICATION_STDOUT", "PROCESS_COMMUNICATION", "EVENT"]
            }
            EventKind::Communication(Channel::Stderr) => {
                &["PROCESS_COMMUNICATION_STDERR", "PROCESS_COMMUNICATION", "EVENT"]
            }
            EventKind::Log(Channel::Stdout) => &["PROCESS_LOG_STDOUT", "PROCESS_LOG", "EVENT"],
            EventKind::Log(Channel::Stderr) => &["PROCESS_LOG_STDERR", "PROCESS_LOG", "EVENT"],
            EventKind::RemoteCommunication => &["REMOTE_COMMUNICATION", "EVENT"],
            EventKind::SupervisorRunning => {
                &["SUPERVISOR_STATE_CHANGE_RUNNING", "SUPERVISOR_STATE_CHANGE", "EVENT"]
            }
            EventKind::SupervisorStopping => {
                &["SUPERVISOR_STATE_CHANGE_STOPPING", "SUPERVISOR_STATE_CHANGE", "EVENT"]
            }
            EventKind::Tick(TickPeriod::FiveSeconds) => &["TICK_5", "TICK", "EVENT"],
            EventKind::Tick(TickPeriod::Minute) => &["TICK_60", "TICK", "EVENT"],
            EventKind::Tick(TickPeriod::Hour) => &["TICK_3600", "TICK", "EVENT"],
            EventKind::GroupAdded => &["PROCESS_GROUP_ADDED", "PROCESS_GROUP", "EVENT"],
            EventKind::GroupRemoved => &["PROCESS_GROUP_REMOVED", "PROCESS_GROUP", "EVENT"],
        }
    }

    /// The name listeners see.
    pub fn name(self) -> &'static str {
        self.lineage()[0]
    }

    /// How many of the subscriptions it answers to. The reference delivers an event once for each of them.
    pub fn matches(self, subscriptions: &[String]) -> usize {
        let lineage = self.lineage();
        subscriptions.iter().filter(|name| lineage.contains(&name.as_str())).count()
    }
}

/// The process an event is about, as it was when the event occurred.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Name of the process.
    pub process: &'a str,
    /// Name of its group.
    pub group: &'a str,
    /// Its process id, 0 when there is none.
    pub pid: i32,
}

/// Something that happened, for listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    kind: EventKind,
    /// The beginning of the payload.
    text: String,
    /// The rest of the payload, as a program printed it. Decoded when it is sent: that can quadruple its size.
    data: Vec<u8>,
}

impl Event {
    fn of_text(kind: EventKind, text: String) -> Event {
        Event::with_data(kind, &text, Vec::new())
    }

    fn with_data(kind: EventKind, text: &str, data: Vec<u8>) -> Event {
        Event { kind, text: text::shown(text).into_owned(), data }
    }

    /// A process came from one state `to` another. `tries` counts failed starts in a row; `expected` says whether
    /// the exit was (for EXITED only).
    pub fn process_state(
        subject: Subject<'_>,
        from: ProcessState,
        to: ProcessState,
        tries: i64,
        expected: bool,
    ) -> Event {
        let Subject { process, group, pid } = subject;
        let from = from.name();
        let mut text = format!("processname:{process} groupname:{group} from_state:{from}");
        match to {
            ProcessState::Starting | ProcessState::Backoff => {
                text.push_str(&format!(" tries:{tries}"));
            }
            ProcessState::Exited => {
                text.push_str(&format!(" expected:{} pid:{pid}", u8::from(expected)));
            }
            ProcessState::Running | ProcessState::Stopping | ProcessState::Stopped => {
                text.push_str(&format!(" pid:{pid}"));
            }
            ProcessState::Fatal | ProcessState::Unknown => {}
        }
        Event::of_text(EventKind::ProcessState(to), text)
    }

    /// A process printed `data`.
    pub fn log(subject: Subject<'_>, channel: Channel, data: Vec<u8>) -> Event {
        let Subject { process, group, pid } = subject;
        let channel_name = channel.name();
        let text =
            format!("processname:{process} groupname:{group} pid:{pid} channel:{channel_name}\n");
        Event::with_data(EventKind::Log(channel), &text, data)
    }

    /// A process sent `data` between the capture tokens.
    pub fn communication(subject: Subject<'_>, channel: Channel, data: Vec<u8>) -> Event {
        let Subject { process, group, pid } = subject;
        let text = format!("processname:{process} groupname:{group} pid:{pid}\n");
        Event::with_data(EventKind::Communication(channel), &text, data)
    }

    /// A client sent `data` of a type it named.
    pub fn remote_communication(kind: &str, data: &str) -> Event {
        Event::of_text(EventKind::RemoteCommunication, format!("type:{kind}\n{data}"))
    }

    /// The supervisor is up, or begins to stop everything: these have no payload.
    pub fn supervisor(kind: EventKind) -> Event {
        Event::of_text(kind, String::new())
    }

    /// A period began at the Unix time `when`.
    pub fn tick(period: TickPeriod, when: u64) -> Event {
        Event::of_text(EventKind::Tick(period), format!("when:{when}"))
    }

    /// A group became active, or no longer is.
    pub fn group(kind: EventKind, name: &str) -> Event {
        Event::of_text(kind, format!("groupname:{name}\n"))
    }

    /// Its type.
    pub fn kind(&self) -> EventKind {
        self.kind
    }

    /// What listeners get to read after the header line.
    pub fn payload(&self) -> String {
        [self.text.as_str(), &self.decoded()].concat()
    }

    /// The data as text: bytes that are not UTF-8 are shown as Python shows them.
    fn decoded(&self) -> Cow<'_, str> {
        match std::str::from_utf8(&self.data) {
            Ok(data) => Cow::Borrowed(data),
            Err(_) => Cow::Owned(format!("Undecodable: {}", repr_bytes(&self.data))),
        }
    }

    /// The event as it is written to a listener. `len` counts characters, not bytes
    /// (`process.py: _eventEnvelope`).
    pub fn envelope(&self, identifier: &str, serial: u64, pool: &str, pool_serial: u64) -> Vec<u8> {
        let data = self.decoded();
        let mut envelope = Vec::with_capacity(ENVELOPE_BYTES + self.text.len() + data.len());
        let (name, length) = (self.kind.name(), self.text.chars().count() + data.chars().count());
        let identifier = text::shown(identifier);
        // Writing to a Vec does not fail.
        let _ = write!(
            envelope,
            "ver:3.0 server:{identifier} serial:{serial} pool:{pool} poolserial:{pool_serial} \
             eventname:{name} len:{length}\n{}{data}",
            self.text
        );
        envelope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    const WEB: Subject<'static> = Subject { process: "web", group: "site", pid: 42 };

    fn kinds() -> Vec<EventKind> {
        let mut kinds: Vec<EventKind> =
            ProcessState::ALL.iter().map(|state| EventKind::ProcessState(*state)).collect();
        for channel in [Channel::Stdout, Channel::Stderr] {
            kinds.extend([EventKind::Communication(channel), EventKind::Log(channel)]);
        }
        kinds.extend(TickPeriod::ALL.map(EventKind::Tick));
        kinds.extend([
            EventKind::RemoteCommunication,
            EventKind::SupervisorRunning,
            EventKind::SupervisorStopping,
            EventKind::GroupAdded,
            EventKind::GroupRemoved,
        ]);
        kinds
    }

    #[test]
    fn every_type_is_in_the_table_and_descends_from_event() {
        let mut named: Vec<&str> = Vec::new();
        for kind in kinds() {
            for ancestor in kind.lineage() {
                assert!(EVENT_TYPES.contains(ancestor), "{ancestor}");
                assert!(kind.name().starts_with(ancestor) || *ancestor == "EVENT");
            }
            assert_eq!(kind.lineage().last(), Some(&"EVENT"));
            named.extend(kind.lineage());
        }
        assert!(EVENT_TYPES.iter().all(|name| named.contains(name)));
    }

    #[test]
    fn an_event_comes_once_for_each_subscription_it_answers_to() {
        let running = EventKind::ProcessState(ProcessState::Running);
        let subscriptions =
            |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        assert_eq!(running.matches(&subscriptions(&["EVENT"])), 1);
        assert_eq!(running.matches(&subscriptions(&["EVENT", "PROCESS_STATE"])), 2);
        assert_eq!(running.matches(&subscriptions(&["PROCESS_STATE_EXITED", "TICK"])), 0);
    }

    #[test]
    fn payloads() {
        let mut text = String::new();
        for to in ProcessState::ALL {
            let event = Event::process_state(WEB, ProcessState::Running, to, 3, false);
            text.push_str(&format!("{}: {}\n", event.kind().name(), event.payload()));
        }
        for event in [
            Event::log(WEB, Channel::Stdout, b"h\xc3\xa9\n".to_vec()),
            Event::log(WEB, Channel::Stderr, b"a'\xff\n".to_vec()),
            Event::communication(WEB, Channel::Stderr, b"data".to_vec()),
            Event::remote_communication("kind", "data"),
            Event::supervisor(EventKind::SupervisorStopping),
            Event::tick(TickPeriod::Minute, 1_795_231_940),
            Event::group(EventKind::GroupAdded, "site"),
        ] {
            text.push_str(&format!("{}: {:?}\n", event.kind().name(), event.payload()));
        }
        expect![[r#"
            PROCESS_STATE_STOPPED: processname:web groupname:site from_state:RUNNING pid:42
            PROCESS_STATE_STARTING: processname:web groupname:site from_state:RUNNING tries:3
            PROCESS_STATE_RUNNING: processname:web groupname:site from_state:RUNNING pid:42
            PROCESS_STATE_BACKOFF: processname:web groupname:site from_state:RUNNING tries:3
            PROCESS_STATE_STOPPING: processname:web groupname:site from_state:RUNNING pid:42
            PROCESS_STATE_EXITED: processname:web groupname:site from_state:RUNNING expected:0 pid:42
            PROCESS_STATE_FATAL: processname:web groupname:site from_state:RUNNING
            PROCESS_STATE_UNKNOWN: processname:web groupname:site from_state:RUNNING
            PROCESS_LOG_STDOUT: "processname:web groupname:site pid:42 channel:stdout\nhé\n"
            PROCESS_LOG_STDERR: "processname:web groupname:site pid:42 channel:stderr\nUndecodable: b\"a'\\xff\\n\""
            PROCESS_COMMUNICATION_STDERR: "processname:web groupname:site pid:42\ndata"
            REMOTE_COMMUNICATION: "type:kind\ndata"
            SUPERVISOR_STATE_CHANGE_STOPPING: ""
            TICK_60: "when:1795231940"
            PROCESS_GROUP_ADDED: "groupname:site\n"
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn the_length_counts_characters() {
        let event = Event::remote_communication("t", "hé€");
        let envelope = String::from_utf8(event.envelope("super", 7, "pool", 3)).unwrap();
        assert_eq!(
            envelope,
            "ver:3.0 server:super serial:7 pool:pool poolserial:3 eventname:REMOTE_COMMUNICATION len:10\ntype:t\nhé€"
        );
    }
}
