"""The harness itself, on the smallest scenario."""

from scenario import scenario


@scenario("""
[program:cat]
command=/bin/cat
""")
def test_start_status_stop(d):
    d.wait_state("cat", "RUNNING")
    d.call("getProcessInfo", "cat")
    d.ctl("status")
    d.ctl("stop", "cat")
    d.ctl("status")
    d.see("exit", d.stop())
    d.see("log", d.log_lines())
