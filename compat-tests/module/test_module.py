"""The module `supervisor` beside the reference's: the same script with either prints the same."""

import ast
import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import wheels
from harness import REPO, SCRIPTS, binary

CASES = Path(__file__).resolve().parent / "cases"
VERSIONS = ("3.8", "3.13")


def interpreter(version):
    """A python of a version, from PATH or pyenv; None when there is none that runs."""
    named = [shutil.which(f"python{version}"), *sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))]
    for path in filter(None, named):
        found = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True)
        if found.stdout.strip() == version:
            return str(path)
    return None


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Directories to import `supervisor` from, by side; beside ours is the executable, as an installation has it."""
    reference = tmp_path_factory.mktemp("reference")
    found = subprocess.run([SCRIPTS / "python", "-c", "import supervisor; print(supervisor.__path__[0])"],
                           capture_output=True, text=True, check=True)
    (reference / "supervisor").symlink_to(found.stdout.strip())
    return {"python": reference, "ours": wheels.module(tmp_path_factory.mktemp("wheel"))}


def run(python, place, arguments, directory):
    """What a python says with a module, with our executables first in PATH."""
    tools = directory / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    if not (tools / "supervisord").exists():
        (tools / "supervisord").symlink_to(binary())
    env = {**os.environ, "PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8",
           "PATH": f"{tools}:/usr/bin:/bin"}
    env.pop("COLUMNS", None)
    ended = subprocess.run([python, *arguments], capture_output=True, env=env, cwd=directory, timeout=60, check=False)
    return ended.returncode, ended.stdout.decode("utf-8", "replace"), ended.stderr.decode("utf-8", "replace")


@pytest.mark.parametrize("version", [None, *VERSIONS])
@pytest.mark.parametrize("case", sorted(path.stem for path in CASES.glob("*_case.py")))
def test_case(case, version, places, tmp_path):
    python = interpreter(version) if version else sys.executable
    if python is None:
        pytest.skip(f"no Python {version} here")
    results = {}
    for side, place in places.items():
        code, out, err = run(python, place, [CASES / f"{case}.py"], tmp_path / side)
        assert code == 0 and not err, f"{side}: {err}"
        results[side] = out.replace(str(tmp_path / side), "<DIRECTORY>").splitlines()
    assert len(results["python"]) > 5
    assert results["ours"] == results["python"]


def names_of(place):
    """Of each module below a directory: the names that it defines and that are public."""
    found = {}
    for path in sorted((place / "supervisor").rglob("*.py")):
        module = ".".join(path.relative_to(place).with_suffix("").parts)
        if "tests" in path.parts or "scripts" in path.parts:
            continue
        names = set()
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
                names.add(node.name)
            elif isinstance(node, ast.Assign):
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        found[module] = sorted(name for name in names if not name.startswith("_"))
    return found


ASKING = """\
import importlib, json, sys
from supervisor._absent import NotOffered
wanted = json.load(sys.stdin)
for module, names in wanted.items():
    loaded = importlib.import_module(module)
    for name in names:
        try:
            getattr(loaded, name)
            print(module, name, "there")
        except NotOffered as error:
            print(module, name, "refused", error)
try:
    importlib.import_module("supervisor.web").nonsense
except AttributeError as error:
    print("nonsense", error)
try:
    from supervisor.web import StatusView
except ImportError as error:
    print("import", error)
"""


def test_every_name_of_the_reference_is_there_or_refused_with_words(places, tmp_path):
    wanted = {module.replace(".__init__", ""): names for module, names in names_of(places["python"]).items()}
    assert len(wanted) >= 35 and sum(map(len, wanted.values())) > 250
    out = subprocess.run([sys.executable, "-c", ASKING], input=json.dumps(wanted), cwd=tmp_path, text=True, timeout=60,
                         env={**os.environ, "PYTHONPATH": str(places["ours"])}, capture_output=True, check=False)
    assert out.returncode == 0, out.stderr
    lines = out.stdout.splitlines()
    assert len(lines) == sum(map(len, wanted.values())) + 2
    # What the issue of third parties needs is there.
    there = {line.rsplit(" ", 1)[0] for line in lines if line.endswith(" there")}
    assert not {line for line in lines if " refused " in line and not line.endswith(".")}
    for module, names in wanted.items():
        if module.split(".")[1:] and module.split(".")[1] in ("childutils", "states", "events", "datatypes", "loggers", "options"):
            assert {f"{module} {name}" for name in names} <= there
    assert lines[-2] == "nonsense module 'supervisor.web' has no attribute 'nonsense'"
    assert lines[-1].startswith("import supervisor.web.StatusView is not offered")


def test_all_files_of_the_reference_are_there(places):
    for path in (places["python"] / "supervisor").rglob("*.py"):
        relative = path.relative_to(places["python"])
        if not {"tests", "scripts"} & set(relative.parts):
            assert (places["ours"] / relative).is_file(), relative


@pytest.mark.parametrize("version", [None, *VERSIONS])
def test_programs_become_the_executable(version, places, tmp_path):
    python = interpreter(version) if version else sys.executable
    if python is None:
        pytest.skip(f"no Python {version} here")
    ours, directory = places["ours"], tmp_path
    assert run(python, ours, ["-m", "supervisor.supervisord", "-v"], directory)[:2] == (0, "4.3.0\n")
    code, out, _ = run(python, ours, ["-m", "supervisor.supervisorctl", "-s", "http://127.0.0.1:1", "status"], directory)
    assert (code, out) == (4, "http://127.0.0.1:1 refused connection\n")
    code, out, _ = run(python, ours, ["-m", "supervisor.confecho"], directory)
    assert code == 0 and "[supervisord]" in out
    assert out == run(python, ours, ["-c", "from supervisor.confecho import main; main()"], directory)[1]
    code, out, _ = run(python, ours, ["-m", "supervisor.pidproxy", "nothing", "/bin/echo", "said"], directory)
    assert out == "said\n"
    # A script would only come back: it is no executable of ours.
    (directory / "bin" / "supervisord").unlink()
    (directory / "bin" / "supervisord").write_text("#!/bin/sh\nexit 9\n", encoding="ascii")
    (directory / "bin" / "supervisord").chmod(0o755)
    code, out, err = run(python, ours, ["-m", "supervisor.supervisord", "-v"], directory)
    assert code == 1 and "neither beside" in err


def test_versions_are_of_one_place(places):
    version = tomllib.loads((REPO / "Cargo.toml").read_text(encoding="utf-8"))["package"]["version"]
    release, _, own = version.partition("+rs")
    assert own and (places["ours"] / "supervisor" / "version.txt").read_text(encoding="utf-8") == release + "\n"
    assert subprocess.run([binary(), "-v"], capture_output=True, text=True, check=True).stdout == release + "\n"


def test_types_are_checked(places, tmp_path):
    mypy = Path(os.environ.get("MYPY") or SCRIPTS / "mypy")
    if not mypy.exists():
        pytest.skip("no mypy here: compat-tests/run makes an environment with it")
    ended = subprocess.run([mypy, "--strict", "--cache-dir", tmp_path, "-p", "supervisor"], cwd=places["ours"], capture_output=True,
                           text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
