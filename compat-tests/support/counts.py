"""Reads what the Rust tests printed and what pytest reported; prints the slowest ten and the counts of both.

    counts.py [--rust OUTPUT] [--python JUNIT] [--broke] [--only KEYWORD]

OUTPUT is what cargo nextest or cargo test printed, JUNIT a report of pytest's; what is not named was left out. --broke: one
of the two did not end well. Ends with 1 when a test failed or a run broke, and when no test had the KEYWORD.
"""

import argparse
import re
import sys
import xml.etree.ElementTree
from typing import NamedTuple

SLOWEST = 10
# The end of a test. Failures are told once more at the end of the run.
NEXTEST_END = re.compile(r"^\s*(?:PASS|FAIL|SIGABRT|SIGSEGV|LEAK|TIMEOUT) \[\s*([\d.]+)s\](?: \(\s*\d+/\d+\))? \S+ (\S+)", re.M)
NEXTEST_SUMMARY = re.compile(r"^\s*Summary \[.*?\] .*? run: (.*)$", re.M)
CARGO_SUMMARY = re.compile(r"^test result: \S+ (\d+) passed; (\d+) failed", re.M)
# Colours, which a terminal gets.
ESCAPES = re.compile(r"\x1b\[[\d;]*m")


class Counts(NamedTuple):
    """How the tests of one language ended, and the seconds of each whose time is known."""

    passed: int
    failed: int
    skipped: int
    times: list

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed"


def rust(output):
    """The counts of cargo nextest, which knows times, or of cargo test, which does not."""
    output = ESCAPES.sub("", output)
    passed = failed = 0
    for summary in NEXTEST_SUMMARY.findall(output):
        for count, end in re.findall(r"(\d+) (\w+)", re.sub(r"\([^)]*\)", "", summary)):
            passed += int(count) * (end == "passed")
            failed += int(count) * (end in ("failed", "timed", "exec"))
    for count, broken in CARGO_SUMMARY.findall(output):
        passed, failed = passed + int(count), failed + int(broken)
    ends = {name: float(secs) for secs, name in NEXTEST_END.findall(output)}
    return Counts(passed, failed, 0, [(secs, f"rust {name}") for name, secs in ends.items()])


def python(report):
    """The counts of a JUnit report; errors count as failures."""
    cases = list(report.iter("testcase"))
    failed = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
    skipped = sum(1 for case in cases if case.find("skipped") is not None)
    # The class is the path of the file, with dots.
    times = [(float(case.get("time", 0)), f"python {case.get('classname').replace('.', '/')}.py::{case.get('name')}") for case in cases]
    return Counts(len(cases) - failed - skipped, failed, skipped, times)


def main(words):
    parser = argparse.ArgumentParser()
    parser.add_argument("--rust")
    parser.add_argument("--python")
    parser.add_argument("--broke", action="store_true")
    parser.add_argument("--only")
    asked = parser.parse_args(words)
    parts = {}
    if asked.rust:
        with open(asked.rust, encoding="utf-8", errors="replace") as output:
            parts["rust"] = rust(output.read())
    if asked.python:
        try:
            parts["python"] = python(xml.etree.ElementTree.parse(asked.python))
        except (OSError, xml.etree.ElementTree.ParseError):
            # pytest ended before it could report.
            parts["python"] = Counts(0, 1, 0, [])
    passed, failed = sum(part.passed for part in parts.values()), sum(part.failed for part in parts.values())
    if asked.only is None:
        print(f"the slowest {SLOWEST}:")
        for secs, name in sorted((each for part in parts.values() for each in part.times), reverse=True)[:SLOWEST]:
            print(f"{secs:8.1f} s  {name}")
    elif not passed + failed + sum(part.skipped for part in parts.values()):
        print(f"no test has {asked.only!r} in its name")
        failed = 1
    # A run that broke before its first test is a failure too.
    failed = failed or int(asked.broke)
    print("; ".join(f"{name}: {parts.get(name, 'left out')}" for name in ("rust", "python")))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
