"""The arrows between the modules of the crate, and the check of the check."""

import pytest

from harness import REPO
from import_rules import ALLOWED, sources, violations

PLANTED = (
    ("core/a.rs", "use crate::daemon::house::House;\n", "core may not use daemon::house::House"),
    ("core/a.rs", "use super::super::http;\n", "core may not use http"),
    ("core/a.rs", "fn f() { crate::sys::now(); }\n", "core may not use sys::now"),
    ("core/a.rs", "use tokio::sync::mpsc;\n", "core may not use tokio::"),
    ("core/a.rs", "use std::{fs, time::Instant};\n", "core may not use Instant"),
    ("core/a.rs", "use std::{collections::HashMap, fs};\n", "core may not use std::fs"),
    ("core/a.rs", "fn f() { std::fs::read(\"x\"); }\n", "core may not use std::fs"),
    ("config/a.rs", "use crate::{core::value::Value, xmlrpc};\n", "config may not use xmlrpc"),
    ("xmlrpc/a.rs", "use crate::config;\n", "xmlrpc may not use config"),
    ("http/a.rs", "use crate::daemon::{handle::Handle, disk::Disk};\n", "http may not use daemon::disk::Disk"),
    ("http/mod.rs", "use super::daemon;\n", "http may not use daemon"),
    ("daemon/a.rs", "use crate::http::server;\n", "daemon may not use http::server"),
    ("ctl/a.rs", "use crate::daemon::handle;\n", "ctl may not use daemon::handle"),
    ("ctl/a.rs", "use crate::run;\n", "ctl may not use run"),
    ("daemon/a.rs", "fn f() { unsafe { g() } }\n", "unsafe outside of sys.rs"),
    ("daemon/a.rs", "fn f() {}\n" * 521, "521 lines"),
    ("daemon/a.rs", "// TO" "DO: later\n", "an open end"),
    ("stray.rs", "fn f() {}\n", "no rule"),
)
FINE = (
    ("core/a.rs", "use super::value::Value;\nuse crate::core::fault::{Fault, FaultCode as Code};\n// use crate::http;\n"),
    ("core/a.rs", "fn f() -> &'static str { \"crate::daemon std::fs unsafe { }\" }\n"),
    ("core/a.rs", "fn f() {}\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use crate::config::reader;\n    use std::fs;\n}\n"),
    ("core/process/tests.rs", "use crate::config::reader;\n" + "fn f() {}\n" * 600),
    ("http/a.rs", "use crate::daemon::handle::Handle;\nuse crate::daemon::follow::Follower;\nuse crate::VERSION;\n"),
    ("run.rs", "use crate::{config, daemon, http, sys, xmlrpc};\n"),
    ("sys.rs", "fn f() { unsafe { g() } }\n"),
)


def plant(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_rules_hold():
    assert violations(REPO / "src") == []


def test_sources_are_found():
    tops = {path.parts[0].removesuffix(".rs") for path, _ in sources(REPO / "src")}
    assert {"core", "config", "xmlrpc", "daemon", "http"} <= tops & set(ALLOWED)


@pytest.mark.parametrize("name,text,what", PLANTED, ids=[case[2] for case in PLANTED])
def test_a_violation_is_found(tmp_path, name, text, what):
    plant(tmp_path, name, text)
    assert any(what in found for found in violations(tmp_path)), violations(tmp_path)


@pytest.mark.parametrize("name,text", FINE)
def test_what_is_allowed_is_not_reported(tmp_path, name, text):
    plant(tmp_path, name, text)
    assert violations(tmp_path) == []
