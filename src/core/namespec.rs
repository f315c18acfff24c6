//! Namespecs: how clients name a process (`web`, `group:web`) or a whole group (`group:*`, `group:`).

/// What a namespec names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Namespec<'a> {
    /// The group's name.
    pub group: &'a str,
    /// The process's name; `None` for `group:*` and `group:`, which name the whole group.
    pub process: Option<&'a str>,
}

/// Splits at the first colon; a name without one names the process of that name in the group of that name.
pub(crate) fn split(namespec: &str) -> Namespec<'_> {
    match namespec.split_once(':') {
        None => Namespec { group: namespec, process: Some(namespec) },
        Some((group, "" | "*")) => Namespec { group, process: None },
        Some((group, process)) => Namespec { group, process: Some(process) },
    }
}

/// The short form when group and process share a name, `group:process` otherwise.
pub(crate) fn join(group: &str, process: &str) -> String {
    if group == process { process.to_string() } else { format!("{group}:{process}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_at_the_first_colon_only() {
        assert_eq!(split("a:b:c"), Namespec { group: "a", process: Some("b:c") });
        assert_eq!(split("a"), Namespec { group: "a", process: Some("a") });
        assert_eq!(split("a:*"), Namespec { group: "a", process: None });
        assert_eq!(split("a:"), Namespec { group: "a", process: None });
        assert_eq!(split(""), Namespec { group: "", process: Some("") });
    }

    #[test]
    fn joins_in_the_short_form() {
        assert_eq!(join("web", "web"), "web");
        assert_eq!(join("web", "web_1"), "web:web_1");
    }
}
