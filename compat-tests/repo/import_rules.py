"""Which module of the crate may use which, read from the `use crate::` paths of the sources (see ARCHITECTURE.md)."""

import re
from pathlib import Path

# Paths below `crate::` that each top module may name. A prefix allows everything below it.
ALLOWED = {
    "core": ["core"],
    "native": ["native", "core"],
    "config": ["config", "core", "native"],
    "xmlrpc": ["xmlrpc", "core"],
    "sys": ["sys", "core"],
    "place": ["place", "sys"],
    "daemon": ["daemon", "core", "native", "place", "sys"],
    "http": ["http", "core", "xmlrpc", "daemon::handle", "daemon::excerpt", "daemon::follow", "daemon::usage", "native",
             "place", "sys"],
    "ctl": ["ctl", "core", "config", "xmlrpc", "native", "sys", "python_host"],
    "check": ["check", "core", "config", "native", "place", "sys", "daemon::command", "daemon::privileges"],
    "pidproxy": ["pidproxy", "core", "native", "sys"],
    "echo": ["echo"],
    "python_host": ["python_host"],
    "plugins": ["plugins", "core", "xmlrpc", "native", "sys", "python_host", "daemon::environment",
                "daemon::handle", "daemon::plugins"],
    "launchers": [],
    "testing": [],
}
# These compose everything. Nothing may use them.
COMPOSERS = {"dispatch", "run", "main", "lib", "parts"}
# What the core must do without: I/O, a clock, an event loop.
FORBIDDEN_IN_CORE = re.compile(
    r"\b(tokio|nix|libc|hyper|jiff)::|\bstd::(fs|net|process|thread|os)\b|\b(Instant|SystemTime)\b")
# Constants of the crate itself that any module may name.
ROOT_ITEMS = {"SUPERVISOR_VERSION", "VERSION"}
MAX_LINES = 520


def sources(root):
    """The Rust files below `src`, with their paths relative to it."""
    return sorted((path.relative_to(root), path.read_text(encoding="utf-8")) for path in Path(root).rglob("*.rs"))


def without_comments_and_strings(text):
    """The code of a file: comments and the contents of strings removed, line ends kept."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|r(?P<h>#*)".*?"(?P=h)|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
    return pattern.sub(lambda found: "\n" * found.group().count("\n"), text)


def is_test(path):
    """Whether a file holds only tests."""
    return path.stem == "tests" or path.stem.endswith("_tests") or not {"tests", "sim"}.isdisjoint(path.parts[:-1])


def split_tests(code):
    """The code before the test module at a file's end."""
    return re.split(r"#\[cfg\(test\)\]\s*(?:pub(?:\([a-z]+\))?\s+)?mod\s+\w+\s*\{", code)[0]


def expand(tree):
    """The paths of a use tree: `a::{b, c::{d, e}}` gives a::b, a::c::d, a::c::e."""
    tree = tree.strip()
    opening = tree.find("{")
    if opening < 0:
        return [re.sub(r"\s+as\s+\w+$", "", tree)]
    prefix, inner, depth, parts, start = tree[:opening], tree[opening + 1:tree.rindex("}")], 0, [], 0
    for index, char in enumerate(inner + ","):
        depth += {"{": 1, "}": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(inner[start:index])
            start = index + 1
    return [prefix + path for part in parts if part.strip() for path in expand(part)]


def imports(code):
    """The paths of all use declarations, one by one."""
    return [re.sub(r"\s+", "", each) for tree in re.findall(r"\buse\s+([^;]+);", code) for each in expand(tree)]


def used(path, code):
    """The paths below the crate's root that a file names, whether by `use`, in place, or by `super`."""
    module = [part for part in path.with_suffix("").parts if part not in ("mod", "lib", "main")]
    found = imports(code)
    found += re.findall(r"\bcrate(?:::\w+)+|\b(?:super::)+\w+(?:::\w+)*", re.sub(r"\buse\s+[^;]+;", "", code))
    for name in found:
        parts = name.split("::")
        if parts[0] == "crate":
            yield "::".join(parts[1:])
        elif parts[0] == "super":
            ups = len([part for part in parts if part == "super"])
            # More ups than there are modules come from inline modules; those stay in the file.
            if ups <= len(module) and ups == len(module):
                yield "::".join(parts[ups:])


def allowed(target, permitted):
    """Whether a path is one of the permitted ones or lies below one."""
    return any(target == each or target.startswith(each + "::") for each in permitted)


def violations(root):
    """Every broken rule, as `file: what`."""
    broken = []
    for path, text in sources(root):
        top = path.parts[0].removesuffix(".rs")
        whole = without_comments_and_strings(text)
        code = "" if is_test(path) else split_tests(whole)
        if top not in COMPOSERS:
            if top not in ALLOWED:
                broken.append(f"{path}: the module {top} has no rule")
                continue
            for target in used(path, code):
                if target.split("::")[0] not in ROOT_ITEMS and not allowed(target, ALLOWED[top]):
                    broken.append(f"{path}: {top} may not use {target}")
        if top == "core":
            spelled = "\n".join([code, *imports(code)])
            broken += [f"{path}: core may not use {found}" for found in
                       sorted({found.group() for found in FORBIDDEN_IN_CORE.finditer(spelled)})]
        if top != "sys" and re.search(r"\bunsafe\s*(\{|fn\b|impl\b|extern\b)", whole):
            broken.append(f"{path}: unsafe outside of sys.rs")
        if len(code.splitlines()) > MAX_LINES:
            broken.append(f"{path}: {len(code.splitlines())} lines without tests, {MAX_LINES} are allowed")
        if re.search(r"\b(TODO|FIXME|XXX)\b", text):
            broken.append(f"{path}: an open end (TODO)")
    return broken
