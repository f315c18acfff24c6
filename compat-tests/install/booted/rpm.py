"""From a package like EPEL's to ours and back, with the rpm tool in a Debian root. No Fedora was booted."""

import shutil

import machine
import programs
from machine import Machine, Watch, states

CONF = "/etc/supervisord.conf"
SOCKET = "/run/supervisor/supervisor.sock"
# Paths, names, kinds of files and scriptlets are those of EPEL's package; the daemon is the reference's, from PyPI.
SPEC = """\
%global debug_package %{{nil}}
%global __os_install_post %{{nil}}
Name: supervisor
Version: 4.2.5
Release: 1
Summary: A replica of EPEL's package
License: BSD
BuildArch: noarch
AutoReqProv: no

%description
With the paths of EPEL's package.

%install
cp -a {tree}/. %{{buildroot}}/

%files
%config(noreplace) /etc/supervisord.conf
%config(noreplace) /etc/logrotate.d/supervisor
%dir /etc/supervisord.d
/usr/bin/supervisord
/usr/bin/supervisorctl
/usr/lib/replica
/usr/lib/systemd/system/supervisord.service
/usr/lib/tmpfiles.d/supervisor.conf
%attr(0770, root, root) %dir /var/log/supervisor
%ghost %attr(0755, root, root) %dir /run/supervisor

%post
[ $1 -ne 1 ] || systemctl --no-reload preset supervisord.service >/dev/null 2>&1 || :

%preun
[ $1 -ne 0 ] || systemctl --no-reload disable --now supervisord.service >/dev/null 2>&1 || :

%postun
systemctl daemon-reload >/dev/null 2>&1 || :
"""
SERVICE = """\
[Unit]
Description=Process Monitoring and Control Daemon
After=network.target

[Service]
Type=forking
ExecStart=/usr/bin/supervisord -c /etc/supervisord.conf

[Install]
WantedBy=multi-user.target
"""
COMMAND = """\
#!/usr/bin/python3
import sys
sys.path.insert(0, "/usr/lib/replica")
from supervisor.{name} import main
main()
"""


def replica(scratch):
    """The package to come from."""
    tree = scratch / "tree"

    def put(name, text, mode=0o644):
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    found = list((machine.REPO / "compat-tests/.venv/lib").glob("python3*/site-packages/supervisor"))
    assert found, "the reference is not here: compat-tests/run makes its environment"
    shutil.copytree(found[0], tree / "usr/lib/replica/supervisor", ignore=shutil.ignore_patterns("__pycache__", "tests"))
    # The oldest of its ways to find its own version, which needs no distribution.
    shutil.copytree(next(found[0].parent.glob("supervisor-4.3.0.*-info")), tree / "usr/lib/replica/supervisor-4.3.0.dist-info")
    for name in ("supervisord", "supervisorctl"):
        put(f"usr/bin/{name}", COMMAND.format(name=name), 0o755)
    conf = (machine.REPO / "packaging/rpm/supervisord.conf").read_text(encoding="utf-8")
    put("etc/supervisord.conf", conf.replace("; The configuration of supervisord.", "; Sample supervisor config file."))
    put("etc/logrotate.d/supervisor", "/var/log/supervisor/*.log {\n    weekly\n}\n")
    put("usr/lib/systemd/system/supervisord.service", SERVICE)
    put("usr/lib/tmpfiles.d/supervisor.conf", "D /run/supervisor 0775 root root -\n")
    for directory in ("etc/supervisord.d", "var/log/supervisor", "run/supervisor"):
        (tree / directory).mkdir(parents=True)
    spec = scratch / "replica.spec"
    spec.write_text(SPEC.format(tree=tree), encoding="utf-8")
    machine.run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {scratch}", "--define", f"_rpmdir {scratch}",
                "--define", f"_dbpath {scratch}/db", "--define", "_rpmfilename replica.rpm", spec)
    return scratch / "replica.rpm"


def journey(_, dist):
    """All of it on a fresh machine."""
    ours = sorted(dist.glob("supervisor-*.rpm"))
    assert len(ours) == 1, f"{dist} has not the one package: packaging/build rpm"
    with Machine("bookworm", dist) as m:
        scratch = m.scratch / "replica"
        scratch.mkdir()
        shutil.copy(replica(scratch), m.path("/srv/replica.rpm"))
        m.sh("mkdir -p /usr/lib/python3.11/site-packages; rpm --initdb")
        there_and_back(m, f"/packages/{ours[0].name}")
        fresh(m, f"/packages/{ours[0].name}")


def rpm(m, *words):
    """One command of rpm. Its database knows nothing of Debian's packages, so nobody provides anything."""
    return m.run("rpm", "--nodeps", *words)


def runs(m):
    """All programs run."""
    m.wait(lambda: states(m.try_run("supervisorctl", "status")[1]) == dict.fromkeys(programs.NAMES, "RUNNING"),
           lambda: m.try_run("supervisorctl", "status")[1] + m.try_run("journalctl", "-n", "30", "-u", "supervisord")[1])


def observe(m):
    """What administrators see."""
    runs(m)
    return {
        "enabled": m.try_run("systemctl", "is-enabled", "supervisord"),
        "active": m.try_run("systemctl", "is-active", "supervisord"),
        "drop-in": m.sh("grep -a still /var/log/ticker.log | tail -n 1"),
        "avail": sorted(m.run("supervisorctl", "avail").splitlines()),
        "configuration": m.text(CONF),
    }


def change(m, what, whose, *words):
    """One command of rpm; afterwards it is this daemon that runs."""
    with Watch(m, SOCKET) as watch:
        rpm(m, *words)
        runs(m)
        m.wait(watch.answers, "the daemon to answer")
    command = m.run("cat", f"/proc/{m.show('supervisord', 'MainPID')}/comm").strip()
    executable = m.run("readlink", f"/proc/{m.show('supervisord', 'MainPID')}/exe").strip()
    assert command == "supervisord" and (executable == "/usr/bin/supervisord") == (whose == "ours"), executable
    print(f"   {what}: {watch.downtime:.1f} s without the daemon", flush=True)


def there_and_back(m, ours):
    """The long way."""
    rpm(m, "-i", "/srv/replica.rpm")
    m.run("systemd-tmpfiles", "--create", "/usr/lib/tmpfiles.d/supervisor.conf")
    programs.install(m, "/etc/supervisord.d", "supervisord", ".ini")
    conf = m.path(CONF)
    conf.write_text(m.text(CONF).replace("[supervisord]\n", "[supervisord]\nidentifier=edited\n"))
    m.sh("systemctl daemon-reload; systemctl enable --now supervisord")
    before = observe(m)
    assert before["configuration"].count("identifier=edited") == 1

    change(m, "from the replica to ours", "ours", "-U", ours)
    assert observe(m) == before
    assert m.show("supervisord", "Type") == "notify"
    version = m.run("python3", "-c", "import sys; sys.path.insert(0, '/usr/lib/supervisor/python'); "
                    "import importlib.metadata as m; print(m.version('supervisor'))").strip()
    assert version.startswith("4.3.0+rs"), version
    change(m, "reinstalled", "ours", "-U", "--replacepkgs", ours)
    assert observe(m) == before
    change(m, "back to the replica", "theirs", "-U", "--oldpackage", "/srv/replica.rpm")
    assert observe(m) == before
    change(m, "to ours again", "ours", "-U", ours)
    assert observe(m) == before
    for state in ("disable", "mask"):
        m.run("systemctl", state, "--now", "supervisord")
        rpm(m, "-U", "--replacepkgs", ours)
        rpm(m, "-U", "--oldpackage", "/srv/replica.rpm")
        rpm(m, "-U", ours)
        found = [m.try_run("systemctl", verb, "supervisord")[1].strip() for verb in ("is-enabled", "is-active")]
        assert found == [f"{state}ed".replace("eed", "ed"), "inactive"], found
    print("   disabled and masked stay so", flush=True)
    m.run("systemctl", "unmask", "supervisord")
    rpm(m, "-e", "supervisor")
    assert not m.path("/usr/bin/supervisord").exists() and not list(m.path("/usr/lib").glob("python3*/site-packages/*.pth"))
    # What was edited is kept under this name.
    assert "identifier=edited" in m.text(f"{CONF}.rpmsave")
    m.sh(f"rm -r {CONF}.rpmsave /etc/supervisord.d /etc/systemd/system/supervisord.service.d; systemctl daemon-reload")
    print("   removed", flush=True)


def fresh(m, ours):
    """Ours on a machine that never had another."""
    rpm(m, "-i", ours)
    m.run("systemctl", "enable", "--now", "supervisord")
    m.wait(lambda: m.show("supervisord", "StatusText") == "no processes", lambda: m.show("supervisord", "StatusText"))
    rpm(m, "-e", "supervisor")
    assert m.try_run("systemctl", "is-active", "supervisord")[1].strip() == "inactive"
    print("   a fresh one runs, and is removed", flush=True)
