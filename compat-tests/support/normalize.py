"""Removes from an observation what may differ between two runs of the same daemon: pids, times, paths."""

import difflib
import pprint
import re
import xmlrpc.client

_TIMESTAMP = re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}\b")
_RULES = [
    # Our start-up line, which the reference does not have (QUIRKS.md: log).
    (re.compile(r"(?m)^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} INFO supervisord-rs \S+, compatible with .*\n?"), ""),
    (_TIMESTAMP, "<TIME>"),
    (re.compile(r"\b(pid|PID) \d+"), r"\1 <PID>"),
    (re.compile(r"\(\d+\)(?=:| with)"), "(<PID>)"),
    (re.compile(r"uptime (\d+ days?, )?\d+:\d\d:\d\d"), "uptime <UPTIME>"),
    (re.compile(r"\b[A-Z][a-z]{2} \d\d \d\d:\d\d [AP]M\b"), "<DATE>"),
    # AUTO log names end in eight random characters.
    (re.compile(r"(-std(?:out|err)---.+?-)\w{8}(?=\.log)"), r"\1<RANDOM>"),
]
_TIMES = ("start", "stop", "now")


def text(value, places=()):
    """`value` without pids, times and the paths in `places` (pairs of text and replacement)."""
    for found, name in places:
        value = value.replace(found, name)
    for pattern, replacement in _RULES:
        value = pattern.sub(replacement, value)
    return value


def value(thing, places=()):
    """A comparable form of anything an observation may hold."""
    if isinstance(thing, str):
        return text(thing, places)
    if isinstance(thing, bytes):
        return text(thing.decode("utf-8", "backslashreplace"), places)
    if isinstance(thing, dict):
        return {key: _field(key, item, places) for key, item in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [value(item, places) for item in thing]
    if isinstance(thing, xmlrpc.client.Fault):
        return {"fault": thing.faultCode, "text": text(thing.faultString, places)}
    if isinstance(thing, xmlrpc.client.ProtocolError):
        return {"http status": thing.errcode}
    return thing


def _field(key, item, places):
    if isinstance(item, int) and key in _TIMES:
        return "<TIME>" if item else 0
    if isinstance(item, int) and key == "pid":
        return "<PID>" if item else 0
    return value(item, places)


def difference(left, right):
    """The observations in which two records differ, as text; empty when they agree."""
    lines = []
    for index in range(max(len(left), len(right))):
        one = left[index] if index < len(left) else ("(no observation)", None)
        two = right[index] if index < len(right) else ("(no observation)", None)
        if one == two:
            continue
        if one[0] != two[0]:
            lines.append(f"- {one[0]}\n    {_indent(one[1])}\n+ {two[0]}\n    {_indent(two[1])}")
            break  # the scenarios took different ways; the rest cannot be compared
        lines.append(f"  {one[0]}\n" + "\n".join(_differing_lines(one[1], two[1])))
    return "\n".join(lines)


def _pretty(thing):
    return pprint.pformat(thing, width=130)


def _indent(thing):
    return _pretty(thing).replace("\n", "\n    ")


def _differing_lines(left, right):
    """The lines that differ with their neighbourhood, so that a difference is not lost in a long answer."""
    lines = difflib.unified_diff(_pretty(left).splitlines(), _pretty(right).splitlines(), n=4, lineterm="")
    return [f"  {line}" for line in lines if not line.startswith(("---", "+++", "@@"))]
