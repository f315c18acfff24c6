"""XML-RPC requests and responses: the reference's unmarshaller and Python's marshaller against ours.

Needs `supervisor==4.3.0` importable, and the example `parse_xmlrpc` built (`cargo build --example parse_xmlrpc`) or
named by PARSE_XMLRPC_BIN. XMLRPC_SEED and XMLRPC_CASES repeat or extend a run.
"""

import datetime
import json
import os
import random
import struct
import subprocess
import xml.etree.ElementTree
import xmlrpc.client

from supervisor.xmlrpc import supervisor_xmlrpc_handler

from building import example

SEED = int(os.environ.get("XMLRPC_SEED", "4300"))
CASES = int(os.environ.get("XMLRPC_CASES", "6000"))


def ours(bodies):
    frames = b"".join(struct.pack("<I", len(body)) + body for body in bodies)
    done = subprocess.run([example("parse_xmlrpc")], input=frames, stdout=subprocess.PIPE, check=True, timeout=300)
    lines = done.stdout.decode("utf-8").split("\n")[:-1]
    assert len(lines) == len(bodies)
    return [json.loads(line) for line in lines]


HANDLER = supervisor_xmlrpc_handler(None, [])


class Unpredictable(Exception):
    """The reference's value has no counterpart worth having (see normal())."""


def normal(value):
    """A Python value in the tool's notation, with dicts as they would be after JSON."""
    if value is None:
        return ["nil"]
    if isinstance(value, bool):
        return ["bool", value]
    if isinstance(value, int):
        return ["int", value]
    if isinstance(value, float):
        return ["float", repr(value)]
    if isinstance(value, str):
        return ["str", value]
    if isinstance(value, datetime.datetime):
        return ["date"]
    if isinstance(value, (list, tuple)):
        return ["list", [normal(item) for item in value]]
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise Unpredictable("keys that are no strings are kept as such by Python alone")
        return ["struct", {key: normal(item) for key, item in value.items()}]
    raise AssertionError(value)


def comparable(value):
    """The tool's notation, folded the way normal() leaves a Python value."""
    kind, *content = value
    if kind == "float":
        return ["float", repr(float(content[0]))]
    if kind == "date":
        return ["date"]
    if kind == "list":
        return ["list", [comparable(item) for item in content[0]]]
    if kind == "struct":
        return ["struct", {key: comparable(item) for key, item in content[0]}]
    return value


def theirs(body):
    """What the reference makes of a body: ("error", text) or ("call", method, parameters)."""
    try:
        params, method = HANDLER.loads(body.decode("utf-8"))
    except Exception:
        return ("error", "unmarshallable")
    if not method:
        return ("error", "no method name")
    return ("call", method, list(params or ()))


def refuses_by_design(body):
    """What ours refuses and the reference takes: document types, and nesting beyond 64."""
    if b"<!DOCTYPE" in body:
        return True
    depth = deepest = 0
    try:
        parser = xml.etree.ElementTree.XMLPullParser(events=("start", "end"))
        parser.feed(body.decode("utf-8"))
        for event, _ in parser.read_events():
            depth += 1 if event == "start" else -1
            deepest = max(deepest, depth)
    except Exception:
        return False
    return deepest > 64


def check(bodies):
    accepted = 0
    for body, answer in zip(bodies, ours(bodies)):
        expected = theirs(body)
        if answer == {"error": "unmarshallable"} and refuses_by_design(body):
            continue
        if expected[0] == "error":
            assert answer == {"error": expected[1]}, body
            continue
        assert "error" not in answer, (body, answer, expected)
        accepted += 1
        _, method, params = expected
        assert answer["method"] == method, body
        try:
            wanted = normal(params)
        except Unpredictable:
            continue
        assert comparable(answer["params"]) == wanted, body
        check_response(body, answer, params)
    return accepted


def check_response(body, answer, params):
    # Dates come back as written, and repeated names stay; Python normalises both. Responses contain neither.
    if '["date"' in json.dumps(answer["params"]) or has_repeated_keys(answer["params"]):
        return
    try:
        document = xmlrpc.client.dumps((params,), methodresponse=True, allow_none=True)
    except OverflowError:
        return
    assert answer["response"] == document, body


def has_repeated_keys(value):
    kind, *content = value
    if kind == "list":
        return any(has_repeated_keys(item) for item in content[0])
    if kind == "struct":
        keys = [key for key, _ in content[0]]
        return len(set(keys)) < len(keys) or any(has_repeated_keys(item) for _, item in content[0])
    return False


# --- generators -----------------------------------------------------------------------------------------------------

TEXTS = ["", " ", "a", "web:web_1", "0", "1", "-1", " 12 ", "1_000", "1__0", "+7", "0x10", "1.5", "1e3", "inf", "nan",
         "-Infinity", "1_0.5e1_0", "true", "True", "é", "日本", "\U0001f600", "&amp;", "&lt;x&gt;", "&#65;", "&#x3b1;",
         "&quot;&apos;", "<![CDATA[<raw>&]]>", "<!-- note -->", "a<!-- b -->c", "<?pi data?>", "\r\n", "\ttab", "]]&gt;",
         "2147483648", "99999999999999999999", "5" * 40, "YQ==", "Y W I =", "YWJj", "YQ", "/w==", "4pyT",
         "20240229T01:02:03", "20230229T01:02:03", "2024111T1:2:3", "20241 1t01:02:03", "20240101T24:00:00",
         "00000101T00:00:00", "20240101T00:00:60", "20240101", "20240101T00:00:00Z", "&nbsp;", "&", "&#0;", "]]>", "<",
         "\x01", "\ufffe", "\x7f", "\x85", "\xa0" + "5"]
TAGS = ["value", "int", "i4", "i8", "boolean", "string", "double", "dateTime.iso8601", "array", "data", "struct",
        "member", "name", "base64", "param", "params", "nil", "methodName", "methodCall", "ex:nil", "x", "Value"]
ATTRIBUTES = ["", "", "", "", "", ' a="1"', " a='&lt;'", ' a="1" b="2"', ' a="1" a="2"', ' a="1"b="2"', " a=1", ' a="<"',
              ' xmlns="urn:x"', ' xmlns=""', ' xmlns:ex="urn:e"', ' ex:a="1"', ' xml:lang="en"', ' xmlns:ex=""', " ", "\n",
              ' a = "1" ', ' xmlns:xml="u"', ' xmlns:a="http://www.w3.org/XML/1998/namespace"', ' a="&no;"', ' a:b:c="1"']
HEADS = ["", "", "", "", "<?xml version='1.0'?>", '<?xml version="1.0" encoding="latin-1"?>\n', "\ufeff", " ", "\n<!-- c -->",
         "<?xml version='1.1' standalone='yes'?>", "<?xml?>", " <?xml version='1.0'?>", "<?pi?>", "<?xml version='1.0'",
         "<?xml version='1.0' encoding='1'?>", "<?xml version='1.0'encoding='u'?>", "<!DOCTYPE methodCall>", "junk",
         "<?XML v?>", "<?xml version='2.0'?>", "<?xml version=''?>", "<?xml version='1.0' standalone='x'?>", "<!-- -- -->"]
TAILS = ["", "", "", "", "\n", "<!-- end -->", "<?pi end?>", "junk", "<b/>", "\x00", "&#32;", "<![CDATA[]]>", "</methodCall>"]


def element(rng, depth):
    tag = rng.choice(TAGS)
    attributes = rng.choice(ATTRIBUTES) if rng.random() < 0.1 else ""
    if rng.random() < 0.1:
        return "<%s%s/>" % (tag, attributes)
    content = rng.choice(TEXTS[:38]) if rng.random() < 0.6 else ""
    if depth:
        for _ in range(rng.choice([0, 1, 1, 2, 2, 3])):
            content += element(rng, depth - 1)
            if rng.random() < 0.2:
                content += rng.choice(TEXTS)
    return "<%s%s>%s</%s%s>" % (tag, attributes, content, tag, " " if rng.random() < 0.02 else "")


def sensible_value(rng, depth):
    kind = rng.randrange(10 if depth else 8)
    text = rng.choice(TEXTS)
    if kind == 0:
        return "<value>%s</value>" % text
    if kind == 1:
        return "<value><int>%s</int></value>" % rng.choice(["1", " -5 ", "1_0", "2147483647", "", "x", text])
    if kind == 2:
        return "<value><boolean>%s</boolean></value>" % rng.choice(["0", "1", "true", " 1", ""])
    if kind == 3:
        return "<value><double>%s</double></value>" % rng.choice(["1.5", "1e-7", "inf", "1_0", ".5", "5.", "x", "1e400", text])
    if kind == 4:
        return "<value><base64>%s</base64></value>" % rng.choice(["YQ==", "YWI=\n", "Y=Q=", "=", "****", "YQ", "/w==", "w6k=", text])
    if kind == 5:
        return "<value><dateTime.iso8601>%s</dateTime.iso8601></value>" % random_date(rng)
    if kind == 6:
        return "<value><%s/></value>" % rng.choice(["nil", "string", "array", "struct", "data", "base64", "boolean"])
    if kind == 7:
        return "<value>%s<string>%s</string>%s</value>" % (rng.choice(["", "\n  "]), text, rng.choice(["", "\n"]))
    if kind == 8:
        items = "".join(sensible_value(rng, depth - 1) for _ in range(rng.randrange(4)))
        return "<value><array><data>%s</data></array></value>" % items
    members = "".join(
        "<member><name>%s</name>%s</member>" % (rng.choice(TEXTS), sensible_value(rng, depth - 1))
        for _ in range(rng.randrange(4)))
    return "<value><struct>%s</struct></value>" % members


def random_date(rng):
    return rng.choice(["%04d%02d%02dT%02d:%02d:%02d", "%04d%d%dT%d:%d:%d", "%04d%02d%2dt%02d:%02d:%02d", "%d%02d%02d %02d:%02d:%02d"]) % (
        rng.choice([0, 1, 999, 1900, 2000, 2023, 2024, 9999]), rng.randrange(14), rng.randrange(33), rng.randrange(26),
        rng.randrange(62), rng.randrange(63))


def request(rng):
    method = rng.choice(["supervisor.getState", "a.b", " a.b ", "", "é", "a&amp;b", "a<!-- x -->b", "<x/>a"])
    params = "".join("<param>%s</param>" % sensible_value(rng, 3) for _ in range(rng.randrange(3)))
    parts = ["<methodName>%s</methodName>" % method, "<params>%s</params>" % params]
    if rng.random() < 0.1:
        parts.pop(rng.randrange(2))
    if rng.random() < 0.1:
        parts.reverse()
    if rng.random() < 0.3:
        parts.append(element(rng, 4))
    head = rng.choice(HEADS) if rng.random() < 0.4 else ""
    tail = rng.choice(TAILS) if rng.random() < 0.3 else ""
    attributes = rng.choice(ATTRIBUTES) if rng.random() < 0.2 else ""
    return "%s<methodCall%s>%s</methodCall>%s" % (head, attributes, "".join(parts), tail)


NOISE = ["<", ">", "&", ";", "'", '"', "/", "=", " ", "<a>", "</a>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "é", "\r", "\n",
         ":", "xmlns", "1", "-", "#", "<value>", "</value>"]


def mutated(rng, body):
    text = list(body)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(text) + 1)
        action = rng.randrange(4)
        if action == 0:
            text[at:at + rng.choice([1, 1, 3, 10])] = []
        elif action == 1:
            text[at:at] = rng.choice(NOISE)
        elif action == 2:
            text[at:at + 1] = rng.choice(NOISE)
        else:
            other = rng.randrange(len(text) + 1)
            text[at:at] = text[other:other + rng.randrange(20)]
    return "".join(text)


# --- tests ----------------------------------------------------------------------------------------------------------


def test_requests_people_send():
    rng = random.Random(SEED)
    bodies = []
    for _ in range(CASES // 4):
        params = tuple(python_value(rng, 3) for _ in range(rng.randrange(4)))
        bodies.append(xmlrpc.client.dumps(params, "supervisor.x", allow_none=True).encode("utf-8"))
    assert check(bodies) == len(bodies)


def python_value(rng, depth):
    kind = rng.randrange(8 if depth else 6)
    return [
        lambda: rng.choice(["", "web", "é", "<&>", "日本 \U0001f600", "a\nb", '"\'', "x" * 50]),
        lambda: rng.choice([0, 1, -1, 2**31 - 1, -(2**31), rng.randrange(10**6)]),
        lambda: rng.choice([True, False]),
        lambda: rng.choice([0.0, -0.0, 1.5, 1e-5, 1e16, 1e22, 123456789.125, rng.random(), rng.random() * 10 ** rng.randrange(-30, 30)]),
        lambda: None,
        lambda: "",
        lambda: [python_value(rng, depth - 1) for _ in range(rng.randrange(4))],
        lambda: {rng.choice("abcdé") + str(n): python_value(rng, depth - 1) for n in range(rng.randrange(4))},
    ][kind]()


def test_generated_requests():
    rng = random.Random(SEED + 1)
    bodies = [request(rng).encode("utf-8") for _ in range(CASES)]
    assert check(bodies) > CASES // 20


def test_any_elements_in_any_order():
    rng = random.Random(SEED + 2)
    bodies = []
    for _ in range(CASES):
        inner = "".join(element(rng, 4) for _ in range(rng.randrange(1, 4)))
        bodies.append(("<r><methodName>a.b</methodName><params>%s</params></r>" % inner).encode("utf-8"))
    assert check(bodies) > CASES // 20


def test_mutated_requests():
    rng = random.Random(SEED + 3)
    bodies = [mutated(rng, request(rng)).encode("utf-8") for _ in range(CASES)]
    check(bodies)


def test_elements_longer_than_the_readers_chunk():
    # The reference feeds 16 KiB at a time and replaces elements while it reads on.
    long = "x" * 20000
    body = ("<r><methodName>%s</methodName><params><param><value>%s<!-- -->%s<a>%s</a></value></param><param><value>%s"
            "</value></param></params></r>" % (long, long, long, long, long))
    assert check([body.encode("utf-8")]) == 1


def test_bytes_that_are_not_utf8_are_refused():
    # The reference raises before it parses and drops the connection; ours answers 400.
    assert ours([b"<a>\xff</a>", "<a>é</a>".encode("latin-1"), "\ufeff<a/>".encode("utf-16")]) == [
        {"error": "unmarshallable"}] * 3


def test_document_types_and_deep_nesting_are_refused():
    bomb = b'<!DOCTYPE m [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><m><methodName>&b;</methodName></m>'
    deep = b"<m><methodName>a</methodName>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</m>"
    assert ours([bomb, deep]) == [{"error": "unmarshallable"}] * 2
    assert theirs(bomb)[0] == theirs(deep)[0] == "call"
