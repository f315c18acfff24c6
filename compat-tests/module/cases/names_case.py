"""Names of processes, what is filled in, signals, ends, log files, compatibility names."""

import os
import signal
import tempfile

from showing import show, text
from supervisor import compat, dispatchers, options, xmlrpc

for group, process in (("a", "a"), ("a", "b"), ("", ""), ("a:b", "c"), ("a", "")):
    print(options.make_namespec(group, process))
for spec in ("a", "a:b", "a:*", "a:", ":b", ":", "", "a:b:c", "a:**", "ä:ö"):
    show(spec, options.split_namespec, spec)
NAMES = {"here": "/h", "process_num": 3, "ENV_X": "x"}
for form in ("%(here)s", "%%", "%(process_num)02d", "%(process_num)s", "%(nope)s", "%", "%(here)d", "%s", "%(here", "100%", ""):
    show(form, options.expand, form, NAMES, "section.option")
for status in (0, 256, 65280, 9, 139, 0x7F, 0xFFFF, 11 | 0x80):
    show(status, options.decode_wait_status, status)
for number in (0, 1, 6, 9, 15, 17, 29, 34, 64, 99):
    show(number, options.signame, number)
receiver = options.SignalReceiver()
for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGHUP):
    receiver.receive(number, None)
print([receiver.get_signal() for _ in range(3)])
print(options.VERSION, options.normalize_path("/a/../b//c/."), options.normalize_path("~") == os.path.expanduser("~"))
print([issubclass(getattr(options, name), options.ProcessException)
       for name in ("BadCommand", "NotExecutable", "NotFound", "NoPermission")])

with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "log")
    with open(path, "wb") as log:
        log.write(b"0123456789\n\xc3\xa9nd")
    for offset in (0, 3, 14, 100, -1, -5, -100):
        for length in (0, 1, 5, 100, -1):
            show(f"read {offset} {length}", options.readFile, path, offset, length)
            show(f"tail {offset} {length}", options.tailFile, path, offset, length)
    show("read nothing", options.readFile, path + "x", 0, 0)
    show("tail nothing", options.tailFile, path + "x", 3, 0)
    show("read directory", options.readFile, directory, 0, 0)

print(compat.PY2, compat.long is int, compat.basestring is str, compat.StringTypes, compat.letters, compat.maxint)
for name in ("xmlrpclib", "urlparse", "urllib", "ConfigParser", "httplib", "htmlentitydefs", "thread", "syslog"):
    print(name, getattr(compat, name).__name__)
for name in ("sha1", "md5", "StringIO", "decodestring", "encodestring", "Fault", "escape", "HTMLParser", "raw_input", "unichr"):
    print(name, getattr(compat, name).__name__)
for value in (b"x", "x", "é", b"\xff"):
    show("bytes", compat.as_bytes, value)
    show("string", compat.as_string, value)
show("latin", compat.as_string, b"\xff", "latin1")
show("number", compat.as_string, 5)
show("unicode", compat.unicode, "x")
print(isinstance("x", compat.unicode), compat.is_text_stream(compat.StringIO()), compat.is_text_stream(None))
for spec in ("os.path:join", "os", "os:path.join", "os.path:nope", "no.such:x", "os.path : join", "os:path [extra]"):
    show(spec, lambda spec: compat.import_spec(spec).__name__, spec)
print(os.path.basename(compat.resource_filename("supervisor", "version.txt")))

# Not all numbers: Python 3.13 has one of its own in every class, which the reference takes for a fault.
FAULTS = {name: code for name, code in vars(xmlrpc.Faults).items() if name.isupper()}
print(FAULTS, [xmlrpc.getFaultDescription(code) for code in (*FAULTS.values(), 0, 5, 99, "x")])
for code, extra in ((10, None), (10, "x"), (99, "x"), (30, 5)):
    show("fault", lambda code, extra: (vars(xmlrpc.RPCError(code, extra)), str(xmlrpc.RPCError(code, extra))), code, extra)
for number in (0, 2**31, -2**31 - 1, 2**31 - 1, 1.9, "7", "x"):
    show("capped", xmlrpc.capped_int, number)
for comment in ("", "Text.", " One.\n\n Two.\n @param int a  The a.\n   more\n @return array result Yes\n", "@\n@x\n@x y\n@x y z\n@x y z w  v"):
    show("tags", xmlrpc.gettags, comment)

for data in (b"", b"plain", b"\x1b[31mred\x1b[0m end", b"\x1b[", b"a\x1b[12;3", b"\x1b[?25h\x1b\x1b[K!", b"\x1b[\nm\n"):
    show("escapes", dispatchers.stripEscapes, data)
for data in (b"OK", b"FAIL", "OK", b""):
    show("result", dispatchers.default_handler, None, data)
print(sorted((k, v) for k, v in vars(dispatchers.PEventListenerDispatcher).items() if k.isupper()))
print(text(dispatchers.ANSI_TERMINATORS), dispatchers.ANSI_ESCAPE_BEGIN)
