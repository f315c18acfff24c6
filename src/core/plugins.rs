//! What the core knows of plugins in Python: their names, their methods as `system.*` tells of them, and which events they
//! watch. They run in a helper process; a call of theirs is a job of the shell, and so is what a result handler of theirs
//! makes of a result.

use super::event::{EVENT_TYPES, EventKind};
use super::value::Value;

/// Most types of events that plugins may watch: each once.
const MAX_WATCHED: usize = EVENT_TYPES.len();

/// A method of a plugin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PluginMethod {
    /// Its name without the namespace.
    pub name: String,
    /// What `methodHelp` answers.
    pub help: String,
    /// What `methodSignature` answers; `None` when its help does not tell.
    pub signature: Option<Vec<String>>,
}

/// The methods of the plugin that one server has under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Published {
    /// The namespace.
    pub name: String,
    /// What is listed of it; more than that may be called.
    pub methods: Vec<PluginMethod>,
}

/// A call of a plugin's method.
#[derive(Clone, Debug, PartialEq)]
pub struct PluginCall {
    /// The server that was asked, by its place in the configuration: each has a plugin of its own.
    pub server: usize,
    /// The name of the `[rpcinterface:x]`.
    pub namespace: String,
    /// The method.
    pub method: String,
    /// Its parameters.
    pub params: Vec<Value>,
}

/// What is known of plugins.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    /// Namespaces, in the order of the configuration.
    names: Vec<String>,
    /// What each server publishes; empty before the plugins are there.
    servers: Vec<Vec<Published>>,
    /// Types of events that are told to them.
    watched: Vec<String>,
}

impl Plugins {
    /// Plugins of these names that have not been made yet.
    pub(super) fn new(names: Vec<String>) -> Plugins {
        Plugins { names, ..Plugins::default() }
    }

    /// Whether a namespace is a plugin's.
    pub(super) fn has(&self, namespace: &str) -> bool {
        self.names.iter().any(|name| name == namespace)
    }

    /// The plugins of a server are made.
    pub(super) fn publish(&mut self, servers: Vec<Vec<Published>>) {
        self.servers = servers;
    }

    /// What a server publishes of plugins: namespaces and their methods.
    pub(super) fn published(
        &self,
        server: usize,
    ) -> impl Iterator<Item = (&str, &PluginMethod)> + use<'_> {
        let namespaces = self.servers.get(server).map(Vec::as_slice).unwrap_or_default();
        namespaces.iter().filter(|namespace| self.has(&namespace.name)).flat_map(|namespace| {
            namespace.methods.iter().map(move |method| (namespace.name.as_str(), method))
        })
    }

    /// From now on they watch events of these types, and no others.
    pub(super) fn watch(&mut self, mut types: Vec<String>) {
        types.sort_unstable();
        types.dedup();
        types.truncate(MAX_WATCHED);
        self.watched = types;
    }

    /// Whether they watch anything.
    pub(super) fn watch_any(&self) -> bool {
        !self.watched.is_empty()
    }

    /// Whether they watch events of this kind.
    pub(super) fn watches(&self, kind: EventKind) -> bool {
        kind.matches(&self.watched) > 0
    }
}
