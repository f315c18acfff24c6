"""UnhosedConfigParser, and configurations as data."""

import os
import tempfile

from showing import show, text
from supervisor import options
from supervisor.datatypes import Automatic

TEXTS = [
    "[a]\nx=1\n", "[a]\nx = 1 ; comment\ny=a;b\nz=a #c\n", "[a]\nx=1\n[a]\nx=2\ny=3\n", "[a]\nx=1\nx=2\n",
    "x=1\n", "[a\nx=1\n", "[a] junk\nx=1\n", "[A]\nX=1\n", "[a]\nx=one\n two\n\n three\n", "[a]\nx=%(here)s/%(y)s\ny=%%\n",
    "[DEFAULT]\nd=1\n[a]\n", "[a]\nx\n", "[a]\nx:1\n", "[a]\n  x=1\n", "[supervisord]\nx=%(ENV_X)s\n", "\ufeff[a]\n", "",
    "[a:b]\nx=%(process_num)02d\n", "[a]\nx='q;r'\n",
]
for source in TEXTS:
    parser = options.UnhosedConfigParser()
    parser.expansions = {"ENV_X": "ex", "here": "/h"}
    show(repr(source), parser.read_string, source)
    for section in parser.sections():
        print(" ", section, parser.items(section))
        for option in [*parser.options(section), "missing"]:
            show(f"  {option}", parser.saneget, section, option)
            show(f"  {option} plain", parser.saneget, section, option, None, False)
            show(f"  {option} with", parser.saneget, section, option, "%(y)s", expansions={"y": 5, "process_num": 3})
    show("  default", parser.getdefault, "x", "none")
    show("  here", parser.expand_here, "/here")
    print("  after", {section: parser.items(section) for section in parser.sections()})
parser = options.UnhosedConfigParser()
parser.mysection = "mine"
show("section", parser.getdefault, "x", "y")
parser.add_section("mine")
show("default", parser.getdefault, "x", "%(nope)s")
show("default unexpanded", parser.getdefault, "x", "%(nope)s", do_expand=False)
show("number", parser.getdefault, "x", 5)
parser.set("mine", "here", "%(here)s")
show("nowhere", parser.expand_here, None)
print(options.UnhosedConfigParser(strict=True)._strict, options.UnhosedConfigParser().mysection)
with tempfile.TemporaryDirectory() as directory:
    os.chdir(directory)
    for name, content in (("one", "[a]\nx=1\n[b]\n"), ("two", "[b]\ny=2\n[c]\n")):
        with open(name, "w", encoding="utf-8") as file:
            file.write(content)
    parser = options.UnhosedConfigParser()
    print(parser.read(["one", "missing", "two"]), parser.read("two"), sorted(parser.section_to_file.items()))

PARAMS = {name: name for name in options.ProcessConfig.req_param_names}
print(options.ProcessConfig.req_param_names, options.ProcessConfig.optional_param_names)
one, two = options.ProcessConfig(None, **PARAMS), options.ProcessConfig(None, **PARAMS, environment={"A": "b"})
three = options.ProcessConfig(None, **{**PARAMS, "stdout_logfile": Automatic, "name": "other"})
for left in (one, two, three):
    print([left == right for right in (one, two, three, None)], [left != right for right in (one, two)],
          left < three, left <= three, left > three, left >= three, text(left))
show("missing", options.ProcessConfig, None, name="x")
show("hash", hash, one)
groups = [
    options.ProcessGroupConfig(None, "g", 1, [one]), options.ProcessGroupConfig(None, "g", 2, [one]),
    options.FastCGIGroupConfig(None, "g", 1, [one], "s"), options.FastCGIGroupConfig(None, "g", 1, [one], "t"),
    options.EventListenerPoolConfig(None, "g", 1, [one], 10, [], None),
    options.EventListenerPoolConfig(None, "g", 1, [one], 11, [], None),
]
for left in groups:
    print([left == right for right in groups], [left < right for right in groups], left == left, text(left))
print([base.__name__ for kind in (options.EventListenerConfig, options.FastCGIProcessConfig) for base in kind.__mro__])
