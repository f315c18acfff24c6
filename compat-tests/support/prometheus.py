"""Prometheus and its tool, where the machine has them or `compat-tests/run` has fetched Debian's package."""

import json
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from debian import program
from harness import LONG_SECS, finish, popen, wait_for

NEEDS_PROMTOOL = pytest.mark.skipif(not program("promtool"), reason="no promtool here (Debian: prometheus)")
NEEDS_PROMETHEUS = pytest.mark.skipif(not program("prometheus"), reason="no prometheus here (Debian: prometheus)")


def promtool(*words, stdin=None):
    """Runs promtool; its complaints, which are none when all is well."""
    status, out, err = finish([program("promtool"), *words], LONG_SECS, stdin)
    return f"{status}: {out}{err}" if status or stdin is not None and out + err else ""


class Prometheus:
    """A running Prometheus with its data in a directory; `words` go before its command, `host` is where it listens."""

    def __init__(self, directory, config, port, env, words=(), host="127.0.0.1"):
        self.url = f"http://{host}:{port}"
        self.output = directory / "prometheus.out"
        with open(self.output, "wb") as out:
            self.process = popen(
                [*words, program("prometheus"), f"--config.file={config}", f"--storage.tsdb.path={directory / 'tsdb'}",
                 f"--web.listen-address={host}:{port}"], env=env, cwd=directory, stdout=out, stderr=out,
                stdin=subprocess.DEVNULL)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.process.terminate()
        self.process.wait(LONG_SECS)

    def get(self, path, **parameters):
        """What its API answers; None while it does not."""
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=LONG_SECS) as answer:
                return json.load(answer)["data"]
        except OSError:
            assert self.process.poll() is None, self.output.read_text(encoding="utf-8")
            time.sleep(0.05)
            return None

    def query(self, expression):
        """The result of an expression: [({label: value}, number), ...]."""
        data = self.get("query", query=expression)
        return [(each["metric"], float(each["value"][1])) for each in data["result"]] if data else []

    def wait_for(self, expression, expected):
        """Waits until an expression has this result, whatever its order; `expected` is [({label: value}, number), ...]."""
        def key(result):
            return sorted(((sorted(labels.items()), number) for labels, number in result), key=repr)
        wait_for(lambda: key(self.query(expression)) == key(expected), lambda: (
            f"{expression} is {self.query(expression)}, not {expected}; {self.output.read_text(encoding='utf-8')[-2000:]}"))
