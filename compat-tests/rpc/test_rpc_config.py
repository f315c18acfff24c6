"""XML-RPC: reading the configuration again, adding and removing groups, the configuration's report."""

import os

from scenario import scenario


def root():
    """The superuser's rights."""
    return os.getuid() == 0


FIRST = """
[program:a]
command=/bin/cat
startsecs=0
[program:b]
command=/bin/cat
startsecs=0
[program:c]
command=/bin/cat
autostart=false
"""


@scenario(FIRST)
def test_reload_add_remove(d):
    d.wait_state("a", "RUNNING")
    d.call("reloadConfig")
    d.configure(FIRST.replace("[program:b]\ncommand=/bin/cat", "[program:b]\ncommand=/bin/cat -u").replace("program:c", "program:d"))
    d.call("reloadConfig")
    d.call("reloadConfig")
    d.call("addProcessGroup", "a")
    d.call("addProcessGroup", "c")
    d.call("addProcessGroup", "d")
    d.call("addProcessGroup", "d")
    d.call("getProcessInfo", "d")
    d.call("getProcessInfo", "c")
    d.call("removeProcessGroup", "c")
    d.call("removeProcessGroup", "c")
    d.call("removeProcessGroup", "a")
    d.call("removeProcessGroup", "nope")
    d.call("stopProcess", "b")
    d.call("removeProcessGroup", "b")
    d.call("addProcessGroup", "b")
    d.wait_state("b", "RUNNING")
    d.call("reloadConfig")
    d.call("getAllConfigInfo")
    d.see("lines", d.log_lines("'?[abcd]'? "))


CHANGES = (
    ("command", "/bin/cat -u"), ("priority", "5"), ("autostart", "true"), ("autorestart", "false"), ("startsecs", "7"),
    ("startretries", "9"), ("stopsignal", "INT"), ("stopwaitsecs", "3"), ("exitcodes", "0,2"), ("directory", "/"),
    ("umask", "077"), ("environment", 'A="b"'), ("redirect_stderr", "true"), ("stdout_logfile", "%(here)s/x"),
    ("stdout_logfile", "NONE"), ("stdout_logfile", "AUTO"), ("stdout_logfile_maxbytes", "5KB"),
    ("stdout_logfile_backups", "2"), ("stderr_logfile_maxbytes", "0"), ("stdout_capture_maxbytes", "1KB"),
    ("stdout_events_enabled", "true"), ("stopasgroup", "true"), ("killasgroup", "true"), ("serverurl", "http://x:1"),
    ("serverurl", "AUTO"), ("stdout_syslog", "true"), ("numprocs", "1"), ("process_name", "p"), ("user", "root"),
    ("unknown_option", "1"))


@scenario("[program:p]\ncommand=/bin/cat\nautostart=false\n")
def test_what_counts_as_a_change(d):
    plain = "[program:p]\ncommand=/bin/cat\nautostart=false\n"
    for option, value in CHANGES:
        lines = plain.replace("command=/bin/cat\n", "") if option == "command" else plain
        lines = lines.replace("autostart=false\n", "") if option == "autostart" else lines
        d.configure(f"{lines}{option}={value}\n")
        d.see(f"{option}={value}", d.rpc("supervisor.reloadConfig"))
        d.configure(plain)
        d.see("back", d.rpc("supervisor.reloadConfig"))


@scenario("[program:p]\ncommand=/bin/cat\nautostart=false\nstdout_logfile=%(here)s/p.log\n")
def test_a_file_that_becomes_auto_is_no_change(d):
    d.configure("[program:p]\ncommand=/bin/cat\nautostart=false\n")
    d.call("reloadConfig")
    d.call("getAllConfigInfo")


@scenario("[program:p]\ncommand=/bin/cat\n[program:q]\ncommand=/bin/cat\n[group:g]\nprograms=p\n")
def test_group_changes(d):
    for body in ("[program:p]\ncommand=/bin/cat\n[program:q]\ncommand=/bin/cat\n[group:g]\nprograms=p,q\n",
                 "[program:p]\ncommand=/bin/cat\n[program:q]\ncommand=/bin/cat\n",
                 "[program:p]\ncommand=/bin/cat\n[program:q]\ncommand=/bin/cat\n[group:g]\nprograms=p\npriority=1\n",
                 "[program:q]\ncommand=/bin/cat\npriority=3\n",
                 ""):
        d.configure(body)
        d.see(body, d.rpc("supervisor.reloadConfig"))


BAD = (
    "[program:p]\n",
    "[program:p]\ncommand=\n",
    "[program:p]\ncommand=/bin/cat\npriority=high\n",
    "[program:p]\ncommand=/bin/cat\nautostart=maybe\n",
    "[program:p]\ncommand=/bin/cat\nautorestart=maybe\n",
    "[program:p]\ncommand=/bin/cat\nstopsignal=NOPE\n",
    "[program:p]\ncommand=/bin/cat\nexitcodes=0,x\n",
    "[program:p]\ncommand=/bin/cat\nexitcodes=0,256\n",
    "[program:p]\ncommand=/bin/cat\numask=999\n",
    "[program:p]\ncommand=/bin/cat\nuser=no-such-user-here\n",
    "[program:p]\ncommand=/bin/cat\nenvironment=A\n",
    "[program:p]\ncommand=/bin/cat\nenvironment=A='b\n",
    "[program:p]\ncommand=/bin/cat\nnumprocs=x\n",
    "[program:p]\ncommand=/bin/cat\nnumprocs=2\n",
    "[program:p]\ncommand=/bin/cat %(nope)s\n",
    "[program:p]\ncommand=/bin/cat %(ENV_NOPE)s\n",
    "[program:p]\ncommand=/bin/cat %q\n",
    "[program:p]\ncommand=/bin/cat 100%\n",
    "[program:p]\ncommand=/bin/cat\nstdout_logfile_maxbytes=5XB\n",
    "[program:p]\ncommand=/bin/cat\nstdout_logfile=/no/such/directory/x.log\n",
    "[program:p]\ncommand=/bin/cat\nstdout_logfile=/dev/stdout\n",
    "[program:p]\ncommand=/bin/cat\nstopasgroup=true\nkillasgroup=false\n",
    "[program:p]\ncommand=/bin/cat\nstdout_logfile=syslog\n",
    "[program:p]\ncommand=/bin/cat\nserverurl=ftp://x\n",
    "[program:a b]\ncommand=/bin/cat\n",
    "[program:a:b]\ncommand=/bin/cat\n",
    "[program:p]\ncommand=/bin/cat\nprocess_name=a:b\n",
    "[group:g]\n",
    "[group:g]\nprograms=nope\n",
    "[group:g]\nprograms=\n",
    "[group:g]\nprograms=p\npriority=x\n[program:p]\ncommand=/bin/cat\n",
    "[program:p]\ncommand=/bin/cat\n[fcgi-program:p]\ncommand=/bin/cat\nsocket=tcp://127.0.0.1:1\n[group:g]\nprograms=p\n",
    "[eventlistener:e]\ncommand=/bin/cat\n",
    "[eventlistener:e]\ncommand=/bin/cat\nevents=NOPE\n",
    "[eventlistener:e]\ncommand=/bin/cat\nevents=TICK_5\nbuffer_size=0\n",
    "[eventlistener:e]\ncommand=/bin/cat\nevents=TICK_5\nredirect_stderr=true\n",
    "[eventlistener:e]\ncommand=/bin/cat\nevents=TICK_5\nresult_handler=nope:nope\n",
    "[fcgi-program:f]\ncommand=/bin/cat\n",
    "[fcgi-program:f]\ncommand=/bin/cat\nsocket=nope\n",
    "[rpcinterface:x]\n",
    "[rpcinterface:x]\nsupervisor.rpcinterface_factory=nope:nope\n",
    "[include]\n",
    "no section at all\n[program:p]\ncommand=/bin/cat\n",
    "[program:p]\ncommand\n",
    "[inet_http_server]\n",
    "[inet_http_server]\nport=x:y\n",
    "[unix_http_server:two]\n",
    "[unix_http_server:two]\nfile=/tmp/x\nchmod=999\n",
    "[unix_http_server:two]\nfile=/tmp/x\nchown=no-such-user-here\n",
    "[supervisord]\nminfds=x\n",
    "[supervisord]\nlogfile=/no/such/directory/x.log\n",
    "[supervisord]\nloglevel=loud\n",
    "[supervisord]\ndirectory=/no/such/directory\n",
    "[supervisord]\nenvironment=A\n",
    "[supervisord]\nlogfile_maxbytes=1TB\n",
    "[supervisord]\nnodaemon=perhaps\n",
)


@scenario("[program:ok]\ncommand=/bin/cat\n")
def test_texts_of_bad_configurations(d):
    """Fault 92 carries the words of the error, and nothing changes."""
    d.wait_state("ok", "RUNNING")
    for body in BAD:
        d.configure(body)
        d.see(body, d.outcome("reloadConfig"))
    d.config.write_text("")
    d.call("reloadConfig")
    d.config.write_text("junk before a section\n")
    d.call("reloadConfig")
    d.config.unlink()
    d.call("reloadConfig")
    d.call("getProcessInfo", "ok")


@scenario("""
[program:plain]
command=/bin/cat
[program:full]
command=/bin/cat %%%% a b
process_name=f_%(process_num)d
numprocs=2
numprocs_start=5
priority=7
autostart=false
autorestart=true
startsecs=3
startretries=4
stopsignal=USR1
stopwaitsecs=6
exitcodes=0, 3,9
stopasgroup=true
redirect_stderr=true
stdout_logfile=%(here)s/full.log
stdout_logfile_maxbytes=1MB
stdout_logfile_backups=3
stdout_capture_maxbytes=2KB
stdout_events_enabled=true
stderr_logfile=NONE
stderr_logfile_maxbytes=0
stderr_logfile_backups=0
stderr_capture_maxbytes=7
stderr_events_enabled=true
environment=A="1",B="2"
directory=/tmp
umask=022
serverurl=http://localhost:1
user=root
[program:killer]
command=/bin/cat
autostart=false
killasgroup=true
stdout_syslog=true
stderr_syslog=true
[group:g]
programs=full,killer
priority=3
""", needs=root)
def test_all_config_info(d):
    d.call("getAllConfigInfo")
    d.call("reloadConfig")
    d.call("getAllConfigInfo")


@scenario(FIRST)
def test_reload_changes_the_identifier_at_once(d):
    d.configure(FIRST, extra="identifier=other")
    d.call("reloadConfig")
    d.call("getIdentification")


@scenario(FIRST)
def test_added_group_starts_by_itself(d):
    d.configure(FIRST + "[program:e]\ncommand=/bin/cat\nstartsecs=0\n[program:f]\ncommand=/bin/cat\nautostart=false\n")
    d.call("reloadConfig")
    d.call("addProcessGroup", "e")
    d.call("addProcessGroup", "f")
    d.wait_state("e", "RUNNING")
    d.call("getProcessInfo", "f")
    d.call("stopProcess", "e")
    d.call("removeProcessGroup", "e")
    d.call("getProcessInfo", "e")


@scenario("""
[program:exited]
command=/bin/true
autorestart=false
startsecs=0
[program:fatal]
command=/no/such/command
startretries=0
[program:never]
command=/bin/cat
autostart=false
[program:running]
command=/bin/cat
""")
def test_remove_in_every_resting_state(d):
    d.wait_state("exited", "EXITED")
    d.wait_state("fatal", "FATAL")
    d.wait_state("running", "RUNNING")
    for name in ("exited", "fatal", "never", "running"):
        d.call("removeProcessGroup", name)
    d.call("getAllProcessInfo")
