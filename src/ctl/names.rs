//! The words of an action's argument: flags, and names, which may have wildcards as `web-*` has. The reference knows
//! `group:*` only, and says of others that there is no such process; so does this where nothing matches.

use glob::Pattern;

use super::failure::Outcome;
use super::info::ProcessInfo;
use super::session::Session;
use crate::core::text;

/// The names of an action's argument, wildcards replaced by what they match. Asks the daemon only if there are any.
pub(crate) fn of(session: &mut Session, argument: &str) -> Outcome<Vec<String>> {
    let names = words(argument);
    if !names.iter().any(|name| has_wildcard(name)) {
        return Ok(names);
    }
    let infos = ProcessInfo::read_all(session.call("getAllProcessInfo", &[])?)?;
    Ok(expand(names, &infos))
}

/// The words of an argument (`str.split()`), bytes that are not UTF-8 as the daemon shows them.
pub(crate) fn words(argument: &str) -> Vec<String> {
    let words = argument.split(crate::core::python::is_space);
    words.filter(|word| !word.is_empty()).map(|word| text::shown(word).into_owned()).collect()
}

/// Removes a flag from the words; whether it was there.
pub(crate) fn take_flag(words: &mut Vec<String>, flag: &str) -> bool {
    let before = words.len();
    words.retain(|word| word != flag);
    words.len() < before
}

/// Replaces each name with a wildcard by the processes it matches, in the daemon's order. One that is the very name of
/// a process, or that matches nothing, stays.
pub(crate) fn expand(names: Vec<String>, infos: &[ProcessInfo]) -> Vec<String> {
    let mut expanded = Vec::with_capacity(names.len());
    for name in names {
        let literal = !has_wildcard(&name) || infos.iter().any(|info| info.namespec() == name);
        let matched = if literal { Vec::new() } else { matches(&name, infos) };
        if matched.is_empty() {
            expanded.push(name);
        } else {
            expanded.extend(matched);
        }
    }
    expanded
}

fn has_wildcard(name: &str) -> bool {
    let name = name.strip_suffix(":*").unwrap_or(name);
    name.contains(['*', '?', '['])
}

/// What a pattern names: `group:process` matches both parts, `group:*` whole groups, and one without a colon either
/// the name that `status` shows or the process's own.
fn matches(pattern: &str, infos: &[ProcessInfo]) -> Vec<String> {
    let Some((group, process)) = pattern.split_once(':') else {
        let Ok(pattern) = Pattern::new(pattern) else { return Vec::new() };
        let fits =
            |info: &&ProcessInfo| pattern.matches(&info.namespec()) || pattern.matches(&info.name);
        return infos.iter().filter(fits).map(ProcessInfo::namespec).collect();
    };
    let Ok(group) = Pattern::new(group) else { return Vec::new() };
    let of_groups = infos.iter().filter(|info| group.matches(&info.group));
    if matches!(process, "" | "*") {
        let mut groups: Vec<String> = of_groups.map(|info| format!("{}:*", info.group)).collect();
        groups.dedup();
        return groups;
    }
    let Ok(process) = Pattern::new(process) else { return Vec::new() };
    of_groups.filter(|info| process.matches(&info.name)).map(ProcessInfo::namespec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::value::Value;

    fn info(group: &str, name: &str) -> ProcessInfo {
        ProcessInfo {
            group: group.to_string(),
            name: name.to_string(),
            state: 20,
            statename: "RUNNING".to_string(),
            description: String::new(),
            pid: 1,
            value: Value::Nil,
        }
    }

    #[test]
    fn patterns() {
        let infos = [
            info("api", "api"),
            info("odd*", "odd*"),
            info("web", "web_0"),
            info("web", "web_1"),
            info("worker", "main"),
        ];
        for (name, found) in [
            ("api", vec!["api"]),
            ("a*", vec!["api"]),
            ("web_?", vec!["web:web_0", "web:web_1"]),
            ("web:*_1", vec!["web:web_1"]),
            ("w*:*", vec!["web:*", "worker:*"]),
            ("w*:", vec!["web:*", "worker:*"]),
            ("w*", vec!["web:web_0", "web:web_1", "worker:main"]),
            ("*[0m]*", vec!["web:web_0", "worker:main"]),
            ("web:*", vec!["web:*"]),
            ("nope*", vec!["nope*"]),
            ("odd*", vec!["odd*"]),
            ("[", vec!["["]),
            ("***", vec!["***"]),
            ("a**", vec!["a**"]),
        ] {
            assert_eq!(expand(vec![name.to_string()], &infos), found, "{name}");
        }
    }

    #[test]
    fn words_as_python_splits() {
        assert_eq!(words(" a\t b\u{1c}c "), ["a", "b", "c"]);
    }
}
