"""What a child sees: environment, directory, user, descriptors, signals."""

import os
import re

from scenario import scenario

DUMP = """\
import os, sys
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print("signals", {k: status[k].strip() for k in ("SigBlk", "SigIgn", "SigCgt")})
print("umask", status["Umask"].strip())
print("leads its group", os.getpgrp() == os.getpid())
print("leads its session", os.getsid(0) == os.getpid())
print("descriptors", sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3],
      len(os.listdir("/proc/self/fd")))
print("directory", os.getcwd())
print("ids", os.getuid(), os.getgid(), sorted(os.getgroups()))
print("nice", os.nice(0))
print("stdin", os.readlink("/proc/self/fd/0").split(":")[0])
print("done")
"""


PLAIN = """
[program:status]
command=/bin/grep -E "^(Sig(Blk|Ign)|Umask|NoNewPrivs|Seccomp:)" /proc/self/status
stdout_logfile=%(here)s/status.out
startsecs=0
autorestart=false
[program:dump]
command=%(ENV_PYTHON)s -I %(here)s/dump.py
stdout_logfile=%(here)s/dump.out
startsecs=0
autorestart=false
"""


@scenario(PLAIN, start=False)
def test_state_of_a_plain_child(d):
    d.write("dump.py", DUMP)
    d.start()
    d.see("dump", d.wait_file("dump.out", "done"))
    d.see("status", d.wait_file("status.out", "Seccomp"))


@scenario("""
[program:fds]
command=/bin/sh -c "ls /proc/self/fd; echo done; exec sleep 1000"
stdout_logfile=%(here)s/fds.out
startsecs=0
""", start=False)
def test_descriptors_of_a_child(d):
    """Nothing of the daemon, nor of whoever started it, reaches a child beyond 0, 1 and 2."""
    extra = os.open("/dev/null", os.O_RDONLY)
    try:
        os.set_inheritable(extra, True)
        d.start()
        d.see("descriptors", d.wait_file("fds.out", "done"))
    finally:
        os.close(extra)


ENVIRON = '/bin/sh -c "env | sort; echo --; pwd; echo done; exec sleep 1000"'


def environ(d, name):
    """The environment a program printed, without what the shell and the harness add."""
    lines = d.wait_file(f"{name}.out", "done").splitlines()
    return [line for line in lines if not re.match(r"(COMPAT_ROOT|PWD|OLDPWD|SHLVL|_|PYTHON|LC_CTYPE)=", line)]


@scenario(f"""
[program:plain]
command={ENVIRON}
stdout_logfile=%(here)s/plain.out
startsecs=0
[program:own]
command={ENVIRON}
stdout_logfile=%(here)s/own.out
environment=USER="me",SUPERVISOR_ENABLED="no",EMPTY="",SPACED="a b",COMMA="a,b",PERCENT="100%%%%",HERE="%(here)s",
    N="%(program_name)s-%(process_num)d",E="%(ENV_USER)s"
startsecs=0
[program:member]
command={ENVIRON}
process_name=%(program_name)s_%(process_num)02d
numprocs=1
stdout_logfile=%(here)s/member.out
startsecs=0
serverurl=http://example.com:1234
directory=/tmp
[group:team]
programs=member
""", extra='environment=GLOBAL="yes",USER="fromdaemon",BOTH="daemon"')
def test_environment(d):
    for name in ("plain", "own", "member"):
        d.see(name, environ(d, name))


@scenario(f"""
[program:p]
command={ENVIRON}
stdout_logfile=%(here)s/p.out
startsecs=0
""", start=False)
def test_environment_of_the_daemon_is_passed_on(d):
    d.start(env={"PERCENT": "foo_%s_%_%%_%%%_%2_bar", "NEWLINE": "a\nb", "SUPERVISOR_ENABLED": "0",
                 "SUPERVISOR_GROUP_NAME": "wrong", "ÜMLAUT": "ü", "SUPERVISOR_OTHER": "kept"})
    d.see("environment", environ(d, "p"))


@scenario("", start=False)
def test_expansions_of_the_environment(d):
    d.configure("""
[program:p]
command=/bin/echo %(ENV_A)s %(ENV_B)s
environment=B="%(ENV_A)s%(ENV_C)s"
stdout_logfile=%(here)s/p.out
startsecs=0
autorestart=false
""", extra='environment=A="1",B="2",C="%(ENV_USER)s"')
    d.start()
    d.wait_state("p", "EXITED")
    d.see("echoed", d.wait_file("p.out", "\n"))
    d.call("getAllConfigInfo")


@scenario("""
[program:named]
command=tool argument
environment=PATH="%(here)s/own:/bin"
stdout_logfile=%(here)s/named.out
startsecs=0
autorestart=false
[program:inherited]
command=tool
stdout_logfile=%(here)s/inherited.out
startsecs=0
autorestart=false
[program:relative]
command=bin/rel
directory=%(here)s
stdout_logfile=%(here)s/relative.out
startsecs=0
autorestart=false
[program:broken]
command=tool
environment=PATH="/no/such/directory"
startsecs=0
startretries=0
autorestart=false
""", start=False)
def test_search_of_the_command(d):
    d.write("own/tool", "#!/bin/sh\necho own $0 $*\n", 0o755)
    d.write("theirs/tool", "#!/bin/sh\necho theirs $0 $*\n", 0o755)
    d.write("bin/rel", "#!/bin/sh\necho rel\n", 0o755)
    d.start(env={"PATH": f"{d.root}/theirs:/usr/bin:/bin"})
    d.see("named", d.wait_file("named.out", "\n"))
    d.see("inherited", d.wait_file("inherited.out", "\n"))
    d.see("relative", d.wait_file("relative.out", "\n"))
    d.wait_state("broken", "FATAL")
    d.call("getProcessInfo", "broken")


@scenario("""
[program:here]
command=/bin/sh -c "pwd; touch made; exec sleep 1000"
stdout_logfile=%(here)s/here.out
directory=%(here)s/sub
umask=027
startsecs=0
[program:gone]
command=/bin/cat
directory=%(here)s/nowhere
stderr_logfile=%(here)s/gone.err
startsecs=20
startretries=0
[program:home]
command=/bin/pwd
directory=~
stdout_logfile=%(here)s/home.out
startsecs=0
autorestart=false
""", start=False)
def test_directory_and_umask(d):
    (d.root / "sub").mkdir()
    d.start(env={"HOME": str(d.root / "sub")})
    d.see("pwd", d.wait_file("here.out", "\n"))
    d.wait_file("sub/made")
    d.see("mode", oct((d.root / "sub/made").stat().st_mode))
    d.wait_state("gone", "FATAL")
    d.see("stderr", d.wait_file("gone.err", "spawned"))
    d.call("getProcessInfo", "gone")
    d.see("lines", d.log_lines("gone"))


def root():
    """The superuser's rights."""
    return os.getuid() == 0


@scenario("""
[program:nobody]
command=/bin/sh -c "id; env | grep -E '^(HOME|USER|LOGNAME)=' | sort; echo done; exec sleep 1000"
user=nobody
stdout_logfile=%(here)s/nobody.out
startsecs=0
[program:number]
command=/bin/sh -c "id; exec sleep 1000"
user=65534
stdout_logfile=%(here)s/number.out
startsecs=0
""", needs=root)
def test_user_of_a_program(d):
    d.see("nobody", d.wait_file("nobody.out", "done"))
    d.see("number", d.wait_file("number.out", "\n"))
    d.call("getAllConfigInfo")


@scenario("""
[program:locked]
command=%(here)s/private/tool
user=nobody
stderr_logfile=%(here)s/locked.err
startsecs=20
startretries=0
[program:badformat]
command=%(here)s/badformat
stderr_logfile=%(here)s/badformat.err
startsecs=20
startretries=0
[program:nointerpreter]
command=%(here)s/nointerpreter
stderr_logfile=%(here)s/nointerpreter.err
startsecs=20
startretries=0
""", start=False, needs=root)
def test_exec_failures_in_the_child(d):
    d.write("private/tool", "#!/bin/sh\n", 0o755)
    (d.root / "private").chmod(0o700)
    d.write("badformat", "no magic\n", 0o755)
    d.write("nointerpreter", "#!/no/such/interpreter\n", 0o755)
    d.start()
    for name in ("locked", "badformat", "nointerpreter"):
        d.wait_state(name, "FATAL")
        d.see(name, d.wait_file(f"{name}.err", "was not spawned"))
        d.see("lines", d.log_lines(name))


@scenario("""
[program:locked]
command=/bin/cat
user=nobody
autostart=false
startsecs=20
startretries=0
""", start=False, needs=root)
def test_daemon_that_is_not_root_cannot_change_the_user(d):
    d.root.chmod(0o777)
    d.start("-u", "daemon")
    d.see("daemon's user", os.stat(f"/proc/{d.process.pid}").st_uid)
    d.outcome("startProcess", "locked", False)
    d.wait_state("locked", "FATAL")
    error = next(d.root.glob("locked-stderr*"))
    d.see("stderr", d.wait_file(error.name, "was not spawned"))


@scenario("""
[program:merged]
command=/bin/sh -c "echo one; echo two >&2; echo three; exec sleep 1000"
redirect_stderr=true
stdout_logfile=%(here)s/merged.out
stderr_logfile=%(here)s/merged.err
startsecs=0
[program:apart]
command=/bin/sh -c "echo one; echo two >&2; echo three; exec sleep 1000"
stdout_logfile=%(here)s/apart.out
stderr_logfile=%(here)s/apart.err
startsecs=0
""")
def test_redirect_stderr(d):
    d.see("merged", d.wait_file("merged.out", "three"))
    d.see("merged error", (d.root / "merged.err").exists())
    d.see("apart", d.wait_file("apart.out", "three"))
    d.see("apart error", d.wait_file("apart.err", "two"))
    d.call("getProcessInfo", "merged")


@scenario(r"""
[program:quoted]
command=/bin/echo 'single quoted' "double \"quoted\"" back\ slash plain%%percent "" $HOME *
stdout_logfile=%(here)s/quoted.out
startsecs=0
autorestart=false
[program:comment]
command=/bin/echo a;b #c ; a comment
stdout_logfile=%(here)s/comment.out
startsecs=0
autorestart=false
[program:continued]
command=/bin/echo a
    b
    c
stdout_logfile=%(here)s/continued.out
startsecs=0
autorestart=false
""")
def test_words_of_a_command(d):
    for name in ("quoted", "comment", "continued"):
        d.wait_state(name, "EXITED")
        d.see(name, d.wait_file(f"{name}.out", "\n"))
