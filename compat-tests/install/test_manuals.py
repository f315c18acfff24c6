"""The manual pages and the completions of shells: that they are whole, and that the real tools read them.

What they say of options and actions comes from the tables of the programs (`packaging/manual`); here is looked at what
becomes of it. A machine without mandoc, man, zsh or fish skips what is for them.
"""

import os
import re
import shutil
import signal
import subprocess
import time

import pexpect
import pytest

from building import example
from harness import FORKING, REPO, WAIT_SECS, binary
from terminals import served

COMMANDS = ("supervisord", "supervisorctl", "echo_supervisord_conf", "pidproxy")
PAGES = tuple(f"{name}.1" for name in COMMANDS) + ("supervisord.conf.5",)
PROGRAMS = "[program:web]\ncommand=cat\n[program:many]\ncommand=cat\nprocess_name=%(process_num)d\nnumprocs=2\n"
# The scripts give the daemon two seconds.
HANGS_SECS = 20


def needs(tool):
    return pytest.mark.skipif(shutil.which(tool) is None, reason=f"there is no {tool} on this machine")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the one command writes."""
    directory = tmp_path_factory.mktemp("manual")
    env = {**os.environ, "MANUALS": str(example("manuals")), "SOURCE_DATE_EPOCH": "1000000000"}
    subprocess.run([REPO / "packaging" / "manual" / "build", directory], check=True, env=env)
    return directory


def rendered(page):
    """A page as people read it, without line breaks."""
    done = subprocess.run(["mandoc", "-T", "ascii", page], capture_output=True, text=True, check=True)
    return re.sub(r"\s+", " ", re.sub(".\b", "", done.stdout))


def test_every_command_has_a_page_and_completions(made):
    for page in PAGES:
        assert (made / "man" / page).read_text().startswith(f'.TH "{page[:-2].upper()}" {page[-1]} 2001-09-09 ')
    assert os.readlink(made / "man" / "supervisor.1") == "supervisord.1"
    for name in COMMANDS:
        assert (made / "completions" / "bash" / name).is_file()
        assert (made / "completions" / "zsh" / f"_{name}").read_text().startswith(f"#compdef {name}\n")
        assert (made / "completions" / "fish" / f"{name}.fish").is_file()
    left = [path for path in made.rglob("*") if path.is_file() and re.search(r"@[A-Z]+@|\{\{", path.read_text())]
    assert left == []


@needs("mandoc")
@pytest.mark.parametrize("page", PAGES)
def test_pages_are_clean(made, page):
    done = subprocess.run(["mandoc", "-T", "lint", made / "man" / page], capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("", 0)


@needs("man")
@pytest.mark.parametrize("page", PAGES)
def test_pages_are_shown(made, page):
    env = {**os.environ, "MANWIDTH": "80", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["man", "--warnings", "-l", made / "man" / page], capture_output=True, text=True, env=env)
    assert done.stderr == ""
    assert "NAME" in done.stdout and page[:-2] in done.stdout


@needs("mandoc")
def test_the_page_of_the_file_has_every_option(made):
    text = rendered(made / "man" / "supervisord.conf.5")
    table = (REPO / "src" / "config" / "options_table.txt").read_text()
    names = re.findall(r"(?m)^  (\S+)", table)
    assert len(names) > 60
    assert [name for name in names if f" {name}=" not in text] == []
    for kind in re.findall(r"(?m)^\[(\S+)\]", table):
        assert f" [{kind}]" in text or f" [{kind}:x]" in text
    assert "autostart=boolean true: start with the daemon. Default: true." in text
    ours = len(re.findall(r"(?m), Ours$", table))
    assert ours and text.count("An addition of supervisord-rs; Supervisor passes over it.") == ours
    # What is literal stays what it is.
    assert '%(program_name)s_%(process_num)02d' in text and "date +%%F" in text


@needs("mandoc")
def test_the_pages_of_the_commands_have_every_option_and_action(made):
    for name, words in (("supervisord", ["-h"]), ("supervisorctl", ["ctl", "-h"])):
        text = rendered(made / "man" / f"{name}.1")
        listed = subprocess.run([binary(), *words], capture_output=True, text=True, check=True).stdout
        spellings = re.findall(r"(?m)^(-\S+?)(?:/(--\S+))?(?: [A-Z]+)? --", listed)
        assert len(spellings) > 7
        for spelling in spellings:
            assert f" {', '.join(filter(None, spelling))} " in text
    listed = subprocess.run([binary(), "ctl", "help"], capture_output=True, text=True).stdout
    for action in listed.split("\n", 3)[3].split():
        assert re.search(rf" {action} ", text)


def environment(daemon):
    return {**daemon.env, "PATH": f"{daemon.root / 'bin'}:{os.environ['PATH']}", "HOME": str(daemon.root), "TERM": "vt100"}


class Shell:
    """A shell on a terminal that has read our completions."""

    def __init__(self, words, setup, daemon):
        with FORKING:
            self.child = pexpect.spawn(words[0], words[1:], timeout=WAIT_SECS, env=environment(daemon), cwd=str(daemon.root),
                                       encoding="utf-8", dimensions=(40, 200))
        self.child.delaybeforesend = None
        for line in (*setup, "echo re''ady"):
            self.child.sendline(line)
        self.child.expect("ready\r\n")

    def completed(self, line):
        """The words of the line behind a Tab: its beginning is made a command that prints them."""
        self.child.send(f"{line}\t\x01printf '<%s>' \r")
        self.child.expect("<supervisorctl>(<[^<>]*>)*")
        return self.child.match[0][1:-1].split("><")[1:]

    def close(self):
        self.child.close(force=True)


@pytest.fixture(scope="module")
def daemon(made):
    with served(PROGRAMS) as daemon:
        (daemon.root / "file.conf").symlink_to("supervisord.conf")
        yield daemon


class Bash:
    """The function of a script, called as bash calls it."""

    PROGRAM = """
        . "$1"
        COMP_WORDBREAKS=$' \\t\\n"\\'><=;|&(:' COMP_LINE=$2 COMP_POINT=${#2}
        "_$3"
        [ ${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "${COMPREPLY[@]}"
    """

    def __init__(self, made, daemon):
        self.scripts, self.daemon = made / "completions" / "bash", daemon

    def offered(self, line):
        name = line.split()[0]
        done = subprocess.run(["bash", "-c", self.PROGRAM, "bash", self.scripts / name, line, name], capture_output=True, text=True,
                              cwd=self.daemon.root, env=environment(self.daemon), timeout=WAIT_SECS, check=True)
        assert done.stderr == ""
        return done.stdout.splitlines()


def test_what_bash_offers(made, daemon):
    bash = Bash(made, daemon)
    assert bash.offered("supervisorctl st") == ["start", "status", "stop"]
    assert bash.offered("supervisorctl -c fi") == ["file.conf"]
    assert bash.offered("supervisorctl --configuration=fi") == ["file.conf"]
    assert bash.offered("supervisorctl --col") == ["--color"]
    assert bash.offered("supervisorctl --color a") == ["always", "auto"]
    assert bash.offered("supervisorctl -s ") == []
    connected = "supervisorctl -c file.conf"
    assert bash.offered(f"{connected} restart we") == ["web"]
    assert bash.offered(f"{connected} restart ma") == ["many:*", "many:0", "many:1"]
    # Bash replaces what is behind the last colon.
    assert bash.offered(f"{connected} restart many:") == ["*", "0", "1"]
    assert bash.offered(f"{connected} update ") == ["all", "many", "web"]
    assert bash.offered(f"{connected} signal H") == ["HUP"]
    assert bash.offered(f"{connected} signal HUP w") == ["web"]
    assert bash.offered(f"{connected} status --") == ["--json", "--watch"]
    assert bash.offered("supervisord --log") == ["--logfile", "--logfile_maxbytes", "--logfile_backups", "--loglevel"]
    assert bash.offered("supervisord -e w") == ["warn"]
    assert bash.offered("supervisord -n -c fi") == ["file.conf"]
    assert bash.offered("supervisord ct") == ["ctl"]


def test_nothing_is_waited_for(made, daemon):
    """No daemon, or one that hangs, has no names, and the shell goes on."""
    bash = Bash(made, daemon)
    assert bash.offered("supervisorctl -s unix:///nonexistent restart we") == []
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        started = time.monotonic()
        assert bash.offered("supervisorctl -c file.conf restart we") == []
        assert time.monotonic() - started < HANGS_SECS
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)


def test_names_are_no_commands(made, daemon):
    """A name is data, whatever stands in it: it is quoted where a shell would do something with it."""
    fake = daemon.root / "bin" / "fake"
    fake.mkdir(exist_ok=True)
    daemon.write("bin/fake/supervisorctl", "#!/bin/sh\ncat <<'EOF'\nx$(touch${IFS}gone) RUNNING\nx;reboot STOPPED\nerror: x\nEOF\n", mode=0o755)
    bash = Bash(made, daemon)
    line = "bin/fake/supervisorctl restart x"
    done = subprocess.run(["bash", "-c", Bash.PROGRAM, "bash", bash.scripts / "supervisorctl", line, "supervisorctl"], capture_output=True,
                          text=True, cwd=daemon.root, env=environment(daemon), check=True)
    assert done.stdout.splitlines() == ["x\\$\\(touch\\$\\{IFS\\}gone\\)", "x\\;reboot"]
    assert not (daemon.root / "gone").exists()


def check_shell(shell):
    try:
        assert shell.completed("supervisorctl stat") == ["status"]
        assert shell.completed("supervisorctl -c fi") == ["-c", "file.conf"]
        assert shell.completed("supervisorctl -c file.conf restart we") == ["-c", "file.conf", "restart", "web"]
        assert shell.completed("supervisorctl -c file.conf restart many:1") == ["-c", "file.conf", "restart", "many:1"]
        assert shell.completed("supervisorctl -c file.conf signal US") [-1] == "USR"
        assert shell.completed("supervisorctl -c file.conf signal HUP w")[-1] == "web"
        assert shell.completed("supervisorctl -c file.conf remove we")[-1] == "web"
        assert shell.completed("supervisorctl -s unix:///nonexistent restart we")[-1] == "we"
    finally:
        shell.close()


def test_tab_in_bash(made, daemon):
    setup = ["PS1='> '", "bind 'set bell-style none'", f". {made / 'completions' / 'bash' / 'supervisorctl'}"]
    check_shell(Shell(["bash", "--norc", "--noprofile", "-i"], setup, daemon))


@needs("zsh")
def test_tab_in_zsh(made, daemon):
    setup = ["PROMPT='> '", "setopt no_beep", "bindkey -e", f"fpath=({made / 'completions' / 'zsh'} $fpath)",
             "autoload -Uz compinit && compinit -u -D"]
    check_shell(Shell(["zsh", "-f", "-i"], setup, daemon))


@needs("fish")
def test_what_fish_offers(made, daemon):
    scripts = made / "completions" / "fish"

    def offered(line):
        program = f"source {scripts}/supervisorctl.fish; source {scripts}/supervisord.fish; complete -C '{line}'"
        done = subprocess.run(["fish", "--no-config", "-c", program], capture_output=True, text=True, cwd=daemon.root,
                              env=environment(daemon), timeout=WAIT_SECS, check=True)
        assert done.stderr == ""
        return sorted(each.split("\t")[0] for each in done.stdout.splitlines())

    assert offered("supervisorctl st") == ["start", "status", "stop"]
    assert offered("supervisorctl -c fi") == ["file.conf"]
    assert offered("supervisorctl --configuration=fi") == ["--configuration=file.conf"]
    assert offered("supervisorctl -c file.conf restart we") == ["web"]
    assert offered("supervisorctl -c file.conf restart many") == ["many:*", "many:0", "many:1"]
    assert offered("supervisorctl -c file.conf signal H") == ["HUP"]
    assert offered("supervisorctl -c file.conf signal HUP w") == ["web"]
    assert offered("supervisorctl -c file.conf update w") == ["web"]
    assert offered("supervisorctl -s unix:///nonexistent restart we") == []
    assert offered("supervisord -e w") == ["warn"]
    assert offered("supervisord ct") == ["ctl"]
