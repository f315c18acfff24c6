//! What a process is started with.

use crate::native;

/// Environment variables in their order, and a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environ {
    pairs: Vec<(String, String)>,
    directory: String,
}

impl Environ {
    /// The variables and the current directory of this process; to be asked before it goes to another.
    pub fn of_process() -> Environ {
        let pairs = std::env::vars_os();
        Environ::from_pairs(pairs.map(|(name, value)| (native::text(name), native::text(value))))
    }

    /// The given variables, and the current directory.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Environ {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        let directory = std::env::current_dir().map(native::text).unwrap_or_default();
        Environ { pairs, directory }
    }

    /// The same variables in another directory.
    #[cfg(test)]
    pub(super) fn in_directory(self, directory: &str) -> Environ {
        Environ { directory: directory.to_string(), ..self }
    }

    /// Where relative names begin; empty when that directory is gone.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The variables, in order.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.pairs
    }
}
