"""Runs inside Salt's environment: makes the calls that come as JSON on standard input through a minion without master.

Input: {"conf": minion configuration, "calls": [[function, [arguments], {keywords}], ...]}. Output: the results as JSON.
"""

import json
import sys

import salt.client
import salt.config


def main():
    request = json.load(sys.stdin)
    caller = salt.client.Caller(mopts=salt.config.minion_config(request["conf"]))
    results = []
    for function, arguments, keywords in request["calls"]:
        try:
            results.append(caller.cmd(function, *arguments, **keywords))
        except Exception as problem:
            results.append({"exception": str(problem)})
    json.dump(results, sys.stdout)


main()
