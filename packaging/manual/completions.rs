//! The completions of bash, zsh and fish, of the same tables as the manual.
//!
//! What does not depend on a table stands in `shells/`, where `@NAME@` is the place of what does. Names of processes are
//! asked of the daemon by the client itself, for two seconds at most.

use std::fmt::Write;

use supervisord_rs::parts::config::command_line::Switch;

use crate::tables::Tables;

/// Scripts that no table has a part in.
const PLAIN: [(&str, &str); 6] = [
    ("bash/echo_supervisord_conf", include_str!("shells/echo_supervisord_conf.bash")),
    ("bash/pidproxy", include_str!("shells/pidproxy.bash")),
    ("zsh/_echo_supervisord_conf", include_str!("shells/echo_supervisord_conf.zsh")),
    ("zsh/_pidproxy", include_str!("shells/pidproxy.zsh")),
    ("fish/echo_supervisord_conf.fish", include_str!("shells/echo_supervisord_conf.fish")),
    ("fish/pidproxy.fish", include_str!("shells/pidproxy.fish")),
];

/// What the daemon may be called with in place of options, and what it is then.
const PROGRAMS: [(&str, &str); 3] = [
    ("ctl", "be supervisorctl"),
    ("echo_supervisord_conf", "print a sample of a configuration"),
    ("pidproxy", "stand in for a program that goes into the background"),
];

/// Levels of the main log.
const LEVELS: &str = "critical error warn info debug trace blather";

/// When states are coloured.
const COLOURS: &str = "always auto never";

/// Signals that people send.
const SIGNALS: &str = "TERM HUP INT QUIT KILL USR1 USR2";

/// A command whose options, and perhaps actions, are in tables.
struct Command<'a> {
    switches: &'a [Switch],
    actions: Vec<Action<'a>>,
}

/// What may be completed behind an action.
struct Action<'a> {
    name: &'a str,
    about: &'a str,
    /// Words as they are.
    literals: Vec<&'a str>,
    /// What the client is asked for: `processes`, `groups`, or nothing.
    asked: &'static str,
    /// Whether the first word is a signal, or an action.
    first: &'static str,
}

/// Path and text of each script.
pub(crate) fn scripts(tables: &Tables) -> Result<Vec<(String, String)>, String> {
    let mut actions = Vec::new();
    for (name, usage) in &tables.actions {
        actions.push(action(name, usage, tables.words_of_action(name)?.0));
    }
    let programs = PROGRAMS.map(|(name, about)| action(name, "", about));
    let commands = [
        ("supervisord", Command { switches: &tables.daemon, actions: programs.into() }),
        ("supervisorctl", Command { switches: &tables.client, actions }),
    ];
    let mut scripts: Vec<(String, String)> =
        PLAIN.map(|(path, text)| (path.to_string(), text.to_string())).into();
    for (name, command) in &commands {
        let filled = |template: &str, names: &str| {
            template.replace("@NAMES@\n", if *name == "supervisorctl" { names } else { "" })
        };
        let bash = filled(include_str!("shells/command.bash"), include_str!("shells/names.bash"));
        scripts.push((format!("bash/{name}"), command.bash(&bash).replace("@COMMAND@", name)));
        let zsh = filled(include_str!("shells/command.zsh"), include_str!("shells/names.zsh"));
        scripts.push((format!("zsh/_{name}"), command.zsh(&zsh).replace("@COMMAND@", name)));
        let fish = filled(include_str!("shells/command.fish"), include_str!("shells/names.fish"));
        scripts.push((format!("fish/{name}.fish"), command.fish(&fish).replace("@COMMAND@", name)));
    }
    Ok(scripts)
}

fn action<'a>(name: &'a str, usage: &'a str, about: &'a str) -> Action<'a> {
    let typed = |word: &&str| word.contains(|c: char| c.is_ascii_lowercase());
    let words = usage.split(|c: char| !c.is_ascii_alphabetic() && c != '-');
    let asked = [("NAME", "processes"), ("GROUP", "groups")];
    let first = [("SIGNAL", "signals"), ("ACTION", "actions")];
    let of = |kinds: [(&str, &'static str); 2]| {
        kinds.into_iter().find(|(word, _)| usage.contains(word)).map_or("", |(_, kind)| kind)
    };
    let literals = words.filter(typed).collect();
    Action { name, about, literals, asked: of(asked), first: of(first) }
}

/// What the value of an option may be.
enum Value<'a> {
    None,
    File,
    Directory,
    User,
    Words(&'a str),
    Anything,
}

fn value(switch: &Switch) -> Value<'static> {
    match switch.value.as_deref() {
        None => Value::None,
        Some("FILENAME") => Value::File,
        Some("DIRECTORY") => Value::Directory,
        Some("USER") => Value::User,
        Some("LEVEL") => Value::Words(LEVELS),
        Some("WHEN") => Value::Words(COLOURS),
        Some(_) => Value::Anything,
    }
}

fn spellings(switch: &Switch) -> Vec<String> {
    let short = switch.short.map(|letter| format!("-{letter}"));
    let long = switch.long.as_ref().map(|name| format!("--{name}"));
    short.into_iter().chain(long).collect()
}

impl Command<'_> {
    fn words(&self, of: impl Fn(&Action<'_>) -> String) -> String {
        self.actions.iter().map(of).collect::<Vec<_>>().join(" ")
    }

    fn names(&self) -> String {
        self.words(|action| action.name.to_string())
    }

    /// Options that take a value, as alternatives.
    fn valued(&self, between: &str) -> String {
        let valued = self.switches.iter().filter(|switch| switch.value.is_some());
        valued.flat_map(spellings).collect::<Vec<_>>().join(between)
    }

    fn bash(&self, template: &str) -> String {
        let (mut values, mut arms) = (String::new(), String::new());
        for switch in self.switches {
            let what = match value(switch) {
                Value::None => continue,
                Value::File => "files -f".to_string(),
                Value::Directory => "files -d".to_string(),
                Value::User => "files -u".to_string(),
                Value::Words(words) => format!("words '{words}'"),
                Value::Anything => ":".to_string(),
            };
            let _ = writeln!(values, "        {}) what=({what}) ;;", spellings(switch).join(" | "));
        }
        for action in &self.actions {
            let literals = action.literals.join(" ");
            let asks = match action.asked {
                "" => String::new(),
                kind => format!(" asks={kind}"),
            };
            let does = match action.first {
                "signals" => format!("if ((arguments)); then{asks}; else offered='{SIGNALS}'; fi"),
                "actions" => format!("offered='{}'", self.names()),
                _ => format!("offered='{literals}'{asks}"),
            };
            let _ = writeln!(arms, "            {}) {does} ;;", action.name);
        }
        let options: Vec<String> = self.switches.iter().flat_map(spellings).collect();
        template
            .replace("@VALUED@", &self.valued(" | "))
            .replace("@VALUES@\n", &values)
            .replace("@OPTIONS@", &options.join(" "))
            .replace("@ACTIONS@", &self.names())
            .replace("@ARMS@\n", &arms)
    }

    fn zsh(&self, template: &str) -> String {
        let (mut specs, mut described, mut arms) = (String::new(), String::new(), String::new());
        for switch in self.switches {
            let (marks, what) = match value(switch) {
                Value::None => (["", ""], String::new()),
                Value::File => (["+", "="], ":file:_files".to_string()),
                Value::Directory => (["+", "="], ":directory:_files -/".to_string()),
                Value::User => (["+", "="], ":user:_users".to_string()),
                Value::Words(words) => (["+", "="], format!(":value:({words})")),
                Value::Anything => (["+", "="], ":value: ".to_string()),
            };
            let help = zsh_text(&switch.help).replace('[', "\\[").replace(']', "\\]");
            let spec = match spellings(switch).as_slice() {
                [short, long] => format!(
                    "'({short} {long})'{{{short}{},{long}{}}}'[{help}]{what}'",
                    marks[0], marks[1]
                ),
                only => format!("'{}{}[{help}]{what}'", only.concat(), marks[1]),
            };
            let _ = writeln!(specs, "        {spec} \\");
        }
        for action in &self.actions {
            let _ = writeln!(described, "        '{}:{}'", action.name, zsh_text(action.about));
            let mut does = Vec::new();
            match action.first {
                "signals" => does.push(format!("(( CURRENT == 2 )) && compadd {SIGNALS}")),
                "actions" => does.push("_describe action actions".to_string()),
                _ if action.literals.is_empty() => {}
                _ => does.push(format!("compadd -- {}", action.literals.join(" "))),
            }
            if !action.asked.is_empty() {
                let from = if action.first == "signals" { "(( CURRENT > 2 )) && " } else { "" };
                does.push(format!("{from}_supervisorctl_names {}", action.asked));
            }
            let does = does.join("; ");
            let _ = writeln!(arms, "                ({}) {does} ;;", action.name);
        }
        template
            .replace("@SPECS@\n", &specs)
            .replace("@DESCRIBED@\n", &described)
            .replace("@ARMS@\n", &arms)
    }

    fn fish(&self, template: &str) -> String {
        let before = "-n 'not __fish_@COMMAND@_action >/dev/null'";
        let mut lines = String::new();
        for switch in self.switches {
            let short = switch.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
            let long = switch.long.as_ref().map(|name| format!(" -l {name}")).unwrap_or_default();
            let what = match value(switch) {
                Value::None => String::new(),
                Value::File => " -r -F".to_string(),
                Value::Directory => " -x -a '(__fish_complete_directories)'".to_string(),
                Value::User => " -x -a '(__fish_complete_users)'".to_string(),
                Value::Words(words) => format!(" -x -a '{words}'"),
                Value::Anything => " -x".to_string(),
            };
            let help = fish_text(&switch.help);
            let _ =
                writeln!(lines, "complete -c @COMMAND@ {before}{short}{long}{what} -d '{help}'");
        }
        for action in &self.actions {
            let (name, about) = (action.name, fish_text(action.about));
            let _ = writeln!(lines, "complete -c @COMMAND@ {before} -a {name} -d '{about}'");
            let literals = action.literals.join(" ");
            let asked = format!("(__fish_supervisorctl_names {})", action.asked);
            let first = match action.first {
                "signals" => SIGNALS.to_string(),
                "actions" => self.names(),
                _ => String::new(),
            };
            let offers = [
                ("=", first),
                ("", literals),
                (if action.first == "signals" { "+" } else { "" }, asked),
            ];
            for (place, offered) in offers {
                if offered.is_empty() || offered.ends_with(" )") {
                    continue;
                }
                let _ = writeln!(
                    lines,
                    "complete -c @COMMAND@ -n '__fish_@COMMAND@_behind {name} {place}' -a '{offered}'"
                );
            }
        }
        template.replace("@VALUED@", &self.valued(" ")).replace("@LINES@\n", &lines)
    }
}

fn zsh_text(text: &str) -> String {
    text.replace('\'', "'\\''").replace(':', "\\:")
}

fn fish_text(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}
