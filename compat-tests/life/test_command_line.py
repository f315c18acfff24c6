"""The daemon's command line: options, usage errors, exit codes, the search for the configuration."""

import os
import re

from scenario import scenario

MINIMAL = "[supervisord]\nlogfile=%(here)s/main.log\npidfile=%(here)s/s.pid\nnodaemon=true\n"


def exits(d, *args, **more):
    """Runs the daemon's command and records its end."""
    status, out, err = d.run(*args, **more)
    # The superuser is warned when the default places are searched; the reference's warning has a line of its source.
    warning = re.compile(r"(?m)^.*Supervisord is running as root and it is searching.*\n(  self\.warnings\.warn\(\n)?")
    d.see("warned", bool(warning.search(err)))
    err = warning.sub("", err)
    d.see(" ".join(map(str, args)), (status, out, err))


# What the reference does not have.
OURS = {"--about", "--check", "--strict", "--json", "--show-environment"}


@scenario(config=None, start=False)
def test_version_and_help(d):
    for option in ("-v", "--version", "--vers", "-h", "--help", "-?", "-nv", "-vh"):
        status, out, err = d.run(option)
        if "h" in option.lstrip("-")[:1] or "?" in option:
            options = re.findall(r"^--?\S+", out, re.M)
            d.expect(f"{option}: ours", OURS & set(options), python=set(), ours=OURS)
            d.see(option, (status, [option for option in options if option not in OURS], err))
        else:
            d.see(option, (status, out, err))


@scenario(config=None, start=False)
def test_usage_errors(d):
    d.write("ok.conf", MINIMAL)
    for args in (["--nope"], ["-Z"], ["-c"], ["--configuration"], ["positional"], ["-c", "ok.conf", "a", "b"],
                 ["--nodaemon=1"], ["--l"], ["--log"], ["--min", "3"], ["-n", "-n"], ["-c", "a", "-c", "b"],
                 ["--conf=a", "-cb"], ["-kk"], ["-e", "loud"], ["-m", "9"], ["-y", "1TB"], ["-z", "x"], ["-a", "x"],
                 ["--minprocs", "x"], ["-d", "/no/such/directory"], ["-l", "/no/such/directory/x"],
                 ["-j", "/no/such/directory/x"], ["-q", "/no/such/directory"], ["--profile_options=x"],
                 ["-c", "ok.conf", "-u", "no-such-user-here"], ["-u", ""], ["--logfile"], ["-l"], ["-"], ["--"],
                 ["-c", "ok.conf", "--", "x"], ["-e", "info", "-e", "info"]):
        exits(d, *args)


@scenario(config=None, start=False)
def test_configuration_errors(d):
    exits(d, "-c", "missing.conf")
    exits(d, "-c", "/no/such/directory/missing.conf")
    for number, text in enumerate((
            "", "junk\n", "[program:x]\ncommand=/bin/cat\n", "[supervisord]\nx\n", "[supervisord\n",
            "[supervisord]\nlogfile=/no/such/directory/x\n", "[supervisord]\nuser=no-such-user-here\n",
            "[supervisord]\nloglevel=loud\n", "[supervisord]\nminfds=many\n", "[supervisord]\numask=9\n",
            "[supervisord]\nnodaemon=2\n", "[supervisord]\nidentifier=%(nope)s\n", "[supervisord]\nidentifier=%\n",
            MINIMAL + "[program:x]\n", MINIMAL + "[program:x y]\ncommand=/bin/cat\n",
            MINIMAL + "[include]\nfiles=%(nope)s\n", MINIMAL + "[include]\n",
            MINIMAL + "[unix_http_server]\n", MINIMAL + "[unix_http_server]\nfile=x\nchmod=8\n",
            MINIMAL + "[unix_http_server]\nfile=x\nusername=u\n", MINIMAL + "[inet_http_server]\nport=\n",
            MINIMAL + "[inet_http_server]\nport=a:b\n", MINIMAL + "[inet_http_server]\nport=1\nusername=u\n",
            MINIMAL + "[fcgi-program:f]\ncommand=/bin/cat\nsocket=x\n")):
        d.write(f"bad{number}.conf", text)
        exits(d, "-c", f"bad{number}.conf")
    (d.root / "bytes.conf").write_bytes(b"[supervisord]\nidentifier=\xff\n")
    exits(d, "-c", "bytes.conf")
    d.write("bom.conf", "\ufeff" + MINIMAL)
    exits(d, "-c", "bom.conf")
    (d.root / "directory.conf").mkdir()
    exits(d, "-c", "directory.conf")


@scenario(config=None, start=False)
def test_no_configuration_found(d):
    """Nothing at the default places, of which the first two hang on argv[0]."""
    exits(d, cwd="/")
    exits(d, "-n", cwd=d.root)


@scenario(config=None, start=False)
def test_search_of_the_configuration(d):
    """The first found of the places is read: next to argv[0], then the current directory."""
    def identify():
        d.start("-n", config=False, options=(), cwd=d.root / "work")
        d.see("identifier", d.rpc("supervisor.getIdentification"))
        d.stop()
    text = ("[unix_http_server]\nfile={root}/s.sock\n[supervisord]\nidentifier={name}\nlogfile={root}/main.log\n"
            "pidfile={root}/s.pid\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n")
    for place in ("work/etc/supervisord.conf", "work/supervisord.conf", "supervisord.conf", "etc/supervisord.conf"):
        d.write(place, text.format(root=d.root, name=place))
        identify()


@scenario("[program:p]\ncommand=/bin/cat\nstdout_logfile=AUTO\nstartsecs=0\n", start=False)
def test_options_win_over_the_file(d):
    (d.root / "logs").mkdir()
    d.start("-l", d.root / "other.log", "-j", d.root / "other.pid", "-i", "other id", "-q", d.root / "logs", "-e", "debug",
            "-y", "1MB", "-z", "3", "-t", "-k", "-a", "64", "--minprocs=10", "-d", "/", "-m", "077")
    d.call("getIdentification")
    d.see("pid file", d.read("other.pid") == f"{d.process.pid}\n")
    d.wait_state("p", "RUNNING")
    d.see("child log", [name.split("---")[0] for name in os.listdir(d.root / "logs") if "stdout" in name])
    d.see("levels", "DEBG" in d.read("other.log") or d.rpc("supervisor.stopProcess", "p"))
    d.see("main log", d.log.exists())
    d.call("reloadConfig")
    d.call("getIdentification")


@scenario("", start=False)
def test_bundled_and_prefixed_options(d):
    for args in (("-ni", "x"), ("-nix",), ("--nodaemon", "--ident=x"), ("--nod", "--id", "x"), ("-nkti", "x"),
                 ("-n", "--identifier=x=y"), ("-n", "-i", "-x")):
        d.start(*args, options=())
        d.see(" ".join(args), d.rpc("supervisor.getIdentification"))
        d.stop()


@scenario("", start=False)
def test_forms_of_the_configuration_option(d):
    for args in ((f"-c{d.config}",), ("--configuration", d.config), (f"--conf={d.config}",), ("-c", "supervisord.conf"),
                 ("-nc", "./supervisord.conf")):
        d.start(*map(str, args), *(() if args[0] == "-nc" else ("-n",)), config=False, options=())
        d.call("getState")
        d.stop()


@scenario("[program:p]\ncommand=/bin/cat\n[group:g]\nprograms=p\n", start=False)
def test_include(d):
    d.write("conf.d/b.conf", "[program:b]\ncommand=/bin/cat\ndirectory=%(here)s\n[include]\nfiles=../more/*.conf\n")
    d.write("conf.d/a.conf", "[program:a]\ncommand=/bin/cat\n[program:p]\npriority=5\n")
    d.write("conf.d/.hidden.conf", "[program:hidden]\ncommand=/bin/cat\n")
    d.write("conf.d/c.ini", "[program:c]\ncommand=/bin/cat %(ENV_USER)s\n")
    d.write("more/d.conf", "[program:d]\ncommand=/bin/cat\n")
    d.config.write_text(d.config.read_text() + "[include]\nfiles = conf.d/*.conf %(here)s/conf.d/?.ini nothing/*.conf\n")
    d.start()
    d.call("getAllConfigInfo")
    d.see("lines", d.log_lines("nclude"))
    d.write("conf.d/bad.conf", "junk\n")
    d.call("reloadConfig")


@scenario("", start=False)
def test_warnings_of_the_start(d):
    d.start()
    d.see("lines", d.log_lines())
    d.see("stderr", d.without_warning(d.read("stderr")))


@scenario(config=None, start=False)
def test_a_main_log_that_cannot_be_opened(d):
    """The reference dies with a traceback; ours says what is wrong and how to get help."""
    d.write("bad.conf", MINIMAL.replace("/main.log", ""))
    status, _, err = d.run("-n", "-c", "bad.conf")
    d.expect("status", status, python=1, ours=2)
    d.expect("message", err, python=lambda text: "IsADirectoryError" in text,
             ours=lambda text: text.startswith("Error: cannot open the log file <ROOT>: [Errno 21] Is a directory\n") and "For help, use" in text)
