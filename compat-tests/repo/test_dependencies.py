"""What deny.toml asks of the dependencies, but for advisories: licences, duplicates, sources. cargo-deny asks the same."""

import json
import re
import subprocess
import tomllib
from collections import defaultdict

import pytest

from harness import REPO


@pytest.fixture(scope="module")
def rules():
    return tomllib.loads((REPO / "deny.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def packages():
    """Everything of every platform that stands in Cargo.lock, as cargo describes it."""
    done = subprocess.run(["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"], cwd=REPO, check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)["packages"]


def words(expression):
    """The words of an SPDX expression; the slash of old manifests is an OR, an exception belongs to its licence."""
    joined = re.sub(r"(\S+) WITH (\S+)", r"\1+\2", expression.replace("/", " OR "))
    return re.findall(r"[()]|[^\s()]+", joined)


def is_allowed(expression, allowed):
    """Whether an expression can be met with the allowed licences; AND binds more than OR."""
    rest = words(expression)

    def alternatives():
        met = conjunction()
        while rest and rest[0] == "OR":
            rest.pop(0)
            met |= conjunction()
        return met

    def conjunction():
        met = licence()
        while rest and rest[0] == "AND":
            rest.pop(0)
            met &= licence()
        return met

    def licence():
        word = rest.pop(0)
        if word != "(":
            return word in allowed
        met = alternatives()
        assert rest.pop(0) == ")"
        return met

    met = alternatives()
    assert not rest, f"not an expression: {expression}"
    return met


@pytest.mark.parametrize("expression,expected", [
    ("MIT", True), ("GPL-3.0", False), ("MIT OR GPL-3.0", True), ("GPL-3.0/MIT", True), ("MIT AND GPL-3.0", False),
    ("(MIT OR GPL-3.0) AND Zlib", True), ("GPL-3.0 OR MIT AND GPL-3.0", False), ("MIT WITH Some-exception", False),
])
def test_expressions(expression, expected):
    assert is_allowed(expression, {"MIT", "Zlib"}) is expected


def test_licences(rules, packages):
    allowed = set(rules["licenses"]["allow"])
    assert {each["name"]: each["license"] for each in packages if not is_allowed(each["license"] or "none", allowed)} == {}
    # What nobody needs is not allowed for the next one who comes.
    named = {word for each in packages for word in words(each["license"])}
    assert allowed <= named


def test_duplicates(rules, packages):
    versions = defaultdict(list)
    for each in packages:
        versions[each["name"]].append(each["version"])
    skipped = [tuple(each["crate"].split("@")) for each in rules["bans"]["skip"]]

    def is_skipped(name, version):
        return any(name == skip and (version + ".").startswith(start + ".") for skip, start in skipped)

    several = {name: [version for version in of if not is_skipped(name, version)] for name, of in versions.items() if len(of) > 1}
    assert {name: left for name, left in several.items() if len(left) > 1} == {}
    assert {name for name, _ in skipped} <= set(several), "what no longer stands twice is not to be skipped"


def test_sources_and_versions(rules, packages):
    ours = [each for each in packages if each["source"] is None]
    assert [each["name"] for each in ours] == ["supervisord-rs"]
    allowed = {f"registry+{url}" for url in rules["sources"]["allow-registry"]}
    assert {each["name"] for each in packages if each["source"] not in (None, *allowed)} == set()
    assert [each["name"] for each in ours[0]["dependencies"] if each["req"] == "*"] == []
