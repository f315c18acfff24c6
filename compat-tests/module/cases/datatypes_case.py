"""The converters, with hostile values."""

import os
import tempfile

from showing import show, text
from supervisor import datatypes

WORDS = [
    "", " ", "0", "1", "-1", " 7 ", "1_000", "٣", "0x10", "1e3", "65535", "65536", "99999999999999999999", "2147483648",
    "yes", "YES", "On", "off", "true", "False", "no", "maybe", "none", "NONE", "auto", "Auto", "syslog", "unexpected",
    "Unexpected", "a,b", " a , b ,", ",", "1,2,3", "0,255", "0,256", "-1,2", "1,,2", "1, 2",
    "KEY=value", "KEY='a, b',OTHER=\"c\"", "KEY", "KEY=", "=v", "A=$HOME", "A=1 B=2", "A=1,B", "A='open", "A=\"'x'\"",
    "ä=ö", "%(x)s", "10KB", "10kb", "1.5MB", "2GB", "-3MB", "MB", "1 MB", "10B", "HUP", "SIGHUP", "sighup", " term ",
    "9", "35", "64", "999", "SIG_DFL", "BLOCK", "ALRM", "localhost:80", "LOCALHOST:80", "*:9001", ":9001", "host:", "::1",
    "[::1]:80", "host:0", "host:x", "host:70000", "9001", "http://host", "http:///path", "http://", "unix:///x", "//x",
    "foo", "foo:bar", "mailto:x", "info", "DEBUG", "critical", "loud", "022", "0o22", "8", "777",
    "/no/such/dir/file", "/tmp", "/tmp/file", "relative", "~/x", "~nobodyhere/x", "root", "0", "nosuchuser", "root:root",
    "root:nosuch", "nosuch:root", ":", "root:", "calls,callers", "CALLERS", "cumulative", "a b", "a:b", "a/b", " name ",
    "\x00", "\n", "x" * 300,
]
OTHERS = [None, 0, 1, 3.5, True, [], ["a"], {}, b"1", b"x"]
CONVERTERS = [
    "process_or_group_name", "integer", "boolean", "list_of_strings", "list_of_ints", "list_of_exitcodes",
    "dict_of_key_value_pairs", "logfile_name", "port_number", "inet_address", "colon_separated_user_group",
    "name_to_uid", "name_to_gid", "octal_type", "existing_directory", "existing_dirpath", "logging_level", "byte_size",
    "url", "signal_number", "auto_restart", "profile_options",
]
for name in CONVERTERS:
    for value in WORDS + OTHERS:
        show(f"{name}({value!r})", getattr(datatypes, name), value)

show("gid_for_uid", datatypes.gid_for_uid, 0)
show("gid_for_uid", datatypes.gid_for_uid, 12345678)
for value in (0, 1, 10, 11, "5"):
    show(f"ranges {value!r}", datatypes.RangeCheckedConversion(datatypes.integer, min=1, max=10), value)
for value in ("3x", "3XX", "x", "", "7"):
    show(f"suffixes {value!r}", datatypes.SuffixMultiplier({"x": 2}, default=5), value)
show("no suffixes", datatypes.SuffixMultiplier({}), "7")
show("suffixes", lambda: datatypes.SuffixMultiplier({"aa": 1, "bb": 2})("3BB"))
for value in ("/a/b", "a", "host:1", "host:x", ""):
    address = show(f"address {value!r}", lambda value: vars(datatypes.SocketAddress(value)), value)

print(text(sorted(datatypes.SIGNUMS)), datatypes.TRUTHY_STRINGS, datatypes.FALSY_STRINGS)
print(text(datatypes.LOGFILE_NONES), [text(x) for x in datatypes.LOGFILE_AUTOS + datatypes.LOGFILE_SYSLOGS])

tcp = datatypes.InetStreamSocketConfig("LocalHost", "80", backlog=5)
unix = datatypes.UnixStreamSocketConfig("/tmp/x", mode=0o700, owner=(0, 0))
for config in (tcp, unix):
    print(str(config), config.addr(), config.get_backlog(), config == tcp, config != tcp, config == "x", vars(config))
print(unix.get_mode(), unix.get_owner())
show("port", datatypes.InetStreamSocketConfig, "h", 0)
show("hash", hash, tcp)
show("abstract", datatypes.SocketConfig().create_and_bind)
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "s")
    sock = datatypes.UnixStreamSocketConfig(path, mode=0o600).create_and_bind()
    print(oct(os.stat(path).st_mode), sock.getsockname() == path)
    again = datatypes.UnixStreamSocketConfig(path, mode=0o640).create_and_bind()
    print(oct(os.stat(path).st_mode))
    sock.close()
    again.close()
    missing = datatypes.UnixStreamSocketConfig(os.path.join(directory, "no", "s"))
    show("no directory", missing.create_and_bind)
listening = datatypes.InetStreamSocketConfig("127.0.0.1", 1)
listening.port = 0
sock = listening.create_and_bind()
print(sock.getsockname()[0])
sock.close()
