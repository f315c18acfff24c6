//! The one table of methods: name, signature, help, handler.

use std::fmt::Display;

use super::wait::Answer;
use super::weight::Size;
use super::{control, logs, process, system as system_methods};
use crate::core::fault::Fault;
use crate::core::outside::Outside;
use crate::core::supervisor::Supervisor;
use crate::core::value::Value;

/// The namespace of what the reference does not have, unless the configuration publishes the main interface as this.
pub(crate) const OWN_NAMESPACE: &str = "supervisord_rs";

/// Where a method is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Namespace {
    /// Under the name of each `[rpcinterface:x]` section.
    Supervisor,
    /// Under `system`.
    System,
    /// Under [`OWN_NAMESPACE`]: what the reference does not have. Listed nowhere.
    Own,
}

/// What [`Namespace::System`] is called.
pub(super) const SYSTEM: &str = "system";

/// What [`Namespace::Supervisor`] is called where the configuration does not say otherwise.
pub(crate) const SUPERVISOR: &str = "supervisor";

/// A parameter, as `methodSignature` and `methodHelp` describe it.
#[derive(Debug)]
pub(crate) struct Param {
    /// XML-RPC type.
    pub kind: &'static str,
    /// Name.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
}

/// A published method.
#[derive(Debug)]
pub(crate) struct Method {
    /// Where it is published.
    pub namespace: Namespace,
    /// Its name there.
    pub name: &'static str,
    /// All parameters, optional ones last.
    pub params: &'static [Param],
    /// How many of them must be given.
    pub required: usize,
    /// XML-RPC type of the result.
    pub returns: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Answers during a shutdown too, instead of SHUTDOWN_STATE.
    pub during_shutdown: bool,
    /// How big its answer is.
    pub size: Size,
    /// Does it. The number of parameters has been checked.
    pub(super) handler: Handler,
}

/// Does what a method is for.
type Handler = fn(&mut Supervisor, &mut Outside<'_>, &[Value]) -> Result<Answer, Fault>;

const fn param(kind: &'static str, name: &'static str, about: &'static str) -> Param {
    Param { kind, name, about }
}

/// The process a call is about.
const PROCESS: Param = param("string", "name", "name of a process, `group:process`");
/// The same where a whole group is welcome.
const PROCESSES: Param = param("string", "name", "name of a process, `group:process` or `group:*`");
const GROUP: Param = param("string", "name", "name of a group");
const METHOD: Param = param("string", "name", "name of a method");
const SIGNAL: Param = param("string", "signal", "number or name of the signal");
const READ_OFFSET: Param =
    param("int", "offset", "where to begin, in bytes; negative counts from the end");
const READ_LENGTH: Param = param("int", "length", "bytes wanted; 0 means up to the end");
const TAIL_OFFSET: Param = param("int", "offset", "where the last answer ended");
const TAIL_LENGTH: Param = param("int", "length", "most bytes wanted");

/// A method of the main interface all of whose parameters are required.
const fn supervisor(
    name: &'static str,
    returns: &'static str,
    params: &'static [Param],
    about: &'static str,
    handler: Handler,
) -> Method {
    let (namespace, required) = (Namespace::Supervisor, params.len());
    let (during_shutdown, size) = (false, Size::Small);
    Method { namespace, name, params, required, returns, about, during_shutdown, size, handler }
}

/// The same with an answer that may be big.
const fn big(size: Size, method: Method) -> Method {
    Method { size, ..method }
}

/// Answers with what is read of a log.
const READ: Size = Size::Log { from_end: true };
/// Answers with the tail of one.
const TAIL: Size = Size::Log { from_end: false };

/// One whose last parameter, `wait`, may be left out.
const fn waiting(
    name: &'static str,
    returns: &'static str,
    params: &'static [Param],
    about: &'static str,
    handler: Handler,
) -> Method {
    Method { required: params.len() - 1, ..supervisor(name, returns, params, about, handler) }
}

/// A method of `system`, which knows no shutdown.
const fn system(
    name: &'static str,
    returns: &'static str,
    params: &'static [Param],
    about: &'static str,
    handler: Handler,
) -> Method {
    Method {
        namespace: Namespace::System,
        during_shutdown: true,
        ..supervisor(name, returns, params, about, handler)
    }
}

/// Every method, the reference's aliases included.
pub(crate) static METHODS: &[Method] = &[
    supervisor(
        "getAPIVersion",
        "string",
        &[],
        "Version of this interface.",
        control::get_api_version,
    ),
    supervisor("getVersion", "string", &[], "Old name of getAPIVersion.", control::get_api_version),
    supervisor(
        "getSupervisorVersion",
        "string",
        &[],
        "Release of Supervisor this daemon is compatible with.",
        control::get_supervisor_version,
    ),
    supervisor(
        "getIdentification",
        "string",
        &[],
        "The identifier of this supervisor.",
        control::get_identification,
    ),
    supervisor(
        "getState",
        "struct",
        &[],
        "What the supervisor is doing: statecode and statename.",
        control::get_state,
    ),
    supervisor("getPID", "int", &[], "Process id of the daemon.", control::get_pid),
    big(
        READ,
        supervisor(
            "readLog",
            "string",
            &[READ_OFFSET, READ_LENGTH],
            "A range of the main log.",
            logs::read_log,
        ),
    ),
    big(
        READ,
        supervisor(
            "readMainLog",
            "string",
            &[READ_OFFSET, READ_LENGTH],
            "Old name of readLog.",
            logs::read_log,
        ),
    ),
    supervisor("clearLog", "boolean", &[], "Empties the main log.", logs::clear_log),
    supervisor(
        "shutdown",
        "boolean",
        &[],
        "Stops every process, then the daemon.",
        control::shutdown,
    ),
    supervisor(
        "restart",
        "boolean",
        &[],
        "Stops every process, then starts again with the configuration as it is by then.",
        control::restart,
    ),
    supervisor(
        "reloadConfig",
        "array",
        &[],
        "Reads the configuration again and tells which groups it adds, changes and removes: [[added, changed, removed]]. Nothing is started or stopped.",
        control::reload_config,
    ),
    supervisor(
        "addProcessGroup",
        "boolean",
        &[param("string", "name", "a group of the configuration last read")],
        "Activates a group.",
        control::add_process_group,
    ),
    supervisor(
        "removeProcessGroup",
        "boolean",
        &[param("string", "name", "an active group whose processes are all stopped")],
        "Deactivates a group.",
        control::remove_process_group,
    ),
    waiting(
        "startProcess",
        "boolean",
        &[PROCESSES, param("boolean", "wait", "wait until it runs")],
        "Starts a process.",
        process::start_process,
    ),
    waiting(
        "startProcessGroup",
        "array",
        &[GROUP, param("boolean", "wait", "wait until they run")],
        "Starts every process of a group; one status per process that was not running.",
        process::start_process_group,
    ),
    waiting(
        "startAllProcesses",
        "array",
        &[param("boolean", "wait", "wait until they run")],
        "Starts every process; one status per process that was not running.",
        process::start_all_processes,
    ),
    waiting(
        "stopProcess",
        "boolean",
        &[PROCESSES, param("boolean", "wait", "wait until it has stopped")],
        "Stops a process.",
        process::stop_process,
    ),
    waiting(
        "stopProcessGroup",
        "array",
        &[GROUP, param("boolean", "wait", "wait until they have stopped")],
        "Stops every process of a group; one status per process that was running.",
        process::stop_process_group,
    ),
    waiting(
        "stopAllProcesses",
        "array",
        &[param("boolean", "wait", "wait until they have stopped")],
        "Stops every process; one status per process that was running.",
        process::stop_all_processes,
    ),
    supervisor(
        "signalProcess",
        "boolean",
        &[PROCESSES, SIGNAL],
        "Sends a signal to a process.",
        process::signal_process,
    ),
    supervisor(
        "signalProcessGroup",
        "array",
        &[GROUP, SIGNAL],
        "Sends a signal to every process of a group.",
        process::signal_process_group,
    ),
    supervisor(
        "signalAllProcesses",
        "array",
        &[SIGNAL],
        "Sends a signal to every process.",
        process::signal_all_processes,
    ),
    big(
        Size::Configs,
        supervisor(
            "getAllConfigInfo",
            "array",
            &[],
            "The configuration last read, one struct per process.",
            control::get_all_config_info,
        ),
    ),
    supervisor(
        "getProcessInfo",
        "struct",
        &[PROCESS],
        "State of a process.",
        process::get_process_info,
    ),
    big(
        Size::Infos,
        supervisor(
            "getAllProcessInfo",
            "array",
            &[],
            "State of every process.",
            process::get_all_process_info,
        ),
    ),
    big(
        READ,
        supervisor(
            "readProcessStdoutLog",
            "string",
            &[PROCESS, READ_OFFSET, READ_LENGTH],
            "A range of the stdout log of a process.",
            logs::read_stdout_log,
        ),
    ),
    big(
        READ,
        supervisor(
            "readProcessLog",
            "string",
            &[PROCESS, READ_OFFSET, READ_LENGTH],
            "Old name of readProcessStdoutLog.",
            logs::read_stdout_log,
        ),
    ),
    big(
        READ,
        supervisor(
            "readProcessStderrLog",
            "string",
            &[PROCESS, READ_OFFSET, READ_LENGTH],
            "A range of the stderr log of a process.",
            logs::read_stderr_log,
        ),
    ),
    big(
        TAIL,
        supervisor(
            "tailProcessStdoutLog",
            "array",
            &[PROCESS, TAIL_OFFSET, TAIL_LENGTH],
            "What was added to the stdout log of a process: [bytes, offset of the end, overflow]. On overflow the bytes are the last of the log.",
            logs::tail_stdout_log,
        ),
    ),
    big(
        TAIL,
        supervisor(
            "tailProcessLog",
            "array",
            &[PROCESS, TAIL_OFFSET, TAIL_LENGTH],
            "Old name of tailProcessStdoutLog.",
            logs::tail_stdout_log,
        ),
    ),
    big(
        TAIL,
        supervisor(
            "tailProcessStderrLog",
            "array",
            &[PROCESS, TAIL_OFFSET, TAIL_LENGTH],
            "What was added to the stderr log of a process: [bytes, offset of the end, overflow]. On overflow the bytes are the last of the log.",
            logs::tail_stderr_log,
        ),
    ),
    supervisor(
        "clearProcessLogs",
        "boolean",
        &[PROCESS],
        "Empties the logs of a process that is alive.",
        logs::clear_process_logs,
    ),
    supervisor(
        "clearProcessLog",
        "boolean",
        &[PROCESS],
        "Old name of clearProcessLogs.",
        logs::clear_process_logs,
    ),
    supervisor(
        "clearAllProcessLogs",
        "array",
        &[],
        "Empties the logs of every process that is alive; one status per process.",
        logs::clear_all_process_logs,
    ),
    supervisor(
        "sendProcessStdin",
        "boolean",
        &[PROCESS, param("string", "chars", "text to write, sent as UTF-8")],
        "Writes to the stdin of a process.",
        process::send_process_stdin,
    ),
    Method {
        during_shutdown: true,
        ..supervisor(
            "sendRemoteCommEvent",
            "boolean",
            &[
                param("string", "type", "text for the header of the event"),
                param("string", "data", "body of the event"),
            ],
            "Sends an event to the listeners of REMOTE_COMMUNICATION.",
            control::send_remote_comm_event,
        )
    },
    Method {
        namespace: Namespace::Own,
        required: 0,
        ..supervisor(
            "reopenLogs",
            "array",
            &[PROCESSES],
            "Reopens the logs of a process or of a group, or those of all and the main log; one status for each.",
            logs::reopen_logs,
        )
    },
    system("listMethods", "array", &[], "Names of all methods.", system_methods::list_methods),
    system("methodHelp", "string", &[METHOD], "What a method is for.", system_methods::method_help),
    system(
        "methodSignature",
        "array",
        &[METHOD],
        "Type of the result, then of each parameter.",
        system_methods::method_signature,
    ),
    big(
        Size::Results,
        system(
            "multicall",
            "array",
            &[param("array", "calls", "structs with methodName and params")],
            "Makes several calls, one after the other. Each result is the bare value, or a struct with faultCode and faultString.",
            system_methods::multicall,
        ),
    ),
];

/// What the table calls a method: a bounded set of names, whatever clients send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TableName {
    namespace: &'static str,
    name: &'static str,
}

impl Display for TableName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.namespace, self.name)
    }
}

/// The name in the table of a method that clients call so, whatever its interface is published as.
pub(crate) fn table_name(method: &str) -> Option<TableName> {
    let (published, name) = method.split_once('.')?;
    let named = |namespace, called| {
        find(namespace, name).map(|method| TableName { namespace: called, name: method.name })
    };
    match published {
        SYSTEM => named(Namespace::System, SYSTEM),
        _ => named(Namespace::Supervisor, SUPERVISOR).or_else(|| {
            let own = published == OWN_NAMESPACE;
            own.then(|| named(Namespace::Own, OWN_NAMESPACE)).flatten()
        }),
    }
}

/// The method of a name.
pub(super) fn find(namespace: Namespace, name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.namespace == namespace && method.name == name)
}
