//! The core's verbs carried out by the operating system, and the descriptors of the programs that live.

use std::cell::Cell;
use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::rc::Rc;

use super::autolog;
use super::child::{self, SpawnPlan, Surroundings};
use super::command;
use super::disk::{Disk, Missing, SinkSpec};
use super::mainlog::MainLog;
use super::pump::{OutputPump, PumpConfig};
use super::stdin::StdinPipe;
use crate::core::config::{ChannelConfig, GroupKind, LogFile, ProcessConfig, Settings};
use crate::core::effect::{
    CommandError, Host, KillError, ProcId, ResolvedCommand, SpawnRequest, StdinError,
};

/// What the daemon holds of a living program.
struct Child {
    pid: i32,
    stdin: Option<StdinPipe>,
    outputs: Vec<OutputPump>,
}

/// The operating system's side of the programs.
pub struct OsHost {
    surroundings: Surroundings,
    /// Where commands without a slash are looked for, unless the program's environment says otherwise.
    search_path: Vec<String>,
    disk: Disk,
    main_log: MainLog,
    strip_ansi: Rc<Cell<bool>>,
    childlogdir: String,
    identifier: String,
    children: HashMap<ProcId, Child>,
}
