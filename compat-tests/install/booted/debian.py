"""From Debian's package to ours and back, with apt."""

import json
import re

import programs
from machine import Machine, Watch, states

CONF = "/etc/supervisor/supervisord.conf"
SOCKET = "/run/supervisor.sock"
OURS = "supervisord-rs"
# What Ansible is asked for, one after the other.
ANSIBLE = [("ticker", "started"), ("plain", "restarted"), ("worker:", "stopped"), ("worker:", "started"), ("saver", "present")]


def journey(suite, dist):
    """All of it on a fresh machine."""
    packages = sorted(dist.glob("*supervisor_*.deb"))
    assert len(packages) == 2, f"{dist} has not the two packages: packaging/build deb"
    with Machine(suite, dist) as m:
        m.ours = [f"/packages/{path.name}" for path in packages]
        stay_as_they_are(m)
        fresh(m)
        python_to_ours_and_back(m)


def say(text):
    """One line of what happens."""
    print(f"   {text}", flush=True)


def is_ours(m):
    """Whose daemon the command is."""
    return OURS in m.try_run("supervisord", "--about")[1]


def observe(m):
    """What administrators, scripts and Ansible see."""
    observe_running(m)
    uses = [{"community.general.supervisorctl": {"name": name, "state": state}} for name, state in ANSIBLE]
    m.write("/srv/play.yml", json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": uses}]))
    out = m.run("ansible-playbook", "-c", "local", "-i", "localhost,", "/srv/play.yml", ANSIBLE_STDOUT_CALLBACK="json",
                ANSIBLE_PYTHON_INTERPRETER="/usr/bin/python3")
    results = [task["hosts"]["localhost"] for task in json.loads(out[out.index("{"):])["plays"][0]["tasks"]]
    return {
        "enabled": m.try_run("systemctl", "is-enabled", "supervisor"),
        "active": m.try_run("systemctl", "is-active", "supervisor"),
        "drop-in": m.sh("grep -a still /var/log/ticker.log | tail -n 1"),
        "timeout": m.show("supervisor", "TimeoutStopUSec"),
        "exit status": m.try_run("supervisorctl", "status")[0],
        "unknown program": m.try_run("supervisorctl", "status", "nope"),
        "avail": sorted(m.run("supervisorctl", "avail").splitlines()),
        "sysv": m.try_run("service", "supervisor", "status")[0],
        "configuration": m.text(CONF),
        "init script runs": m.path("/etc/init.d/supervisor").stat().st_mode & 0o777,
        "ansible": [(use, result["changed"], result.get("state")) for use, result in zip(ANSIBLE, results, strict=True)],
    }


def conffile_questions(out):
    """Whether dpkg asked about a file of the configuration."""
    return re.findall(r"Configuration file '.*'", out)


def change(m, what, *words):
    """One command of apt; the programs run after it. Prints for how long the daemon did not answer."""
    m.run("truncate", "-s", "0", "/var/log/ticker.log")
    with Watch(m, SOCKET) as watch:
        out = m.apt(*words)
        m.wait(watch.answers, lambda: "the daemon to answer: " + m.try_run("systemctl", "status", "supervisor")[1])
        observe_running(m)
    assert not conffile_questions(out), out
    ticks = [float(line) for line in m.text("/var/log/ticker.log").splitlines() if line[0].isdigit()]
    paused = max(after - before for before, after in zip(ticks, ticks[1:], strict=False))
    say(f"{what}: {watch.downtime:.1f} s without the daemon, {paused:.1f} s without a program")


def python_to_ours_and_back(m):
    """The long way."""
    m.apt("install", "supervisor")
    debians = m.run("dpkg-query", "-f", "${Version}", "-W", "supervisor")
    programs.install(m, "/etc/supervisor/conf.d", "supervisor", ".conf")
    edited = m.text(CONF).replace("[supervisord]\n", "[supervisord]\nidentifier=edited ; by hand\n")
    assert "edited" in edited
    m.write(CONF, edited)
    m.run("systemctl", "daemon-reload")
    m.run("systemctl", "restart", "supervisor")
    before = observe(m)
    assert "hello, world, still, 4321" in before["drop-in"] and not is_ours(m)

    by_init_script(m)
    change(m, "from Debian's to ours", "install", *m.ours)
    assert is_ours(m)
    by_init_script(m)
    same(before, observe(m))
    check_ours(m)
    saves_every_time(m, rounds=20)
    confined(m)
    change(m, "reinstalled", "install", "--reinstall", *m.ours)
    same(before, observe(m))
    change(m, "back to Debian's", "install", "--allow-downgrades", f"supervisor={debians}")
    assert not is_ours(m)
    same(before, observe(m))
    change(m, "to ours again", "install", *m.ours)
    same(before, observe(m))

    m.apt("remove", "supervisor")
    assert m.try_run("systemctl", "is-active", "supervisor")[0] != 0
    assert m.text(CONF) == edited and not m.path("/usr/bin/supervisord").exists()
    assert m.try_run("pgrep", "-f", "/opt/") == (1, ""), "programs are left"
    change(m, "installed after a removal", "install", *m.ours)
    same(before, observe(m))
    m.apt("purge", "supervisor", "python3-supervisor")
    assert not m.path(CONF).exists() and not m.path("/etc/default/supervisor").exists()
    assert m.path("/etc/supervisor/conf.d/five.conf").exists(), "what is not the package's stays"
    assert not list(m.path("/etc/systemd").rglob("supervisor.service"))
    say("removed and purged")


def same(before, after):
    """Nobody sees a difference."""
    for what, value in before.items():
        assert after[what] == value, f"{what}:\nbefore {value}\nafter  {after[what]}"


def check_ours(m):
    """What is better than before."""
    m.wait(lambda: m.show("supervisor", "StatusText") == "5 processes: 5 RUNNING", lambda: m.show("supervisor", "StatusText"))
    assert m.show("supervisor", "Type") == "notify"
    version = m.run("python3", "-c", "import importlib.metadata as m; print(m.version('supervisor'))").strip()
    assert version.startswith("4.3.0+rs"), version
    assert m.run("python3", "/usr/bin/supervisord", "-v").strip() == "4.3.0"
    pid = m.show("supervisor", "MainPID")
    m.run("systemctl", "reload", "supervisor")
    assert m.show("supervisor", "MainPID") == pid
    m.wait(lambda: m.show("supervisor", "StatusText") == "5 processes: 5 RUNNING", lambda: m.show("supervisor", "StatusText"))
    # A program that is killed for lack of memory, say, leaves the others alone.
    assert (m.show("supervisor", "OOMPolicy"), m.show("supervisor", "TasksMax")) == ("continue", "infinity")


def saves_every_time(m, rounds):
    """A service behind a script needs half a second to save when the machine stops the service."""
    m.sh("rm -f /var/lib/saved")
    for number in range(1, rounds + 1):
        m.wait(lambda: "up" in m.text("/var/log/saver.log"), "the service to be up")
        m.run("systemctl", "stop", "supervisor")
        saved = m.text("/var/lib/saved").count("saved")
        assert saved == number, f"of {number} times it saved {saved} times"
        assert m.show("supervisor", "Result") == "success"
        m.sh("rm -f /var/log/saver.log")
        m.sh("systemctl reset-failed supervisor; systemctl start supervisor")
    say(f"saved {rounds} of {rounds} times")


def confined(m):
    """The example of a drop-in lets the programs run."""
    m.sh("cp /usr/share/doc/supervisor/examples/hardening.conf /etc/systemd/system/supervisor.service.d/")
    m.sh("sed -i 's#^ReadWritePaths=.*#& /var/log /var/lib#' /etc/systemd/system/supervisor.service.d/hardening.conf")
    m.sh("systemctl daemon-reload && systemctl restart supervisor")
    observe_running(m)
    say(m.sh("systemd-analyze security supervisor --no-pager | tail -n 1").strip())
    m.sh("rm /etc/systemd/system/supervisor.service.d/hardening.conf; systemctl daemon-reload; systemctl restart supervisor")
    observe_running(m)


def by_init_script(m):
    """Our init script finds, stops and starts the daemon of either package, as where there is no systemd."""
    m.sh(f"dpkg-deb --fsys-tarfile {m.ours[-1]} | tar -xO ./etc/init.d/supervisor >/srv/init && chmod +x /srv/init")
    m.run("systemctl", "stop", "supervisor")

    def init(verb):
        return m.try_run("/srv/init", verb, SYSTEMCTL_SKIP_REDIRECT="1")

    def running():
        # /run is a file system of the machine's own.
        status, pid = m.try_run("cat", "/run/supervisord.pid")
        return pid.strip() if status == 0 and init("status")[0] == 0 else None

    assert init("start")[0] == 0
    before = m.wait(running, lambda: init("status"))  # the Python one comes back before it has written its pid
    assert init("start")[0] == 0 and running() == before, "one that runs is left alone"
    assert init("restart")[0] == 0
    m.wait(lambda: running() not in (None, before), lambda: f"another than {before}: {init('status')}")
    observe_running(m)
    assert init("stop")[0] == 0 and running() is None
    assert m.try_run("pgrep", "-x", "supervisord") == (1, ""), "it is left"
    m.run("systemctl", "start", "supervisor")
    observe_running(m)


def observe_running(m):
    """All programs run."""
    m.wait(lambda: states(m.try_run("supervisorctl", "status")[1]) == dict.fromkeys(programs.NAMES, "RUNNING"),
           lambda: m.try_run("supervisorctl", "status")[1] + m.try_run("journalctl", "-n", "30", "-u", "supervisor")[1])


def stay_as_they_are(m):
    """A service that is disabled or masked stays so, on the way here and back."""
    m.apt("install", "supervisor")
    debians = m.run("dpkg-query", "-f", "${Version}", "-W", "supervisor")
    for state in ("disabled", "masked"):
        m.run("systemctl", "disable" if state == "disabled" else "mask", "--now", "supervisor")
        for command in (["install", *m.ours], ["install", "--reinstall", *m.ours],
                        ["install", "--allow-downgrades", f"supervisor={debians}"]):
            m.apt(*command)
            found = [m.try_run("systemctl", verb, "supervisor")[1].strip() for verb in ("is-enabled", "is-active")]
            assert found == [state, "inactive"], f"{command}: {found}"
        say(f"{state} stays {state}")
    m.run("systemctl", "unmask", "supervisor")
    m.apt("purge", "supervisor")


def fresh(m):
    """Ours on a machine that never had another: it has a configuration and runs."""
    m.sh("mkdir -p /usr/lib/python3/dist-packages/supervisor/__pycache__")
    m.apt("install", "--no-install-recommends", m.ours[-1])
    assert m.try_run("systemctl", "is-enabled", "supervisor")[1].strip() == "enabled"
    m.wait(lambda: m.show("supervisor", "StatusText") == "no processes", lambda: m.show("supervisor", "StatusText"))
    assert m.path(CONF).exists()
    assert m.try_run("python3", "-c", "import supervisor")[0] != 0, "a phantom of a module"
    m.apt("purge", "supervisor")
    assert not m.path(CONF).exists()
    say("a fresh one runs")
