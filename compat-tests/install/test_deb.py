"""The Debian and RPM packages: what is in them, what their scripts do, and that the same commit gives the same bytes.

Whole machines with systemd go from Debian's package to ours and back in `booted/run`, by hand.
"""

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from building import example
from harness import REPO, binary

PACKAGES = REPO / "packaging"
VERSION = re.search(r'^version = "(.*)"$', (REPO / "Cargo.toml").read_text(encoding="utf-8"), re.M)[1]
CONF = "etc/supervisor/supervisord.conf"

pytestmark = pytest.mark.skipif(
    not all(shutil.which(tool) for tool in ("dh", "fakeroot", "lintian", "rpmbuild")),
    reason="needs Debian's debhelper, fakeroot, lintian and rpm")


def run(*words, **more):
    """Runs a command that has to end with 0 and returns its output."""
    done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          stdin=subprocess.DEVNULL, **more)
    assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(kind, scratch, name):
    """Builds the packages of a kind around the executable under test, and returns their paths."""
    executables = scratch / "bin"
    if not executables.exists():
        executables.mkdir()
        shutil.copy(binary(), executables / "supervisord")
        run(PACKAGES / "python-stub/append", executables / "supervisord")
    env = {**os.environ, "BINARIES": str(executables), "DIST": str(scratch / name), "CARGO_TARGET_DIR": str(scratch / "target"),
           "MANUALS": str(example("manuals"))}
    return [Path(line) for line in run(PACKAGES / kind / "build", env=env).split()]


@pytest.fixture(scope="module")
def scratch(tmp_path_factory, worker_id):
    """A directory that all workers of this run share; who comes first builds what the others wait for."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "packages"
    shared.mkdir(exist_ok=True)
    return shared


@contextlib.contextmanager
def alone(scratch):
    """One worker at a time."""
    with open(scratch / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def built(kind, scratch):
    """The packages of a kind, built by the first who asks."""
    with alone(scratch):
        names = scratch / f"built-{kind}"
        if not names.exists():
            names.write_text("\n".join(str(path) for path in build(kind, scratch, "dist")), encoding="utf-8")
    return [Path(line) for line in names.read_text(encoding="utf-8").split()]


@pytest.fixture(scope="module")
def debs(scratch):
    """The two packages: supervisor, python3-supervisor."""
    module, ours = sorted(built("debian", scratch))
    return ours, module


@pytest.fixture(scope="module")
def tree(tmp_path_factory, debs):
    """Both packages unpacked, with the scripts of the first in DEBIAN."""
    unpacked = tmp_path_factory.mktemp("tree")
    for deb in debs:
        run("dpkg-deb", "-x", deb, unpacked)
    run("dpkg-deb", "-e", debs[0], unpacked / "DEBIAN")
    return unpacked


def fields(deb):
    """The control fields of a package."""
    return dict(line.split(": ", 1) for line in run("dpkg-deb", "-f", deb).splitlines() if re.match(r"[\w-]+: ", line))


def test_lintian_finds_no_errors(debs):
    found = run("lintian", "--allow-root", "--fail-on", "none", *debs).splitlines()
    assert [line for line in found if line.startswith("E:")] == []


def test_names_versions_and_relations(debs):
    ours, module = (fields(deb) for deb in debs)
    assert (ours["Package"], ours["Version"]) == ("supervisor", f"{VERSION}-1")
    assert ours["Depends"] == "libc6 (>= 2.17)"
    assert (ours["Recommends"], ours["Breaks"]) == ("python3-supervisor", "knot-resolver6")
    assert module["Version"] == ours["Version"] and module["Architecture"] == "all"
    assert module["Conflicts"] == module["Replaces"] == "supervisor (<< 4.3.0+rs~)"
    for older, newer in (("4.2.5-3", ours["Version"]), ("4.3.0-1", ours["Version"]), (ours["Version"], "4.3.1-1")):
        run("dpkg", "--compare-versions", older, "lt", newer)


def test_what_is_where(debs, tree):
    assert (tree / "DEBIAN/conffiles").read_text(encoding="utf-8").split() == ["/etc/init.d/supervisor"]
    assert not (tree / CONF).exists() and not (tree / "etc/default/supervisor").exists()
    for directory in ("etc/supervisor/conf.d", "var/log/supervisor"):
        assert (tree / directory).is_dir()
    for name in ("supervisorctl", "echo_supervisord_conf", "pidproxy"):
        assert os.readlink(tree / "usr/bin" / name) == "supervisord"
        assert list((tree / "usr/share/man/man1").glob(f"{name}.1*"))
    # Finished executables arrive as they are, with the archive that Python runs.
    assert run("python3", tree / "usr/bin/supervisord", "-v").strip() == "4.3.0"
    assert (tree / "usr/lib/systemd/system/supervisor.service").is_file() and not (tree / "lib").exists()
    assert (tree / "usr/share/bash-completion/completions/supervisorctl").is_file()
    info = tree / f"usr/lib/python3/dist-packages/supervisor-{VERSION}.dist-info"
    assert f"\nVersion: {VERSION}\n" in (info / "METADATA").read_text(encoding="utf-8")
    version = "import importlib.metadata as m, supervisor.childutils; print(m.version('supervisor'))"
    found = run("python3", "-c", version, env={"PYTHONPATH": info.parent, "PATH": os.environ["PATH"]})
    assert found.strip() == VERSION


def test_the_unit_says_what_it_must(tree):
    text = (tree / "usr/lib/systemd/system/supervisor.service").read_text(encoding="utf-8")
    for line in ("Type=notify", "NotifyAccess=all", "KillMode=mixed", "OOMPolicy=continue", "TasksMax=infinity",
                 "ExecStart=/usr/bin/supervisord -n -c /etc/supervisor/supervisord.conf"):
        assert f"\n{line}\n" in text
    assert not re.search(r"^(Protect|Private|Restrict|SystemCall)", text, re.M)


def test_the_shipped_configuration_has_debians_values(tree):
    shipped = tree / "usr/share/supervisor/supervisord.conf"
    values = [line.partition(";")[0].replace(" ", "") for line in shipped.read_text(encoding="utf-8").splitlines()]
    assert [value for value in values if value] == [
        "[unix_http_server]", "file=/var/run/supervisor.sock", "chmod=0700",
        "[supervisord]", "logfile=/var/log/supervisor/supervisord.log", "pidfile=/var/run/supervisord.pid",
        "childlogdir=/var/log/supervisor",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisorctl]", "serverurl=unix:///var/run/supervisor.sock",
        "[include]", "files=/etc/supervisor/conf.d/*.conf"]


@pytest.fixture
def root(tmp_path, tree):
    """A root for the scripts of the package, as dpkg --root has one."""
    shutil.copytree(tree / "usr/share/supervisor", tmp_path / "usr/share/supervisor")
    (tmp_path / "etc/supervisor").mkdir(parents=True)
    return tmp_path


def script(tree, root, name, *args):
    """Runs a script of the package. The tools of systemd and the like are not its concern here."""
    text = (tree / "DEBIAN" / name).read_text(encoding="utf-8").partition("# Automatically added")[0]
    run("sh", "-c", text, name, *args, env={"DPKG_ROOT": str(root), "PATH": os.environ["PATH"]})


def test_a_configuration_is_written_once_and_never_touched(tree, root):
    conf = root / CONF
    script(tree, root, "postinst", "configure", "")
    assert conf.read_bytes() == (root / "usr/share/supervisor/supervisord.conf").read_bytes()
    conf.write_text("edited", encoding="utf-8")
    for before in ("", "4.2.5-1", f"{VERSION}-1"):
        script(tree, root, "postinst", "configure", before)
        assert conf.read_text(encoding="utf-8") == "edited"
    conf.unlink()
    script(tree, root, "postinst", "configure", "4.2.5-1")
    assert not conf.exists(), "who removed it meant that"
    conf.symlink_to("nowhere")
    script(tree, root, "postinst", "configure", "")
    assert conf.is_symlink()
    script(tree, root, "postrm", "remove")
    assert conf.is_symlink()
    script(tree, root, "postrm", "purge")
    assert not conf.is_symlink() and not conf.parent.exists()


def test_a_phantom_of_the_module_is_cleared_and_a_module_is_not(tree, root):
    module = root / "usr/lib/python3/dist-packages/supervisor"
    for place in (module, module / "medusa"):
        (place / "__pycache__").mkdir(parents=True)
        (place / "__pycache__/x.cpython-311.pyc").touch()
    (module / "states.py").touch()
    script(tree, root, "postinst", "configure", "4.2.5-1")
    assert (module / "medusa/__pycache__").exists()
    (module / "states.py").unlink()
    script(tree, root, "postinst", "configure", "4.2.5-1")
    assert not module.exists() and module.parent.exists()


def test_the_init_script_replaces_a_daemon_by_pidfile_and_name(tree):
    path = tree / "etc/init.d/supervisor"
    run("sh", "-n", path)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o777 == 0o755 and "# Provides:          supervisor\n" in text
    assert all("--name" in call for call in re.findall(r"start-stop-daemon(?:.*\\\n)*.*", text))


def test_the_rpm_has_the_paths_of_fedora(scratch):
    [package] = built("rpm", scratch)
    query = ["rpm", "--dbpath", scratch / "rpmdb", "-qp"]
    assert run(*query, "--qf", "%{NAME} %{VERSION} %{RELEASE}", package) == f"supervisor {VERSION} 1"
    names = set(run(*query, "-l", package).split())
    assert names >= {"/etc/supervisord.conf", "/etc/supervisord.d", "/etc/logrotate.d/supervisor", "/run/supervisor",
                     "/usr/bin/supervisord", "/usr/bin/supervisorctl", "/usr/lib/systemd/system/supervisord.service",
                     "/usr/lib/tmpfiles.d/supervisor.conf", "/var/log/supervisor"}
    assert set(run(*query, "-c", package).split()) == {"/etc/supervisord.conf", "/etc/logrotate.d/supervisor"}


@pytest.mark.parametrize("kind", ["debian", "rpm"])
def test_the_same_commit_gives_the_same_bytes(scratch, kind):
    first = {path.name: path.read_bytes() for path in built(kind, scratch)}
    with alone(scratch):
        assert first == {path.name: path.read_bytes() for path in build(kind, scratch, "again")}
