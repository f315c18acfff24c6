"""The web interface: the same facts and actions as the reference's."""

import re
import signal
from urllib.parse import quote

import webfacts
from harness import wait_for
from procfs import descriptors
from scenario import scenario
from webasking import CAT, GROUPS, act, ask, facts, only_ours, place, request, see_page, see_tail

BACKOFF = """
[program:backoff]
command=/bin/sh -c "exit 1"
startsecs=36000
startretries=1000
"""
# A program in every state, each as long as nobody touches it.
STATES = """
[program:running]
command=/bin/cat
startsecs=0
[program:stopped]
command=/bin/cat
autostart=false
startsecs=0
[program:exited]
command=/bin/cat
startsecs=0
autorestart=false
[program:missing]
command=/no/such/file
startretries=0
[program:forbidden]
command=/etc/passwd
startretries=0
[program:failing]
command=/bin/sh -c "exit 3"
autostart=false
startretries=0
[program:starting]
command=/bin/cat
startsecs=36000
[program:stopping]
command=/bin/sh -c "trap '' TERM; echo ready; exec sleep 36000"
stdout_logfile=%(here)s/stopping.out
startsecs=0
stopwaitsecs=36000
"""


def settle(d):
    """Brings every program of STATES into its state."""
    d.wait_state("exited", "RUNNING")
    d.note_pid("exited")
    d.kill("exited")
    for name, state in (("running", "RUNNING"), ("exited", "EXITED"), ("missing", "FATAL"), ("forbidden", "FATAL"),
                        ("starting", "STARTING"), ("stopping", "RUNNING")):
        d.wait_state(name, state)
    d.note_pid("stopping")
    d.wait_file("stopping.out", "ready")  # now it ignores the signal
    d.rpc("supervisor.stopProcess", "stopping", False)
    d.wait_state("stopping", "STOPPING")


@scenario(STATES)
def test_every_state_has_its_facts(d):
    settle(d)
    see_page(d, "all states")
    d.kill("stopping")


@scenario(BACKOFF)
def test_a_program_that_is_tried_again(d):
    def waits():
        found = facts(d)[1]
        return found if found["programs"][0]["state"] == "backoff" else None
    d.see("waiting for the next try", wait_for(waits, "backoff is never shown"))


@scenario(STATES)
def test_every_action_in_every_state(d):
    settle(d)
    for name in ("running", "stopped", "exited", "missing", "forbidden", "starting", "stopping"):
        act(d, f"/index.html?processname={name}&action=clearlog")
    for name in ("running", "missing", "forbidden", "starting", "stopping"):
        act(d, f"/index.html?processname={name}&action=start")
    for name in ("stopped", "exited", "missing", "forbidden", "stopping"):
        act(d, f"/index.html?processname={name}&action=stop")
    see_page(d, "nothing has changed")
    for name in ("running", "starting"):
        act(d, f"/index.html?processname={name}&action=stop")
    for name in ("running", "stopped", "exited"):
        act(d, f"/?action=start&processname={name}")
    for name in ("running", "stopped", "exited", "missing", "forbidden"):
        act(d, f"/index.html?processname={name}&action=restart")
    for name in ("running", "stopped", "exited"):
        d.wait_state(name, "RUNNING")
    see_page(d, "after the actions")
    d.kill("stopping")


@scenario(STATES)
def test_programs_that_cannot_start(d):
    settle(d)
    act(d, "/?processname=failing&action=start")
    d.kill("stopping")


@scenario(BACKOFF)
def test_actions_while_it_is_tried_again(d):
    def waits(): return d.rpc("supervisor.getProcessInfo", "backoff")["statename"] == "BACKOFF"
    wait_for(waits, "no backoff")
    act(d, "/?processname=backoff&action=start")
    act(d, "/?processname=backoff&action=clearlog")
    act(d, "/?processname=backoff&action=stop")
    see_page(d, "stopped")


@scenario(CAT + """
[program:off]
command=/bin/cat
autostart=false
startsecs=0
""")
def test_actions_on_everything(d):
    d.wait_state("cat", "RUNNING")
    act(d, "/?action=refresh")
    act(d, "/index.html?action=refresh&processname=cat")
    act(d, "/index.html?action=restartall")
    for name in ("cat", "off"):
        d.wait_state(name, "RUNNING")
    see_page(d, "both run")
    act(d, "/index.html?action=stopall")
    see_page(d, "both stopped")
    act(d, "/index.html", method="POST", body="action=restartall")
    see_page(d, "both run again")
    act(d, "/index.html?action=stopall&processname=cat")


@scenario("""
[program:one]
command=/bin/cat
startsecs=0
[program:two]
command=/bin/cat
autostart=false
[group:pair]
programs=one,two
[program:many]
command=/bin/cat
process_name=%(program_name)s_%(process_num)d
numprocs=3
autostart=false
startsecs=0
""")
def test_groups(d):
    d.wait_state("pair:one", "RUNNING")
    see_page(d, "groups")
    for name in ("pair:one", "many:many_1", "one", "pair", "pair:", "pair:*", "*", ":", "pair:one:x", "many:many_9", "none"):
        act(d, f"/?action=stop&processname={quote(name)}")
    for name in ("many:many_0", "pair:*", "nope"):
        for action in ("start", "restart", "clearlog"):
            act(d, f"/?action={action}&processname={quote(name)}")
    # A name that does not exist is told before an action that does not.
    act(d, "/?action=nonsense&processname=nope")
    see_page(d, "after the actions")
    see_tail(d, "?processname=pair%3Aone")
    see_tail(d, "?processname=pair:*")
    see_tail(d, "?processname=pair")


@scenario()
def test_no_programs(d):
    see_page(d, "nothing to manage")
    act(d, "/?action=stopall")
    act(d, "/?action=restartall")
    act(d, "/?action=start&processname=x")


HOSTILE = ["<b>bold</b>", "a&b", "a'b", 'a"b', "100%", "a+b", "a=b", "ünïcödé", "a?b", "javascript", "a{b}", "名前",
           "</script><script>alert(1)</script>"]


# The reference itself refuses colons, slashes and spaces; slashes of a closing tag come in by an expansion.
@scenario("".join(f"""
[program:p{number}]
command=/bin/sh -c "printf '%%s' 'I am <{number}> <i>x</i>;'; exec cat"
process_name={name.replace('%', '%%').replace('/', '_')}
startsecs=0
stdout_logfile=%(here)s/{number}.out
""" for number, name in enumerate(HOSTILE)))
def test_hostile_names(d):
    names = [f"p{number}:{name.replace('/', '_')}" for number, name in enumerate(HOSTILE)]
    for number, name in enumerate(names):
        d.wait_state(name, "RUNNING")
        d.wait_file(f"{number}.out", "am")
    see_page(d, "they are text")
    for number, name in enumerate(names):
        act(d, f"/?action=restart&processname={quote(name)}")
        d.wait_file(f"{number}.out", "am", 2)
        see_tail(d, f"?processname={quote(name)}")
        act(d, "/index.html", method="POST", body=f"action=clearlog&processname={quote(name)}")
        see_tail(d, f"?processname={quote(name)}")
    # The reference shows its entities as they are.
    page = facts(d, "/?message=%26amp%3B")[1]
    d.expect("an entity in a message", page["message"], python="&", ours="&amp;")
    for name in ("<b>x</b>", "a b", '"><script>alert(1)</script>', "x\r\nSet-Cookie: a=b", "é", "%", "a/b", "\0"):
        act(d, f"/?action=start&processname={quote(name)}")
        see_tail(d, f"?processname={quote(name)}")


@scenario(CAT)
def test_messages(d):
    for query in ("?message=hello", "?message=", "?message", "?message=a&message=b", "?message=a+b%20c", "?message=%zz%4",
                  "?message=%3Cb%3Ebold%3C/b%3E", "?message=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "?message=a;b=c",
                  "?x;message=a", "?&&message=a&", "?message=a=b", "?message=%ff", "?message=%C3%A9", "?MESSAGE=a", "?=a",
                  "?action=&message=a", "?" + "x=y&" * 500 + "message=late", "?message=" + "z" * 4000):
        see_page(d, query[:80], f"/{query}")
    for body in ("message=posted", "message=a&message=b", "message", "message=", "nonsense", "message=%3Ci%3E+x", "\r\n",
                 "message=a\r\n", "message=é"):
        see_page(d, f"body {body!r}", "/index.html?message=query", method="POST", body=body)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json"):
        see_page(d, kind, "/", method="POST", body="message=whatever", headers=["Host: x", f"Content-Type: {kind}"])


@scenario(CAT)
def test_nonsense(d):
    d.wait_state("cat", "RUNNING")
    for target in ("/?action=nonsense", "/?action=start", "/?action=clearlog", "/?action=restart&processname=", "/?action=%00",
                   "/?action=nonsense&processname=cat", "/?action=STOP&processname=cat", "/?action=stop%20&processname=cat"):
        code, headers, body = ask(d, target)
        d.expect(target, code, python=500, ours=400)
        if d.side == "ours":
            assert "action" in webfacts.parse(body).find(role="alert")[0].text()
    if d.side == "ours":
        code, headers, body = ask(d, "/", method="POST", body="action=nonsense", headers=["Host: x", "Accept: application/json"])
        assert (code, headers["content-type"], body) == (400, "application/json", '{"message": "There is no action \\"nonsense\\"."}')
        assert ask(d, "/index.html;x")[0] == 200  # the reference never answers
    see_page(d, "unharmed")


@scenario(STATES)
def test_on_the_way_down(d):
    settle(d)
    d.signal(signal.SIGTERM)

    def leaving():
        d.nudge()
        return d.outcome("getState") != {"statecode": 1, "statename": "RUNNING"}
    wait_for(leaving, "it does not leave")
    d.expect("the page", ask(d, "/")[0], python=500, ours=200)
    if d.side == "ours":
        found = facts(d)[1]
        assert next(row for row in found["programs"] if row["name"] == "stopping")["state"] == "stopping"
        for form in ("action=start&processname=running", "action=stop&processname=running", "action=restart&processname=running",
                     "action=clearlog&processname=running", "action=stopall", "action=startall", "action=restartall",
                     "action=startgroup&groupname=running", "action=restartgroup&groupname=running"):
            location = place(ask(d, f"/?{form}")[1], d)
            assert "unexpected rpc fault [6] SHUTDOWN_STATE" in location, (form, location)
        assert ask(d, "/tail.html?processname=stopping")[0] == 200
        assert webfacts.tail(ask(d, "/tail.html?processname=stopping")[2])["text"] == "ready\n"
    d.kill("stopping")
    d.wait_exit()


@scenario(CAT, start=False)
def test_without_a_published_interface(d):
    text = d.config.read_text()
    d.config.write_text(re.sub(r"\[rpcinterface:supervisor\]\n.*\n", "", text))
    d.start(ready=False)
    wait_for(lambda: d.socket.exists() and _answers(d), "the socket does not answer")
    d.pid = d.process.pid
    act(d, "/?action=restart&processname=cat")
    act(d, "/?action=stop&processname=cat")
    see_page(d, "stopped")


def _answers(d):
    try:
        return ask(d, "/ok.html")[0] == 200
    except OSError:
        return False


@only_ours(GROUPS)
def test_actions_on_groups(d):
    d.wait_state("pair:one", "RUNNING")

    def do(form):
        code, headers, _ = ask(d, "/index.html", method="POST", body=form)
        assert code == 301
        return place(headers, d).removeprefix("http://sv.example/?message=")
    assert do("action=stopgroup&groupname=fine") == "Group fine stopped"
    assert {row["state"] for row in facts(d)[1]["programs"] if row["name"].startswith("fine")} == {"stopped"}
    assert do("action=startgroup&groupname=fine") == "Group fine started"
    pids = [d.pid_of(f"fine:fine_{number}") for number in (0, 1)]
    assert do("action=restartgroup&groupname=fine") == "Group fine restarted"
    assert not {d.pid_of(f"fine:fine_{number}") for number in (0, 1)} & set(pids)
    assert do("action=startgroup&groupname=pair") == "ERROR: Group pair: not started: pair:bad (NO_FILE: can't find command '/no/such/file')"
    assert do("action=startall") == "ERROR: not started: pair:bad (NO_FILE: can't find command '/no/such/file')"
    assert do("action=stopgroup&groupname=none") == "No such group named none"
    assert do("action=restartgroup&groupname=<b>") == "No such group named <b>"
    assert ask(d, "/", method="POST", body="action=startgroup")[0] == 400
    assert do("action=stopgroup&groupname=fine") == "Group fine stopped"
    d.rpc("supervisor.removeProcessGroup", "fine")
    assert do("action=startgroup&groupname=fine") == "No such group named fine"


@only_ours(CAT)
def test_answers_for_the_script(d):
    d.wait_state("cat", "RUNNING")
    for accept, code in (("application/json", 200), ("application/json, text/plain, */*", 301), ("text/html,application/json", 301),
                         ("*/*", 301), ("", 301)):
        got, headers, body = ask(d, "/", method="POST", body="action=stop&processname=nope", headers=["Host: x", f"Accept: {accept}"])
        assert got == code, accept
        if code == 200:
            assert (headers["content-type"], body) == ("application/json", '{"message": "No such process named nope"}')
    # A link is followed by a person.
    assert ask(d, "/?action=refresh", headers=["Host: x", "Accept: application/json"])[0] == 301


@only_ours("""
[program:slow]
command=/bin/cat
autostart=false
startsecs=36000
""")
def test_a_client_that_goes_away_withdraws_its_call(d):
    with d.connect() as stream:
        stream.sendall(request("/?action=start&processname=slow"))
        d.wait_state("slow", "STARTING")
    # Nothing waits any more; a withdrawn call does not keep its process from anything.
    assert place(ask(d, "/?action=stop&processname=slow")[1], d).endswith("Process slow stopped")


@only_ours("[program:slow]\ncommand=/bin/cat\nstartsecs=0\nstopsignal=CONT\nstopwaitsecs=3600\n")
def test_a_restart_goes_on_without_the_browser(d):
    """Stopped half way, the program would stay stopped."""
    pid = d.wait_state("slow", "RUNNING")["pid"]
    before = len(descriptors(d.pid))
    with d.connect() as browser:
        browser.sendall(b"GET /index.html?processname=slow&action=restart HTTP/1.1\r\nHost: x\r\n\r\n")
        d.wait_state("slow", "STOPPING")
    wait_for(lambda: len(descriptors(d.pid)) <= before, "the daemon to see that nobody waits any more")
    d.rpc("supervisor.signalProcess", "slow", "KILL")
    assert d.wait_state("slow", "RUNNING")["pid"] != pid
    d.rpc("supervisor.stopProcess", "slow", False)
    d.rpc("supervisor.signalProcess", "slow", "KILL")
    d.wait_state("slow", "STOPPED")
