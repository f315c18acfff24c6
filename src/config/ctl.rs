//! What the client is started with: its command line and the `[supervisorctl]` section (`options.py: ClientOptions`).

use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::complaint::Mistake;
use super::environ::Environ;
use super::getopt::Switch;
use super::ini::Document;
use super::names::{Table, Value};
use super::scope::{Importable, Scope, here};
use super::{cli, files, getopt, paths, values};
use crate::core::options::{Field, Names, Reread, Row, Unset, field};
use crate::core::python::repr;
use crate::native;

/// Where the daemon listens when nothing says otherwise.
pub(crate) const DEFAULT_SERVER_URL: &str = "http://localhost:9001";

/// What the prompt shows when nothing says otherwise.
const DEFAULT_PROMPT: &str = "supervisor";

/// The settings of one run of the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientOptions {
    /// URL of the daemon, `http://` or `unix://`; checked when it is used.
    pub serverurl: String,
    /// Name for HTTP authentication.
    pub username: Option<String>,
    /// Password for HTTP authentication.
    pub password: Option<String>,
    /// What the shell's prompt shows before `> `.
    pub prompt: String,
    /// Where the shell keeps its history.
    pub history_file: Option<String>,
    /// When states are coloured, if anything was said about it.
    pub color: Option<Color>,
    /// Whether there is a person to ask: `-i`, or no action on the command line.
    pub interactive: bool,
    /// The action and its arguments; empty for the shell.
    pub args: Vec<String>,
    /// The configuration file, if there is one.
    pub configfile: Option<String>,
    /// The Python that runs plugins, if one is named.
    pub python: Option<String>,
    /// The `[ctlplugin:x]` sections, in their order.
    pub plugins: Vec<CtlPlugin>,
}

/// A `[ctlplugin:x]` section: actions in Python.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CtlPlugin {
    /// What stands behind the colon.
    pub name: String,
    /// `module:attribute` of what makes the plugin.
    pub factory: String,
    /// The other options, which it is given.
    pub options: Vec<(String, String)>,
}

/// When states are coloured: `--color`, or `color` in the section. The reference knows no colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Color {
    /// Into pipes and files, too.
    Always,
    /// On a terminal that has colours.
    Auto,
    /// Nowhere.
    Never,
}

impl Color {
    /// Reads a value; the error names where it stands.
    fn parse(value: &str, place: &str) -> Result<Color, Mistake> {
        match value {
            "always" => Ok(Color::Always),
            "auto" => Ok(Color::Auto),
            "never" => Ok(Color::Never),
            _ => Err(Mistake::new(format!(
                "invalid value for {place} {}: always, auto or never",
                repr(value)
            ))),
        }
    }
}

/// What a client's command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClientParsed {
    /// Run with these.
    Run(ClientOptions),
    /// Print and exit: help, or a usage error.
    Exit {
        /// What goes to standard output.
        stdout: String,
        /// What goes to standard error.
        stderr: String,
        /// The exit status.
        code: u8,
    },
}

/// Options as given on the command line.
#[derive(Default)]
struct Given {
    configfile: Option<String>,
    serverurl: Option<String>,
    username: Option<String>,
    password: Option<String>,
    history_file: Option<String>,
    color: Option<Color>,
    interactive: bool,
}

/// The section as written.
#[derive(Default)]
pub(super) struct Section {
    serverurl: Option<String>,
    username: Option<String>,
    password: Option<String>,
    prompt: Option<String>,
    history_file: Option<String>,
    color: Option<String>,
    python: Option<String>,
}

/// What the configuration file says.
#[derive(Default)]
struct Configured {
    section: Section,
    color: Option<Color>,
    plugins: Vec<CtlPlugin>,
}

/// The options of the section, in the order in which the reference reads them.
pub(super) const SUPERVISORCTL: &[Row<Section>] = &[
    Row::new(
        "serverurl",
        Field::OptionalText(field!(Section.serverurl)),
        Unset::Text(DEFAULT_SERVER_URL),
        "the server's socket behind unix://",
    )
    .names(Names::Here)
    .reread(Reread::Client),
    Row::new(
        "prompt",
        Field::OptionalText(field!(Section.prompt)),
        Unset::Text(DEFAULT_PROMPT),
        "the shell's prompt",
    )
    .names(Names::Environment)
    .reread(Reread::Client),
    Row::new(
        "username",
        Field::OptionalText(field!(Section.username)),
        Unset::Nothing("none"),
        "as the server has it",
    )
    .names(Names::Environment)
    .reread(Reread::Client),
    Row::new(
        "password",
        Field::OptionalText(field!(Section.password)),
        Unset::Nothing("none"),
        "as the server has it, and always in plain",
    )
    .names(Names::Environment)
    .reread(Reread::Client),
    Row::new(
        "history_file",
        Field::OptionalText(field!(Section.history_file)),
        Unset::Nothing("nowhere"),
        "the shell remembers its lines there",
    )
    .names(Names::Here)
    .reread(Reread::Client),
    Row::new(
        "color",
        Field::OptionalText(field!(Section.color)),
        Unset::Nothing("never"),
        "when it colours states; always, never, or auto: on terminals",
    )
    .names(Names::Environment)
    .reread(Reread::Client)
    .ours(),
    Row::new(
        "python",
        Field::OptionalText(field!(Section.python)),
        Unset::Nothing("python3"),
        "runs the plugins of ctlplugin sections",
    )
    .names(Names::Here)
    .reread(Reread::Client)
    .ours(),
];

/// The option table, in the order of the help.
fn table() -> Command {
    let flag = |id: &'static str, help| {
        Arg::new(id).long(id).action(ArgAction::SetTrue).help(help) // no value
    };
    let valued = |id: &'static str, name, help| {
        Arg::new(id).long(id).action(ArgAction::Set).value_name(name).help(help) // one value each
    };
    Command::new("supervisorctl").args([
        valued("configuration", "FILENAME", "read this configuration file (default: search)")
            .short('c'),
        flag("help", "print this text and exit").short('h'),
        Arg::new("help?").short('?').action(ArgAction::SetTrue),
        flag("interactive", INTERACTIVE_HELP).short('i'),
        valued("serverurl", "URL", SERVERURL_HELP).short('s'),
        valued("username", "USERNAME", "name for the server's authentication").short('u'),
        valued("password", "PASSWORD", "password for the server's authentication").short('p'),
        valued("history_file", "FILENAME", "keep the shell's history in this file").short('r'),
        // Ours; hidden, so that `--co` still means the configuration.
        valued("color", "WHEN", "colour states always, never (default), or on terminals (auto)")
            .hide(true),
    ])
}

/// The options of the client, for those that list them.
pub fn switches() -> Vec<Switch> {
    getopt::switches(&table())
}

/// What is said of `-i`.
const INTERACTIVE_HELP: &str =
    "start an interactive shell; with an action, run it with the questions a shell asks";

/// What is said of `-s`.
const SERVERURL_HELP: &str = "where supervisord listens, http://HOST:PORT or unix:///PATH \
                              (default \"http://localhost:9001\")";

/// Reads the command line and the configuration file it names, or the one that is found; a client needs none.
/// `argv0` is the program's path, for messages; the search starts beside it.
pub(crate) fn parse_client_args(argv0: &str, args: &[OsString], environ: &Environ) -> ClientParsed {
    let args: Vec<String> = args.iter().map(native::text).collect();
    match read(argv0, &args, environ) {
        Ok(Some(options)) => ClientParsed::Run(options),
        Ok(None) => ClientParsed::Exit { stdout: help(argv0), stderr: String::new(), code: 0 },
        Err(why) => {
            ClientParsed::Exit { stdout: String::new(), stderr: getopt::usage(argv0, why), code: 2 }
        }
    }
}

/// The settings, or `None` when help is asked for. The error is the text after `Error: `.
fn read(argv0: &str, args: &[String], environ: &Environ) -> Result<Option<ClientOptions>, Mistake> {
    let (options, args) = getopt::scan(&table(), args)?;
    let mut given = Given::default();
    let mut seen: Vec<&str> = Vec::new();
    for option in &options {
        let value = Some(option.value.clone());
        match option.id.as_str() {
            "help" | "help?" => return Ok(None),
            "configuration" => given.configfile = value,
            "interactive" => given.interactive = true,
            "serverurl" => given.serverurl = Some(url(&option.value, &option.spelling)?),
            "username" => given.username = value,
            "password" => given.password = value,
            "color" => given.color = Some(Color::parse(&option.value, &option.spelling)?),
            _ => given.history_file = value,
        }
        if seen.contains(&option.id.as_str()) {
            return Err(Mistake::new(format!(
                "conflicting command line option {}",
                repr(&option.spelling)
            )));
        }
        seen.push(&option.id);
    }
    let configfile = given
        .configfile
        .take()
        .or_else(|| cli::search_path(argv0).into_iter().find(|path| cli::is_there(path, environ)));
    let configfile = configfile.filter(|path| !path.is_empty());
    let Configured { section, color, plugins } = match &configfile {
        Some(path) => read_section(path, environ)?,
        None => Configured::default(),
    };
    let history_file = given.history_file.filter(|path| !path.is_empty());
    Ok(Some(ClientOptions {
        serverurl: given
            .serverurl
            .or(section.serverurl)
            .unwrap_or_else(|| DEFAULT_SERVER_URL.to_string()),
        username: given.username.or(section.username),
        password: given.password.or(section.password),
        prompt: section.prompt.unwrap_or_else(|| DEFAULT_PROMPT.to_string()),
        history_file: history_file
            .or(section.history_file)
            .map(|path| paths::normalize(&path, environ)),
        color: given.color.or(color),
        interactive: given.interactive || args.is_empty(),
        args,
        configfile,
        python: section.python,
        plugins,
    }))
}

/// Checks what `-s` is given: a scheme, and something after it.
fn url(value: &str, spelling: &str) -> Result<String, Mistake> {
    let (scheme, rest) = split_scheme(value);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    if !scheme.is_empty() && !rest.strip_prefix("//").unwrap_or(rest).is_empty() {
        return Ok(value.to_string());
    }
    let shown = repr(value);
    Err(Mistake::new(format!("invalid value for {spelling} {shown}: value {shown} is not a URL")))
}

/// Scheme of a URL in lower case, empty when there is none, and what follows its colon (`urllib.parse.urlparse`).
pub(crate) fn split_scheme(url: &str) -> (String, &str) {
    if let Some((scheme, rest)) = url.split_once(':') {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(fits) {
            return (scheme.to_ascii_lowercase(), rest);
        }
    }
    (String::new(), url)
}

/// Reads `[supervisorctl]` and the plugins from the main file; `[include]` means nothing to the client.
fn read_section(configfile: &str, environ: &Environ) -> Result<Configured, Mistake> {
    let mut document = Document::new();
    files::read_main(configfile, environ, &mut document)?;
    if !document.has_section("supervisorctl") {
        return Err(Mistake::new(".ini file does not include supervisorctl section"));
    }
    let mut environment = Table::new();
    for (name, value) in environ.pairs() {
        environment.set(&format!("ENV_{name}"), Value::Str(value.clone()));
    }
    let normalized = paths::normalize(configfile, environ);
    let scope = |local| Scope {
        document: &document,
        environ,
        environment: &environment,
        local,
        late: None,
        imports: Importable::default(),
    };
    let (placed, plain) = (scope(here(paths::dirname(&normalized))), scope(Table::new()));
    let mut section = Section::default();
    for row in SUPERVISORCTL {
        let scope = if row.about.names == Names::Here { &placed } else { &plain };
        values::read(row, scope, "supervisorctl", &mut section)?;
    }
    let socket = section.serverurl.as_deref().and_then(|url| url.strip_prefix("unix://"));
    if let Some(path) = socket {
        section.serverurl = Some(format!("unix://{}", paths::normalize(path, environ)));
    }
    section.history_file = section.history_file.filter(|path| !path.is_empty());
    let color = section.color.take();
    let color = color.map(|value| Color::parse(&value, "color in [supervisorctl]")).transpose()?;
    // The daemon's plugins and the client's are run by the same Python, unless they are told otherwise.
    let daemons = || placed.get("supervisord", "python").ok().flatten();
    section.python = section.python.or_else(daemons).filter(|path| !path.is_empty());
    let sections = document.sections();
    let plugins = sections.iter().filter(|name| name.starts_with(PLUGIN_PREFIX));
    let plugins = plugins.map(|name| read_plugin(name, &plain)).collect::<Result<_, Mistake>>()?;
    Ok(Configured { section, color, plugins })
}

/// What the sections of plugins are called, before their names.
const PLUGIN_PREFIX: &str = "ctlplugin:";

/// Reads the section of a plugin (`options.py: get_plugins`). What its factory is, Python will see.
fn read_plugin(section: &str, scope: &Scope) -> Result<CtlPlugin, Mistake> {
    const FACTORY: &str = "supervisor.ctl_factory";
    let get = |option: &str| Ok::<_, Mistake>(scope.get(section, option)?.unwrap_or_default());
    if scope.document.get(section, FACTORY).is_none() {
        return Err(Mistake::new(format!("section [{section}] does not specify a {FACTORY}")));
    }
    let others = scope.document.options(section).into_iter().filter(|option| option != FACTORY);
    Ok(CtlPlugin {
        name: section.strip_prefix(PLUGIN_PREFIX).unwrap_or(section).to_string(),
        factory: get(FACTORY)?,
        options: others
            .map(|option| Ok((option.clone(), get(&option)?)))
            .collect::<Result<_, Mistake>>()?,
    })
}

fn help(argv0: &str) -> String {
    format!(
        "supervisorctl -- control applications that a supervisord runs.\n\n\
         Usage: {argv0} [options] [action [arguments]]\n\nOptions:\n{}\n{HELP_END}",
        getopt::list(&table())
    )
}

const HELP_END: &str = "\
An action is a command such as \"status\" or \"restart\"; \"help\" lists them.
Without an action a shell is started that reads commands.

";

#[cfg(test)]
#[path = "ctl_tests.rs"]
mod tests;
