"""Resolving commands: splitting, the search in PATH, and every refusal, against the reference itself."""

import os
import random
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from supervisor.options import NotFound, ProcessConfig, ProcessException, ServerOptions
from supervisor.process import Subprocess

from building import example

ESCAPES = {"\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\0": "\\0"}


def escape(text):
    return "".join(ESCAPES.get(character, character) for character in text)


def unescape(text):
    out, characters = [], iter(text)
    for character in characters:
        if character == "\\":
            character = next(characters)
            character = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}.get(character, character)
        out.append(character)
    return "".join(out)


def ours(cases, cwd, path=None):
    """What our tool answers to pairs of (PATH of the program or None, command)."""
    lines = "".join(f"{'-' if env is None else escape(env)}\t{escape(command)}\n" for env, command in cases)
    environ = {} if path is None else {"PATH": path}
    done = subprocess.run(
        [example("resolve_command")], input=lines.encode(), capture_output=True, cwd=cwd, env=environ, check=True
    )
    answers = done.stdout.decode().split("\n")[:-1]
    assert len(answers) == len(cases)
    return [[unescape(field) for field in answer.split("\t")] for answer in answers]


def reference_one(env, command):
    options = ServerOptions()
    config = ProcessConfig.__new__(ProcessConfig)
    config.options, config.command = options, command
    config.environment = None if env is None else {"PATH": env}
    process = Subprocess.__new__(Subprocess)
    process.config = config
    try:
        filename, argv = process.get_execv_args()
    except NotFound as why:
        return ["notfound", why.args[0]]
    except ProcessException as why:
        return ["notexecutable", why.args[0]]
    return ["ok", filename, *argv]


def reference(cases, cwd, path=None):
    before, saved = os.getcwd(), os.environ.get("PATH")
    os.chdir(cwd)
    try:
        os.environ.pop("PATH", None)
        if path is not None:
            os.environ["PATH"] = path
        return [reference_one(env, command) for env, command in cases]
    finally:
        os.chdir(before)
        os.environ.pop("PATH", None)
        if saved is not None:
            os.environ["PATH"] = saved


def assert_same(cases, cwd, path=None):
    for case, expected, got in zip(cases, reference(cases, cwd, path), ours(cases, cwd, path)):
        assert got == expected, case


@pytest.fixture
def zoo(tmp_path):
    """Two directories of everything a command can resolve to."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "both").write_text("#!/bin/sh\n")
        (tmp_path / name / "both").chmod(0o755)
    one, two = tmp_path / "one", tmp_path / "two"
    (one / "isdir").mkdir()
    (two / "isdir").write_text("")
    (two / "isdir").chmod(0o755)
    (one / "plain").write_text("")
    (one / "plain").chmod(0o644)
    (two / "plain").write_text("")
    (two / "plain").chmod(0o755)
    (one / "dangling").symlink_to("nowhere")
    (two / "dangling").write_text("")
    (two / "dangling").chmod(0o100)
    for odd in ("it's", 'quo"te', "sp ace", "ünïcode", "back\\slash", "new\nline", "bell\x07", "both'\""):
        (one / odd).write_text("")
        (one / odd).chmod(0o644)
    (tmp_path / "here").write_text("")
    (tmp_path / "here").chmod(0o755)
    return tmp_path


def test_every_kind_of_command(zoo):
    one, two = zoo / "one", zoo / "two"
    names = ["both", "isdir", "plain", "dangling", "missing", "here", ""]
    paths = [None, "", f"{one}:{two}", f"{two}:{one}", f"/no/such:{two}/", ":", f"::{one}", "one", "/"]
    cases = [(path, shlex.quote(name) + " arg 'two words'") for path in paths for name in names]
    files = [*(one / name for name in os.listdir(one)), "/bin/sh", "./here", "one/../here", "/", "/bin/sh/x", "one/"]
    cases += [(None, shlex.quote(str(file))) for file in files]
    cases += [(None, command) for command in ("", "   ", "\t\n", "'unclosed", "x \\", '"a\\', "it's \"x\"'", "\n'")]
    for path in (None, "", f"{two}:{one}", "two", "/usr/bin:/bin"):
        assert_same(cases, zoo, path)


def test_a_null_byte_is_a_missing_command(zoo):
    # The reference raises a ValueError out of its main loop here.
    assert ours([(None, "/bin/s\0h")], zoo) == [["notfound", "can't find command '/bin/s\\x00h'"]]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody without permission")
def test_no_permission():
    # pytest keeps its directories to itself; this one has to be visible to others.
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        secret = directory / "secret"
        secret.write_text("")
        secret.chmod(0o700)
        program = directory / "resolve_command"
        shutil.copy(example("resolve_command"), program)
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        done = subprocess.run([program], input=f"-\t{secret}\n".encode(), capture_output=True, cwd="/", check=True, **nobody)
        assert done.stdout.decode() == f"notexecutable\tno permission to run command '{secret}'\n"


def random_commands(count, seed):
    rng = random.Random(seed)
    alphabet = ["a", "b", " ", " ", "'", '"', "\\", "\t", "\n", "\r", "#", "$", "é", "\u00a0", "\u2003", "\x0b", "=", ";", "|", "x y"]
    return ["".join(rng.choice(alphabet) for _ in range(rng.randrange(14))) for _ in range(count)]


def test_splitting_random_lines(tmp_path):
    # A leading /bin/true makes every line that can be split resolve, so that the words come back.
    cases = [(None, "/bin/true " + line) for line in random_commands(20000, 4)]
    for (_, line), answer in zip(cases, ours(cases, tmp_path)):
        try:
            words = shlex.split(line)
        except ValueError as why:
            assert answer == ["notexecutable", f"can't parse command {line!r}: {why}"]
        else:
            if words[0] == "/bin/true":
                assert answer == ["ok", "/bin/true", *words]
