"""Salt's supervisord module and state, unchanged, on a minion without master, with the reference and with ours."""

import json
import re
import subprocess

import normalize
from environments import quiet_environment
from harness import LONG_SECS
from machine import AUTOMATION, BROKEN, SIDES, WEB, WEB_CHANGED, WORKERS, Machine, environment

ANY = object()


def write(name, text):
    """A step that writes a file into conf.d."""
    return "file.write", [name, text], {}, ANY


def state(function, name, result, changes, **more):
    """A state, its expected result, and whether it changes something."""
    return "state.single", [f"supervisord.{function}"], {"name": name, **more}, (result, changes)


def run(function, *arguments, **more):
    """A call of the execution module; its result is compared only."""
    return f"supervisord.{function}", list(arguments), more, ANY


STEPS = [
    run("status"),
    run("status_bool", "web"),
    state("running", "web", False, False),
    state("dead", "web", True, False),
    write("web.conf", WEB),
    state("running", "web", None, False, test=True),
    state("running", "web", True, True),
    state("running", "web", True, False),
    state("running", "web", True, False, test=True),
    state("running", "web", True, True, restart=True),
    state("dead", "web", None, False, test=True),
    state("dead", "web", True, True),
    state("dead", "web", True, False),
    state("running", "web", None, False, test=True),
    state("running", "web", True, True),
    run("status", "web"),
    run("status_raw", "web"),
    run("status_bool", "web"),
    run("status_bool", "web", expected_state="STOPPED"),
    run("options", "web"),
    run("stop", "web"),
    run("stop", "web"),
    run("start", "web"),
    run("start", "web"),
    run("restart", "web"),
    run("custom", "signal CONT web"),
    run("custom", "pid nope"),
    run("custom", "avail"),
    write("web.conf", WEB_CHANGED),
    state("running", "web", True, False, update=True),
    write("workers.conf", WORKERS),
    run("reread"),
    run("add", "workers"),
    run("add", "workers"),
    run("add", "nope"),
    state("dead", "workers:", True, True),
    state("running", "workers:", None, False, test=True),
    state("running", "workers:*", True, True),
    state("running", "workers:", True, False),
    state("running", "workers:", True, True, restart=True),
    run("stop", "workers:"),
    run("start", "workers:*"),
    run("remove", "workers"),
    run("stop", "all"),
    run("remove", "workers"),
    run("remove", "nope"),
    write("broken.conf", BROKEN),
    run("update"),
    state("running", "broken", False, False),
    run("start", "nope"),
    run("start"),
    run("restart"),
]


def minion(machine):
    """Writes the configuration of a minion that lives in the machine's directory; returns its path."""
    root = machine.root
    conf = root / "salt" / "minion"
    conf.parent.mkdir()
    states = root / "salt" / "states"
    states.mkdir()
    conf.write_text(json.dumps({
        "root_dir": str(root / "salt"), "file_client": "local", "id": "machine", "log_level": "error",
        "log_level_logfile": "quiet", "file_roots": {"base": [str(states)]}, "grains": {}, "enable_fqdns_grains": False,
    }), encoding="utf-8")
    return conf


def converse(bin_directory, machine):
    """Makes all the calls; returns their results."""
    calls = []
    for function, arguments, keywords, _ in STEPS:
        if function == "file.write":
            name, text = arguments
            calls.append([function, [f"{machine.root}/conf.d/{name}", *text.splitlines()], {}])
            continue
        calls.append([function, arguments, {**keywords, "conf_file": str(machine.config)}])
        if function == "supervisord.options":
            calls[-1][2]["conf_file"] = f"{machine.root}/conf.d/web.conf"
    request = json.dumps({"conf": str(minion(machine)), "calls": calls})
    done = subprocess.run(
        [bin_directory / "python", AUTOMATION / "salt_driver.py"], input=request, cwd=machine.root,
        env=quiet_environment(machine.root, machine.path), capture_output=True, text=True, timeout=LONG_SECS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def comparable(machine, value):
    """A result without pids, times and places."""
    if isinstance(value, dict):
        volatile = {"duration", "start_time", "__run_num__"}
        return {key: comparable(machine, each) for key, each in value.items() if key not in volatile}
    if isinstance(value, list):
        return [comparable(machine, each) for each in value]
    if not isinstance(value, str):
        return value
    # Processes that are stopped together end in any order.
    value = "\n".join(sorted(value.splitlines()))
    value = re.sub(r"pid \d+, uptime \d:\d\d:\d\d", "pid N, uptime T", value)
    return normalize.text(value, machine.places)


SLS = """\
/ROOT/conf.d/web.conf:
  file.managed:
    - contents: |
        [program:web]
        command=/bin/sleep 1000
        startsecs=0
    - makedirs: true
web:
  supervisord.running:
    - update: true
    - conf_file: /ROOT/supervisord.conf
    - watch:
      - file: /ROOT/conf.d/web.conf
nothing:
  supervisord.dead:
    - conf_file: /ROOT/supervisord.conf
    - require:
      - supervisord: web
"""


def apply_twice(bin_directory, machine):
    """Applies a formula with `salt-call` twice; returns what each run reports."""
    machine.config.write_text(machine.config.read_text(encoding="utf-8"), encoding="utf-8")
    conf = minion(machine)
    (conf.parent / "states" / "formula.sls").write_text(SLS.replace("/ROOT", str(machine.root)), encoding="utf-8")
    reports = []
    for _ in range(2):
        done = subprocess.run(
            [bin_directory / "salt-call", "--local", "-c", conf.parent, "--out", "json", "--retcode-passthrough",
             "state.apply", "formula"], cwd=machine.root, env=quiet_environment(machine.root, machine.path),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LONG_SECS, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        local = json.loads(done.stdout)["local"]
        reports.append([(key.split("_|-")[0], value["__id__"].replace(str(machine.root), ""), value["result"],
                         sorted(value["changes"])) for key, value in local.items()])
    return comparable(machine, json.loads(json.dumps(reports)))


def results(side, bin_directory):
    """A side's results of the calls."""
    machine = Machine(side)
    try:
        return [comparable(machine, each) for each in converse(bin_directory, machine)]
    finally:
        complaint = machine.close()
        assert complaint is None


def test_calls_and_states():
    bin_directory = environment("salt")
    ours, reference = (results(side, bin_directory) for side in ("ours", "python"))
    assert len(ours) == len(reference) == len(STEPS)
    wrong = []
    for number, (step, got, wanted) in enumerate(zip(STEPS, ours, reference)):
        if got != wanted:
            wrong.append(f"{number} {step[:3]}: {got}, the reference {wanted}")
        elif step[3] is not ANY:
            (report,) = got.values()
            if (report["result"], bool(report["changes"])) != step[3]:
                wrong.append(f"{number} {step}: {report}")
    assert not wrong, "\n".join(wrong)


def test_formula_is_idempotent():
    bin_directory = environment("salt")
    reports = {}
    for side in SIDES:
        machine = Machine(side)
        try:
            reports[side] = apply_twice(bin_directory, machine)
            assert machine.rpc("supervisor.getProcessInfo", "web")["statename"] == "RUNNING"
        finally:
            complaint = machine.close()
        assert complaint is None
    assert reports["ours"] == reports["python"]
    first, second = reports["ours"]
    assert all(result for _, _, result, _ in first + second)
    assert not any(changes for _, _, _, changes in second), second
