"""The plugins of `[ctlplugin:x]` sections, run for supervisorctl (its `ctl/plugins.rs`): one request, then the end.

The request is a struct in JSON on one descriptor, the answer lines on another: `status N` at the end of a request that was
done, `leave` of one that ends a shell, `unknown` of an action that no plugin has, `word NAME` of each action, `interrupted`
for Ctrl-C.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from typing import Any, Dict, List, Sequence

from supervisor import _binary, compat
from supervisor.options import ClientOptions
from supervisor.supervisorctl import Controller, LSBInitExitStatuses

#: What a request says of the options of the client.
_SETTINGS = (
    "configfile", "serverurl", "username", "password", "prompt", "history_file", "interactive", "args",
)


def main(arguments: Sequence[str]) -> int:
    """Serves the request on the first descriptor; answers on the second. Returns the exit status."""
    incoming, outgoing = map(int, arguments)
    # Nothing that a plugin starts keeps the client waiting.
    os.set_inheritable(outgoing, False)
    with open(incoming, encoding="utf-8") as request:
        asked = json.load(request)
    answer: List[str] = []
    try:
        status = _serve(asked, answer)
        sys.stdout.flush()
    except KeyboardInterrupt:
        answer, status = ["interrupted"], 130
    except SystemExit as error:
        # With the reference the client is what ends.
        status = _exit_status(error.code)
        answer = ["leave", f"status {status}"]
    with open(outgoing, "w", encoding="utf-8") as reply:
        reply.write("".join(f"{line}\n" for line in answer))
    return status


def _serve(asked: Dict[str, Any], answer: List[str]) -> int:
    if asked["executable"]:
        _binary.use(asked["executable"])
    try:
        controller = _controller(asked)
    except _Unresolved as error:
        print(f"Error: {error}", file=sys.stderr)
        answer.append(f"status {LSBInitExitStatuses.INVALID_ARGS}")
        return LSBInitExitStatuses.INVALID_ARGS
    except Exception:
        # Of whoever wrote the plugin.
        traceback.print_exc()
        answer.append(f"status {LSBInitExitStatuses.GENERIC}")
        return LSBInitExitStatuses.GENERIC
    plugins = controller.options.plugins[1:]
    if asked["what"] == "words":
        answer += sorted(f"word {name[3:]}" for plugin in plugins for name in dir(plugin) if name.startswith("do_"))
    elif asked["what"] == "help":
        for plugin in plugins:
            plugin.do_help(asked["line"])
    elif controller.knows(asked["line"]):
        if controller.onecmd(asked["line"]):
            answer.append("leave")
    else:
        answer.append("unknown")
    answer.append(f"status {controller.exitstatus}")
    return controller.exitstatus


def _exit_status(code: Any) -> int:
    """What a process ends with that gives this to `sys.exit`."""
    sys.stdout.flush()
    if code is None or isinstance(code, int):
        return (code or 0) & 0xFF
    print(code, file=sys.stderr)
    return LSBInitExitStatuses.GENERIC


class _Unresolved(Exception):
    """A plugin cannot be imported."""


def _controller(asked: Dict[str, Any]) -> Controller:
    """A controller with the plugins, after the client's own."""
    options = ClientOptions()
    for name in _SETTINGS:
        setattr(options, name, asked[name])
    if options.configfile:
        options.here = os.path.dirname(os.path.abspath(options.configfile))
    for plugin in asked["plugins"]:
        factory = plugin["factory"]
        try:
            made = compat.import_spec(factory)
        except (AttributeError, ImportError) as error:
            section = f"ctlplugin:{plugin['name']}"
            raise _Unresolved(f"{factory} cannot be resolved within [{section}]: {error}") from None
        options.plugin_factories.append((plugin["name"], made, plugin["options"]))
    return Controller(options)
