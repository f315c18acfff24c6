//! Which plugins there are.

use crate::core::config::{Config, RpcInterface, ServerConfig};

/// What plugins there are, and whose.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The RPC interfaces in Python.
    pub(super) interfaces: Vec<RpcInterface>,
    /// Result handlers, and the sections that name them.
    pub(super) handlers: Vec<(String, String)>,
    pub(super) servers: Vec<ServerConfig>,
    pub(super) python: Option<String>,
}

impl Plan {
    /// The plugins of a configuration.
    pub(crate) fn of(config: &Config) -> Plan {
        let handlers = config.python_handlers();
        Plan {
            interfaces: config.python_interfaces().cloned().collect(),
            handlers: handlers.map(|(section, spec)| (section, spec.to_string())).collect(),
            servers: config.servers.clone(),
            python: config.settings.python.clone(),
        }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.interfaces.is_empty() && self.handlers.is_empty()
    }
}
