"""Every test that QUIRKS.md names exists."""

import re

from harness import REPO, TESTS


def defined():
    """Names of the functions of all tests, in Python and in Rust."""
    names = set()
    for path in TESTS.glob("*/test_*.py"):
        names |= set(re.findall(r"^def (\w+)", path.read_text(encoding="utf-8"), re.M))
    for path in (REPO / "src").rglob("*.rs"):
        names |= set(re.findall(r"\bfn (\w+)", path.read_text(encoding="utf-8")))
    return names


def cited():
    """The tests named in the last column of the tables."""
    for line in (TESTS / "QUIRKS.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| ") and not line.startswith("| what"):
            cells = line.strip("| ").split(" | ")
            names = re.findall(r"`([^`]+)`", cells[-1])
            yield line, names


def test_every_row_names_a_test_that_exists():
    known = defined()
    missing = []
    for line, names in cited():
        assert names, f"no test is named: {line}"
        for name in names:
            if "/" in name:
                if not (TESTS / name).exists():
                    missing.append(name)
            elif name not in known:
                missing.append(name)
    assert missing == []
