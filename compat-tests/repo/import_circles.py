"""Circles of imports between the files of the crate: which file needs which, and which arrows close a circle.

An arrow goes from a file to the file in which the named thing stands, not to those on the way that only pass it on: a
`pub use` is no arrow, and whoever names what it passes on has one to the source. Nor is the declaration of a module. A
method called on a value is no arrow either: whoever calls it has the value's type from somewhere.
"""

import re
from pathlib import Path

from import_rules import expand, is_test, sources, split_tests, without_comments_and_strings

# Arrows that close a circle, and why they may. With them taken away no circle is left; each of them is needed for that.
EXCEPTED = {
    "a call of many makes calls, and each may be waited for": (
        ("core/rpc/multi.rs", "core/rpc/mod.rs"),
        ("core/rpc/wait.rs", "core/rpc/batch.rs"),
        ("core/rpc/wait.rs", "core/rpc/multi.rs"),
    ),
    "the methods of the table tell what the table says": (
        ("core/rpc/system.rs", "core/rpc/methods.rs"),
        ("core/rpc/system.rs", "core/rpc/mod.rs"),
        ("core/rpc/weight.rs", "core/rpc/methods.rs"),
    ),
    "a child starts as the binary that becomes it, and both talk through the pipes of a fork": (
        ("daemon/becoming.rs", "daemon/child.rs"),
        ("daemon/daemonize.rs", "daemon/child.rs"),
    ),
    "the disk's parts keep to the bounds and words that its top gives to all": (
        ("daemon/disk/lane.rs", "daemon/disk/mod.rs"),
        ("daemon/disk/queue.rs", "daemon/disk/mod.rs"),
        ("daemon/disk/sink.rs", "daemon/disk/mod.rs"),
        ("daemon/disk/syslog.rs", "daemon/disk/mod.rs"),
        ("daemon/disk/thread.rs", "daemon/disk/mod.rs"),
    ),
    "lines for syslog are queued, and the queue carries them": (
        ("daemon/disk/queue.rs", "daemon/disk/syslog.rs"),
    ),
    "a walk ends at a place, or is refused like one": (
        ("place/walk.rs", "place/mod.rs"),
    ),
    "every part of the parser fails in the parser's words": (
        ("xmlrpc/document.rs", "xmlrpc/parse.rs"),
        ("xmlrpc/namespaces.rs", "xmlrpc/document.rs"),
        ("xmlrpc/namespaces.rs", "xmlrpc/parse.rs"),
        ("xmlrpc/tag.rs", "xmlrpc/document.rs"),
        ("xmlrpc/tag.rs", "xmlrpc/parse.rs"),
    ),
}
USE = re.compile(r"\b(?P<passed_on>pub(?:\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
# A path below a module; `pub(in path)` is not one.
IN_PLACE = re.compile(r"(?<![\w:])(?<!\bin )\w+(?:::\w+)+")


class Module:
    """A file of the crate: the names it brings in and passes on, and the paths that its code spells."""

    def __init__(self, path, text):
        self.file = path.as_posix()
        parts = path.with_suffix("").parts
        self.name = parts[:-1] if parts[-1] in ("mod", "lib") else parts
        code = split_tests(without_comments_and_strings(text))
        # Absolute paths by the name they go by in this file; those that are passed on, likewise.
        self.imported, self.passed_on = {}, {}
        for found in USE.finditer(code):
            for path_, alias in self._leaves(found["tree"]):
                (self.passed_on if found["passed_on"] else self.imported)[alias] = path_
        self.body = USE.sub("", code)
        self.words = set(re.findall(r"\w+", self.body))
        self.spelled = {tuple(each.split("::")) for each in IN_PLACE.findall(self.body)}

    def _leaves(self, tree):
        """The paths of a use tree as (absolute path, name in this file)."""
        # `expand` drops other names; they are told from the tree as it stands.
        renamed = dict(re.findall(r"(\w+)\s+as\s+(\w+)", tree))
        for leaf in expand(re.sub(r"\s+", " ", tree)):
            parts = tuple(part for part in re.sub(r"\s", "", leaf).split("::") if part)
            if parts[-1] == "self" and len(parts) > 1:
                parts = parts[:-1]
            yield self.absolute(parts), renamed.get(parts[-1], parts[-1])

    def absolute(self, parts):
        """A path with `crate`, `self` and `super` resolved; others as they are."""
        if parts[0] == "crate":
            return parts[1:]
        if parts[0] == "self":
            return (*self.name, *parts[1:])
        ups = 0
        while ups < len(parts) and parts[ups] == "super":
            ups += 1
        if ups:
            # More ups than there are modules come from inline modules.
            return (*self.name[:max(len(self.name) - ups, 0)], *parts[ups:])
        return parts


class Crate:
    """All files below a `src`, without tests and without `main.rs`, which only calls the library."""

    def __init__(self, root):
        self.modules = {}
        for path, text in sources(Path(root)):
            if not is_test(path) and path.name != "main.rs":
                module = Module(path, text)
                self.modules[module.name] = module

    def home(self, path):
        """The module in which the thing at an absolute path stands; None for what is not the crate's."""
        for _ in range(len(self.modules)):
            for length in range(len(path), 0, -1):
                module = self.modules.get(path[:length])
                if module:
                    break
            else:
                return None
            onward = module.passed_on.get(path[length]) if length < len(path) else None
            if onward is None:
                return module
            path = (*self._below(module, onward), *path[length + 1:])
        raise AssertionError(f"{path} is passed on in a circle")

    def _below(self, module, path):
        """A path as a file has it: first what it has below itself, then what stands at the root."""
        return (*module.name, *path) if (*module.name, path[0]) in self.modules else path

    def _paths(self, module):
        """The absolute paths of everything a file needs."""
        brought = {**module.passed_on, **module.imported}
        for alias, path in brought.items():
            whole = self._below(module, path)
            # The name of a module alone needs nothing; what is named below it is found among the spelled paths.
            needed = alias in module.imported or alias in module.words
            if needed and whole not in self.modules:
                yield whole
        for parts in module.spelled:
            if parts[0] in brought:
                yield (*self._below(module, brought[parts[0]]), *parts[1:])
            elif parts[0] in ("crate", "self", "super"):
                yield module.absolute(parts)
            elif (*module.name, parts[0]) in self.modules:
                yield (*module.name, *parts)

    def arrows(self):
        """For each file the files it needs, with the paths that say so."""
        found = {module.file: {} for module in self.modules.values()}
        for module in self.modules.values():
            for path in self._paths(module):
                home = self.home(path)
                if home and home is not module:
                    found[module.file].setdefault(home.file, set()).add("::".join(path))
        return found


def without(arrows, excepted):
    """The arrows but for some, given as pairs of files."""
    return {start: {end: why for end, why in ends.items() if (start, end) not in excepted} for start, ends in arrows.items()}


def way(arrows, start, end):
    """The files of a shortest way from one file to another, both included; empty when there is none."""
    before, edge = {start: None}, [start]
    while edge:
        following = []
        for file in edge:
            for other in arrows.get(file, ()):
                if other not in before:
                    before[other] = file
                    following.append(other)
        if end in before:
            break
        edge = following
    if end not in before:
        return []
    files = [end]
    while files[-1] != start:
        files.append(before[files[-1]])
    return files[::-1]


def circles(arrows):
    """The shortest circle through each arrow that is part of one; each circle once, beginning with its first file."""
    found = set()
    for start, ends in arrows.items():
        for end in ends:
            files = way(arrows, end, start)
            if files:
                first = files.index(min(files))
                found.add((*files[first:], *files[:first]))
    return sorted(found)


def complaints(arrows, excepted):
    """What is wrong: circles that no exception explains, and exceptions that stand for no circle any more."""
    kept = without(arrows, excepted)
    wrong = ["a circle: " + " -> ".join((*files, files[0])) for files in circles(kept)]
    for start, end in excepted:
        if end not in arrows.get(start, ()):
            wrong.append(f"{start} no longer needs {end}; strike the exception")
        elif not way(kept, end, start):
            wrong.append(f"{start} -> {end} closes no circle; strike the exception")
    return wrong
