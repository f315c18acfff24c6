//! Options: everything about one that can be written in a section, in one row of a table.
//!
//! A [`Row`] says what an option is called, what it means when it is not set, what it is for, and when a reread takes it
//! over; its [`Field`] says of what type it is and where its value goes. Reading (`config::values`), the difference that a
//! reread reports, the settings that are shown, and the list that the sample is held to (`config::options`) go through the
//! rows. So a new option is a field of its struct, a row, and what it does; a new type of values is a variant of [`Field`]
//! and its parser.
//!
//! The rows of programs stand in [`program`], because the core compares and shows them; those of other sections stand
//! beside their readers.

pub(crate) mod program;

use super::config::{AutoRestart, LogFile, Owner};
use super::signal;
use super::states::Level;
use super::value::Value;

/// One option of the sections that become a `C`.
pub(crate) struct Row<C: 'static> {
    /// What is said of it.
    pub about: About,
    /// Its type, and where its value goes.
    pub field: Field<C>,
}

/// What is said of an option, whatever its value goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// How it is written, in lower case.
    pub name: &'static str,
    /// What it is for, in a line.
    pub help: &'static str,
    /// Of what type its value is, in words.
    pub value: &'static str,
    /// What it means when it is not set.
    pub unset: Unset,
    /// The names its value may hold.
    pub names: Names,
    /// When they are replaced.
    pub expansion: Expansion,
    /// When a configuration that was read again has an effect.
    pub reread: Reread,
    /// Whose option it is.
    pub source: Source,
    /// Whether it is among the settings of a program.
    pub display: Display,
}

/// What an option means that is not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// The same as this text.
    Text(&'static str),
    /// The same as this text, about which more can be said.
    Explained(&'static str, &'static str),
    /// The same as another option of the section, which has this default.
    As {
        /// The other option.
        option: &'static str,
        /// What it means when it is not set either.
        default: &'static str,
    },
    /// The system's directory for temporary files.
    TemporaryDirectory,
    /// Something that no text stands for, in words.
    Nothing(&'static str),
    /// A mistake: it has to be set.
    Required,
}

impl Unset {
    /// The text that means the same, where there is one.
    pub fn text(self) -> Option<&'static str> {
        match self {
            Unset::Text(text) | Unset::Explained(text, _) => Some(text),
            Unset::As { .. } | Unset::TemporaryDirectory | Unset::Nothing(_) | Unset::Required => {
                None
            }
        }
    }
}

/// Names that stand for something between `%(` and `)s` in a value; each has those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// `ENV_X` of the environment.
    Environment,
    /// `here`.
    Here,
    /// `program_name`, `group_name` and `host_node_name`: one value for all processes of the section.
    Program,
    /// `process_num`, `numprocs`, and `ENV_X` of the program's own environment: a value for each process.
    Process,
}

/// When the names in a value are replaced by what they stand for (`options.py`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expansion {
    /// As the value is taken from its section.
    Once,
    /// Again after that.
    Twice,
    /// Only when the value is needed; mistakes in it do not tell the section.
    Late,
    /// By the reader of the section.
    Never,
}

/// When a change of an option has an effect, once the configuration was read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reread {
    /// Its group has changed: `update` stops the group, and starts it as it is now.
    Restart,
    /// At once, and for what is running.
    InPlace,
    /// When the daemon restarts in place (`supervisorctl reload`, SIGHUP).
    Reload,
    /// When the daemon is started.
    DaemonOnly,
    /// It is not looked at; its group has the change after whatever restarts it.
    Unnoticed,
    /// When the client is started, which reads for itself.
    Client,
}

/// Whose option it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Supervisor's.
    Reference,
    /// Ours; the reference passes over it.
    Ours,
}

/// Whether an option is shown among the settings of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// Under its name.
    Shown,
    /// Not at all.
    Hidden,
}

/// A place in a `C` that holds a `T`.
pub(crate) struct Access<C: 'static, T: 'static> {
    /// Looks at it.
    pub get: fn(&C) -> &T,
    /// Changes it.
    pub get_mut: fn(&mut C) -> &mut T,
}

impl<C: 'static, T> Access<C, T> {
    /// Puts a value there.
    pub(crate) fn set(&self, config: &mut C, value: T) {
        *(self.get_mut)(config) = value;
    }
}

impl<C: 'static, T: PartialEq> Access<C, T> {
    fn same(&self, a: &C, b: &C) -> bool {
        (self.get)(a) == (self.get)(b)
    }
}

/// The place of a field: `field!(ProcessConfig.stdout.syslog)`.
macro_rules! field {
    ($config:ident . $($path:ident).+) => {
        $crate::core::options::Access {
            get: |config: &$config| &config.$($path).+,
            get_mut: |config: &mut $config| &mut config.$($path).+,
        }
    };
}
pub(crate) use field;

/// The types of values. What a text of each means, and what is said of one that means nothing, is for `config::values`.
pub(crate) enum Field<C: 'static> {
    /// Any text.
    Text(Access<C, String>),
    /// Any text, if it is set.
    OptionalText(Access<C, Option<String>>),
    /// The name of a process.
    Name(Access<C, String>),
    /// Names between commas.
    List(Access<C, Vec<String>>),
    /// Names of hosts between commas or blanks.
    Hosts(Access<C, Vec<String>>),
    /// A truth.
    Boolean(Access<C, bool>),
    /// A number.
    Integer(Access<C, i64>),
    /// Whole seconds.
    Seconds(Access<C, i64>),
    /// Bytes, with KB, MB or GB.
    Bytes(Access<C, i64>),
    /// Octal bits of a file creation mask.
    Mask(Access<C, u32>),
    /// Octal bits of a file creation mask, if it is set.
    OptionalMask(Access<C, Option<u32>>),
    /// Octal permission bits, if they are set.
    Mode(Access<C, Option<u32>>),
    /// A user by name or number, if one is set.
    User(Access<C, Option<u32>>),
    /// A user or `user:group`, if one is set.
    Owner(Access<C, Option<Owner>>),
    /// Where a program's output goes.
    Log(Access<C, LogFile>),
    /// A file of the daemon, in a directory that exists.
    File(Access<C, String>),
    /// A directory of the daemon that exists.
    Directory(Access<C, String>),
    /// A directory of the daemon that exists, if one is set.
    OptionalDirectory(Access<C, Option<String>>),
    /// `KEY=value` between commas.
    Environment(Access<C, Vec<(String, String)>>),
    /// A threshold of the main log.
    Level(Access<C, Level>),
    /// A signal by name or number.
    Signal(Access<C, i32>),
    /// Exit codes between commas.
    ExitCodes(Access<C, Vec<i64>>),
    /// `true`, `false` or `unexpected`.
    AutoRestart(Access<C, AutoRestart>),
    /// A URL, or AUTO for none.
    Url(Access<C, Option<String>>),
    /// `host:port`, if it is set.
    Address(Access<C, Option<(String, u16)>>),
    /// How many events wait, at least one.
    EventBuffer(Access<C, i64>),
    /// Types of events between commas, at least one.
    Events(Access<C, Vec<String>>),
    /// What judges the answers of listeners.
    ResultHandler(Access<C, String>),
    /// Connections that wait, if it is set.
    Backlog(Access<C, Option<i64>>),
}

impl<C: 'static> Row<C> {
    /// An option with what most have in common; the methods below say where it differs.
    pub(crate) const fn new(
        name: &'static str,
        field: Field<C>,
        unset: Unset,
        help: &'static str,
    ) -> Self {
        let about = About {
            name,
            help,
            value: field.words(),
            unset,
            names: Names::Program,
            expansion: Expansion::Once,
            reread: Reread::Restart,
            source: Source::Reference,
            display: Display::Shown,
        };
        Row { about, field }
    }

    /// With these names in its value.
    pub(crate) const fn names(mut self, names: Names) -> Self {
        self.about.names = names;
        self
    }

    /// With its names replaced then.
    pub(crate) const fn expansion(mut self, expansion: Expansion) -> Self {
        self.about.expansion = expansion;
        self
    }

    /// With its changes taken over then.
    pub(crate) const fn reread(mut self, reread: Reread) -> Self {
        self.about.reread = reread;
        self
    }

    /// One of ours.
    pub(crate) const fn ours(mut self) -> Self {
        self.about.source = Source::Ours;
        self
    }

    /// Not among the settings that are shown.
    pub(crate) const fn hidden(mut self) -> Self {
        self.about.display = Display::Hidden;
        self
    }
}

/// The options that make a change of `b` against `a` for a reread.
pub(crate) fn differences<'a, C: 'static>(
    rows: impl IntoIterator<Item = &'static Row<C>> + 'a,
    a: &'a C,
    b: &'a C,
) -> impl Iterator<Item = &'static About> + 'a {
    rows.into_iter()
        .filter(|row| row.about.reread == Reread::Restart)
        .filter(|row| !row.field.same(a, b))
        .map(|row| &row.about)
}

/// Names and values of the options that are shown, in the order of the rows; what is not set is nil.
pub(crate) fn shown<'a, C: 'static>(
    rows: impl IntoIterator<Item = &'static Row<C>> + 'a,
    config: &'a C,
) -> impl Iterator<Item = (String, Value)> + 'a {
    rows.into_iter()
        .filter(|row| row.about.display == Display::Shown)
        .map(|row| (row.about.name.to_string(), row.field.shown(config)))
}

impl<C: 'static> Field<C> {
    /// The type as the manual calls it.
    const fn words(&self) -> &'static str {
        match self {
            Field::Text(_) | Field::OptionalText(_) => "text",
            Field::Name(_) => "name of a process",
            Field::List(_) => "names between commas",
            Field::Hosts(_) => "names of hosts between commas or blanks",
            Field::Boolean(_) => "boolean",
            Field::Integer(_) => "integer",
            Field::Seconds(_) => "whole seconds",
            Field::Bytes(_) => "size",
            Field::Mask(_) | Field::OptionalMask(_) | Field::Mode(_) => "octal number",
            Field::User(_) => "user, by name or number",
            Field::Owner(_) => "user or user:group, by name or number",
            Field::Log(_) => "path, NONE, AUTO or syslog",
            Field::File(_) => "path of a file in a directory that exists",
            Field::Directory(_) | Field::OptionalDirectory(_) => "directory that exists",
            Field::Environment(_) => "KEY=\"value\" pairs between commas",
            Field::Level(_) => "level of the log",
            Field::Signal(_) => "signal, by name or number",
            Field::ExitCodes(_) => "integers between commas",
            Field::AutoRestart(_) => "boolean, or unexpected",
            Field::Url(_) => "URL, or AUTO",
            Field::Address(_) => "host:port",
            Field::EventBuffer(_) => "integer from 1",
            Field::Events(_) => "types of events between commas",
            Field::ResultHandler(_) => "module:function",
            Field::Backlog(_) => "positive integer",
        }
    }

    /// Whether two configurations have the same value here, as the reference compares them (`options.py:
    /// ProcessConfig.__eq__`): AUTO for a log is any log, and the order of variables says nothing.
    fn same(&self, a: &C, b: &C) -> bool {
        match self {
            Field::Text(field)
            | Field::Name(field)
            | Field::File(field)
            | Field::Directory(field)
            | Field::ResultHandler(field) => field.same(a, b),
            Field::OptionalText(field) | Field::OptionalDirectory(field) | Field::Url(field) => {
                field.same(a, b)
            }
            Field::List(field) | Field::Hosts(field) | Field::Events(field) => field.same(a, b),
            Field::Boolean(field) => field.same(a, b),
            Field::Integer(field)
            | Field::Seconds(field)
            | Field::Bytes(field)
            | Field::EventBuffer(field) => field.same(a, b),
            Field::Mask(field) => field.same(a, b),
            Field::OptionalMask(field) | Field::Mode(field) | Field::User(field) => {
                field.same(a, b)
            }
            Field::Owner(field) => field.same(a, b),
            Field::Log(field) => {
                let logs = [(field.get)(a), (field.get)(b)];
                logs.contains(&&LogFile::Auto) || logs[0] == logs[1]
            }
            Field::Environment(field) => {
                let (a, b) = ((field.get)(a), (field.get)(b));
                a.len() == b.len() && a.iter().all(|entry| b.contains(entry))
            }
            Field::Level(field) => field.same(a, b),
            Field::Signal(field) => field.same(a, b),
            Field::ExitCodes(field) => field.same(a, b),
            Field::AutoRestart(field) => field.same(a, b),
            Field::Address(field) => field.same(a, b),
            Field::Backlog(field) => field.same(a, b),
        }
    }

    /// The value as programs see it: numbers where [`Field::shown`] has their names.
    pub(crate) fn plain(&self, config: &C) -> Value {
        if let Field::Mask(field) = self {
            number(*(field.get)(config))
        } else if let Field::OptionalMask(field) | Field::Mode(field) = self {
            (field.get)(config).map_or(Value::Nil, number)
        } else if let Field::Signal(field) = self {
            Value::Int(i64::from(*(field.get)(config)))
        } else {
            self.shown(config)
        }
    }

    /// The value as people see it. Of an environment only the names are told: among the values are passwords.
    fn shown(&self, config: &C) -> Value {
        match self {
            Field::Text(field)
            | Field::Name(field)
            | Field::File(field)
            | Field::Directory(field)
            | Field::ResultHandler(field) => Value::str((field.get)(config)),
            Field::OptionalText(field) | Field::OptionalDirectory(field) | Field::Url(field) => {
                (field.get)(config).as_deref().map_or(Value::Nil, Value::str)
            }
            Field::List(field) | Field::Hosts(field) | Field::Events(field) => {
                strings((field.get)(config).iter().map(String::as_str))
            }
            Field::Boolean(field) => Value::Bool(*(field.get)(config)),
            Field::Integer(field)
            | Field::Seconds(field)
            | Field::Bytes(field)
            | Field::EventBuffer(field) => Value::Int(*(field.get)(config)),
            Field::Mask(field) => mask(*(field.get)(config)),
            Field::OptionalMask(field) => (field.get)(config).map_or(Value::Nil, mask),
            Field::Mode(field) => {
                (field.get)(config).map_or(Value::Nil, |mode| Value::str(format!("{mode:04o}")))
            }
            Field::User(field) => (field.get)(config).map_or(Value::Nil, number),
            Field::Owner(field) => (field.get)(config).map_or(Value::Nil, owner),
            Field::Log(field) => match (field.get)(config) {
                LogFile::None => Value::Nil,
                LogFile::Auto => Value::str("AUTO"),
                LogFile::Path(path) => Value::str(path),
            },
            Field::Environment(field) => {
                strings((field.get)(config).iter().map(|(name, _)| name.as_str()))
            }
            Field::Level(field) => Value::str((field.get)(config).abbreviation()),
            Field::Signal(field) => Value::Str(signal::name(*(field.get)(config))),
            Field::ExitCodes(field) => {
                Value::Array((field.get)(config).iter().copied().map(Value::Int).collect())
            }
            Field::AutoRestart(field) => match (field.get)(config) {
                AutoRestart::Never => Value::Bool(false),
                AutoRestart::Unexpected => Value::str("unexpected"),
                AutoRestart::Always => Value::Bool(true),
            },
            Field::Address(field) => (field.get)(config)
                .as_ref()
                .map_or(Value::Nil, |(host, port)| Value::str(format!("{host}:{port}"))),
            Field::Backlog(field) => (field.get)(config).map_or(Value::Nil, Value::Int),
        }
    }
}

fn strings<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    Value::Array(texts.map(Value::str).collect())
}

fn mask(bits: u32) -> Value {
    Value::str(format!("{bits:03o}"))
}

fn number(id: u32) -> Value {
    Value::Int(i64::from(id))
}

fn owner(owner: Owner) -> Value {
    let group = owner.gid.map(|gid| format!(":{gid}")).unwrap_or_default();
    Value::Str(format!("{}{group}", owner.uid))
}

#[cfg(test)]
mod tests;
