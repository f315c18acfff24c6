"""Files of the crate do not need each other in circles, but for those that are explained; and the check of the check."""

import pytest

from harness import REPO
from import_circles import EXCEPTED, Crate, complaints
from test_import_rules import plant

# Files, and the circles that they are.
CIRCLES = {
    "two files": ({"a.rs": "use crate::b::B;\n", "b.rs": "use crate::a::A;\n"}, ["a.rs b.rs"]),
    "three files": ({"a.rs": "use crate::b::B;\n", "b.rs": "use crate::c::C;\n", "c.rs": "fn f() { crate::a::g(); }\n"},
                    ["a.rs b.rs c.rs"]),
    "two circles": ({"a.rs": "use crate::{b::B, c};\nfn f() { c::g(); }\n", "b.rs": "use super::a::A;\n", "c.rs": "use crate::a::A;\n"},
                    ["a.rs b.rs", "a.rs c.rs"]),
    "a child that needs its parent": ({"a/mod.rs": "mod b;\nfn f() { b::g(); }\n", "a/b.rs": "use super::A;\n"}, ["a/b.rs a/mod.rs"]),
    "a child that needs its parent's parent": (
        {"a/mod.rs": "mod b;\nuse b::c::C;\n", "a/b/mod.rs": "mod c;\n", "a/b/c.rs": "fn f() -> super::super::A {}\n"},
        ["a/b/c.rs a/mod.rs"]),
    "what is passed on": ({"a/mod.rs": "mod b;\nmod c;\npub use b::B;\n", "a/b.rs": "use super::c::C;\n", "a/c.rs": "use super::B;\n"},
                          ["a/b.rs a/c.rs"]),
    "passed on by another name": (
        {"a/mod.rs": "mod b;\npub use b::B as N;\n", "a/b.rs": "use crate::c::C;\n", "c.rs": "fn f() -> crate::a::N {}\n"},
        ["a/b.rs c.rs"]),
    "passed on and needed": ({"a/mod.rs": "mod b;\npub use b::B;\nfn f() -> B {}\n", "a/b.rs": "use super::A;\n"}, ["a/b.rs a/mod.rs"]),
    "below a module's other name": ({"a.rs": "use crate::b as c;\nfn f() { c::g(); }\n", "b.rs": "use crate::a::A;\n"}, ["a.rs b.rs"]),
}
NO_CIRCLES = {
    "one way": {"a.rs": "use crate::b::B;\n", "b.rs": "fn f() {}\n"},
    "tests": {"a.rs": "use crate::b::B;\n", "b.rs": "fn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}\n",
              "a/tests.rs": "use crate::b::B;\n"},
    "a parent that only passes on": {"a/mod.rs": "mod b;\nmod c;\npub use b::B;\npub use c::C;\n", "a/b.rs": "use super::C;\n", "a/c.rs": ""},
    "visibility": {"a/mod.rs": "mod b;\nfn f() { b::g(); }\n", "a/b.rs": "pub(in crate::a) fn g() {}\n"},
    "a module's name alone": {"a.rs": "use crate::b;\nfn f() { b::c::g(); }\n", "b/mod.rs": "pub mod c;\nuse crate::a::A;\n", "b/c.rs": ""},
    "comments and strings": {"a.rs": "use crate::b::B;\n", "b.rs": "// use crate::a::A;\nfn f() { \"crate::a::A\"; }\n"},
}


def planted(root, files):
    for name, text in files.items():
        plant(root, name, text)
    return Crate(root).arrows()


def test_no_circle_but_the_explained_ones():
    excepted = [arrow for arrows in EXCEPTED.values() for arrow in arrows]
    assert len(excepted) == len(set(excepted)), "an arrow is excepted twice"
    assert complaints(Crate(REPO / "src").arrows(), excepted) == []


def test_files_and_their_arrows_are_found():
    arrows = Crate(REPO / "src").arrows()
    assert arrows["dispatch.rs"], "the composer needs nothing?"
    assert all(end in arrows for ends in arrows.values() for end in ends)
    assert sum(len(ends) for ends in arrows.values()) > len(arrows)


@pytest.mark.parametrize("case", CIRCLES)
def test_a_circle_is_found(tmp_path, case):
    files, expected = CIRCLES[case]
    wanted = ["a circle: " + " -> ".join((*circle.split(), circle.split()[0])) for circle in expected]
    assert complaints(planted(tmp_path, files), ()) == wanted


@pytest.mark.parametrize("case", NO_CIRCLES)
def test_what_is_no_circle_is_not_reported(tmp_path, case):
    assert complaints(planted(tmp_path, NO_CIRCLES[case]), ()) == []


def test_an_exception_explains_its_circle_and_no_other(tmp_path):
    files, _ = CIRCLES["two circles"]
    arrows = planted(tmp_path, files)
    assert complaints(arrows, [("b.rs", "a.rs"), ("c.rs", "a.rs")]) == []
    assert complaints(arrows, [("b.rs", "a.rs")]) == ["a circle: a.rs -> c.rs -> a.rs"]


def test_an_exception_ends_with_its_circle(tmp_path):
    arrows = planted(tmp_path, {"a.rs": "use crate::b::B;\n", "b.rs": "use crate::c::C;\n", "c.rs": ""})
    assert complaints(arrows, [("c.rs", "a.rs"), ("b.rs", "c.rs")]) == [
        "c.rs no longer needs a.rs; strike the exception", "b.rs -> c.rs closes no circle; strike the exception"]
