"""Runs the reference's supervisorctl many times without paying for its start each time.

As a program it is a server: it imports the reference once and forks for every request, a JSON line on its standard
input, which it answers with the exit status. `Reference` is the other end.
"""

import json
import os
import subprocess
import sys
import traceback
import warnings
from pathlib import Path


class Reference:
    """The running server."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, directory, argv, env, stdin=""):
        """Runs supervisorctl in a directory: (exit status, stdout, stderr). argv[0] is the name it is to be called by."""
        files = {name: str(Path(directory) / f"reference.{name}") for name in ("stdin", "stdout", "stderr")}
        Path(files["stdin"]).write_text(stdin, encoding="utf-8")
        request = {"argv": argv, "env": env, "cwd": str(directory), **files}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        status = json.loads(self.process.stdout.readline())
        return status, *(Path(files[name]).read_text(encoding="utf-8", errors="backslashreplace")
                         for name in ("stdout", "stderr"))

    def close(self):
        """Ends the server."""
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


def run_one(request, supervisorctl):
    """The child: becomes supervisorctl and never returns."""
    status = 1
    try:
        for target, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_WRONLY | os.O_CREAT | os.O_TRUNC),
                                    (2, "stderr", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
            descriptor = os.open(request[name], flags)
            os.dup2(descriptor, target)
            os.close(descriptor)
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)
        # The defaults of functions and the attributes of classes were read at the import.
        from supervisor.options import Options
        Options.stdout, Options.stderr, Options.progname = sys.stdout, sys.stderr, request["argv"][0]
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        sys.argv = request["argv"]
        supervisorctl.main()
        status = 0
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def serve():
    """Answers requests until the input ends."""
    warnings.simplefilter("ignore")
    from supervisor import rpcinterface, supervisorctl
    assert rpcinterface and supervisorctl
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            run_one(json.loads(line), supervisorctl)
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])), flush=True)


if __name__ == "__main__":
    serve()
