"""The four commands by whatever name and way they are called: launchers beside the binary, and links to either."""

import os
import shutil
from types import SimpleNamespace

import pytest

from harness import binary, finish, popen, wait_for

NAMES = ("supervisorctl", "echo_supervisord_conf", "pidproxy")


@pytest.fixture(params=["launchers", "links"])
def place(request, tmp_path):
    """`bin` with the four commands, as wheels have them or as Debian packages, and `etc` with a configuration."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "etc").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "etc" / "supervisord.conf").write_text("[supervisorctl]\nserverurl=unix:///no/beside\n")
    shutil.copy2(binary(), tmp_path / "bin" / "supervisord")
    for name in NAMES:
        if request.param == "links":
            (tmp_path / "bin" / name).symlink_to("supervisord")
        else:
            shutil.copy2(binary().parent / name, tmp_path / "bin")

    def run(*words, cwd=tmp_path, **more):
        env = {"PATH": f"{tmp_path}/bin:{tmp_path}/elsewhere:/usr/bin:/bin", "HOME": str(tmp_path)}
        return finish(words, 20, cwd=cwd, env=env, **more)

    return SimpleNamespace(root=tmp_path, run=run, kind=request.param)


def test_the_search_begins_beside_the_name(place):
    """By its path, by its bare name, from beside it: always the configuration beside it."""
    answer = (7, "unix:///no/beside no such file\n", "")
    assert place.run(f"{place.root}/bin/supervisorctl", "version") == answer
    assert place.run("/usr/bin/env", "supervisorctl", "version") == answer
    assert place.run("bin/supervisorctl", "version") == answer
    assert place.run("../bin/supervisorctl", "version", cwd=place.root / "elsewhere") == answer


@pytest.mark.parametrize("target", ["{root}/bin/supervisorctl", "../bin/supervisorctl", "between"])
def test_links_of_other_names(place, target):
    """However many links, of whatever names, lead to supervisorctl, it is supervisorctl."""
    (place.root / "elsewhere" / "between").symlink_to("../bin/supervisorctl")
    (place.root / "elsewhere" / "sv").symlink_to(target.format(root=place.root))
    for way in ([f"{place.root}/elsewhere/sv"], ["/usr/bin/env", "sv"], ["elsewhere/sv"]):
        assert place.run(*way, "-s", "unix:///no/s", "pid") == (7, "unix:///no/s no such file\n", "")
    assert place.run("elsewhere/sv", "-h")[1].splitlines()[2:3] == ["Usage: elsewhere/sv [options] [action [arguments]]"]


def test_links_of_the_others(place):
    for name in ("echo_supervisord_conf", "pidproxy", "supervisord"):
        (place.root / "elsewhere" / f"my-{name}").symlink_to(f"../bin/{name}")
    assert place.run("elsewhere/my-echo_supervisord_conf") == place.run("bin/echo_supervisord_conf")
    status, out, _ = place.run("elsewhere/my-pidproxy")
    assert (status, out.splitlines()[0]) == (1, place.run("bin/pidproxy")[1].splitlines()[0])
    assert place.run("elsewhere/my-supervisord", "-v") == (0, "4.3.0\n", "")


def test_what_ps_shows(place):
    """A client is none of the daemons that `pgrep supervisord` finds, and its command line is as it was typed."""
    words = [f"{place.root}/bin/pidproxy", f"{place.root}/pid", "/bin/sleep", "60"]
    proxy = popen(words, process_group=0)
    try:
        comm = f"/proc/{proxy.pid}/comm"
        wait_for(lambda: open(comm).read() == "pidproxy\n", lambda: open(comm).read())
        assert open(f"/proc/{proxy.pid}/cmdline").read().split("\0")[:-1] == words
    finally:
        os.killpg(proxy.pid, 9)
        proxy.wait()


@pytest.mark.parametrize("place", ["launchers"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_without_supervisord_beside_it(place, name):
    """What shells say of a missing and of an unusable command; Python's daemon is never started for another program."""
    daemon = place.root / "bin" / "supervisord"
    daemon.unlink()
    assert place.run(f"bin/{name}") == (
        127, "", f"{name}: there is no {daemon}: both belong into one directory\n")
    daemon.write_text("#!/bin/sh\necho started\n")
    daemon.chmod(0o755)
    assert place.run(f"bin/{name}") == (
        126, "", f"{name}: cannot run {daemon}: it is a script, not what was installed with this one\n")
    daemon.write_text("")
    daemon.chmod(0o644)
    assert place.run(f"bin/{name}")[:2] == (126, "")


@pytest.mark.parametrize("place", ["launchers"], indirect=True)
def test_a_directory_of_links(place):
    """Links of all commands in one place, the files in places of their own."""
    for name in (*NAMES, "supervisord"):
        (place.root / name).mkdir()
        (place.root / "bin" / name).rename(place.root / name / name)
        (place.root / "bin" / name).symlink_to(f"../{name}/{name}")
    assert place.run("bin/supervisorctl", "version") == (7, "unix:///no/beside no such file\n", "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only the superuser takes /proc away")
def test_without_proc(place):
    """As in a root that is being made."""
    words = ("unshare", "--mount", "sh", "-c", 'umount -l /proc && test ! -e /proc/self && exec "$@"', "sh")
    answer = (7, "unix:///no/beside no such file\n", "")
    for way in ("supervisorctl", "bin/supervisorctl"):
        assert place.run(*words, way, "version") == answer


@pytest.mark.parametrize("place", ["launchers"], indirect=True)
def test_a_name_of_the_callers_own(place):
    """A launcher knows what it is, whatever it is told to be called."""
    words = ("bash", "-c", 'exec -a "$0" bin/supervisorctl -s unix:///no/s pid')
    for name in ("strange", "supervisord", "x/supervisord"):
        assert place.run(*words, name) == (7, "unix:///no/s no such file\n", "")
