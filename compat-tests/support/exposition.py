"""Reads what /metrics answers, strictly: the text format of Prometheus, version 0.0.4."""

import re

_HELP = re.compile(r"# HELP ([a-z_]+) \S.*")
_TYPE = re.compile(r"# TYPE ([a-z_]+) (gauge|counter|histogram)")
_SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z_]+="(?:[^"\\\n\0]|\\["\\n])*",?)+)\})? (-?\d+(?:\.\d+)?)')
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


def samples(text):
    """Every number by its name and labels, {(name, ((label, value), ...)): number}; each family stands in one piece."""
    assert text.endswith("\n"), text[-200:]
    found, families, family = {}, {}, None
    for line in text[:-1].split("\n"):
        if (match := _HELP.fullmatch(line)):
            family = match[1]
            assert family not in families, f"{family} comes twice"
            families[family] = None
        elif (match := _TYPE.fullmatch(line)):
            assert match[1] == family and families[family] is None, line
            families[family] = match[2]
        else:
            match = _SAMPLE.fullmatch(line)
            assert match, f"not of the format: {line!r}"
            suffix = match[1].removeprefix(family)
            assert suffix in (("_bucket", "_sum", "_count") if families[family] == "histogram" else ("",)), line
            labels = tuple((name, re.sub(r'\\[\\"n]', lambda each: _ESCAPES[each[0]], value))
                           for name, value in _LABEL.findall(match[2] or ""))
            key = (match[1], tuple(sorted(labels)))
            assert key not in found, f"{key} comes twice"
            found[key] = float(match[3])
    return found


def named(name, /, **labels):
    """The key of a number."""
    return name, tuple(sorted(labels.items()))
