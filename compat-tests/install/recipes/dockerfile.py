"""The part of Dockerfiles that recipes use, done in a `Container`."""

import glob
import json
import re
import shlex
import shutil
from pathlib import Path

INSTRUCTION = re.compile(r"(?s)\s*([A-Za-z]+)\s+(.*)")
HEREDOC = re.compile(r"<<-?([\"']?)(\w+)\1")


def instructions(text):
    """Pairs of an instruction and its argument: comments and continuations are taken out, here-documents stay."""
    lines = iter(text.splitlines())
    for line in lines:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        while line.endswith("\\"):
            following = next(lines)
            if not following.lstrip().startswith("#"):
                line = line[:-1] + "\n" + following if "<<" in line else line[:-1] + following
        marker = HEREDOC.search(line)
        body = []
        if marker:
            for each in lines:
                if each.strip() == marker[2]:
                    break
                body.append(each)
        name, argument = INSTRUCTION.fullmatch(line).groups()
        yield name.upper(), argument, "\n".join(body) + "\n" if marker else None


def words_of(argument):
    """The words of CMD, ENTRYPOINT, HEALTHCHECK: a JSON array, or a line for the shell."""
    if argument.lstrip().startswith("["):
        return json.loads(argument)
    return ["/bin/sh", "-c", argument]


class Image:
    """What a Dockerfile makes of a container: its files, and how it is started."""

    def __init__(self, container, directory):
        self.container, self.directory = container, directory
        self.entrypoint, self.command, self.health = [], [], None
        for name, argument, body in instructions((directory / "Dockerfile").read_text()):
            self.do(name, argument, body)

    def do(self, name, argument, body):
        container = self.container
        if name == "RUN":
            script = body if body is not None else argument
            container.run(["/bin/sh", "-ec" if body is not None else "-c", script])
        elif name in ("COPY", "ADD"):
            self.copy(shlex.split(argument), body)
        elif name == "ENV":
            for word in shlex.split(argument):
                key, _, value = word.partition("=")
                container.env[key] = self.expanded(value)
        elif name == "WORKDIR":
            container.workdir = self.expanded(argument)
            (container.root / container.workdir[1:]).mkdir(parents=True, exist_ok=True)
        elif name == "ENTRYPOINT":
            self.entrypoint = words_of(argument)
        elif name == "CMD":
            self.command = words_of(argument)
        elif name == "HEALTHCHECK":
            self.health = words_of(argument.partition("CMD")[2].strip())
        elif name not in ("FROM", "EXPOSE", "LABEL", "VOLUME"):
            raise SystemExit(f"{self.directory}: {name} is none of the instructions that recipes may use")

    def expanded(self, text):
        return re.sub(r"\$\{?(\w+)\}?", lambda name: self.container.env.get(name[1], ""), text)

    def copy(self, words, body):
        words = [self.expanded(word) for word in words if not word.startswith("--")]
        target = self.container.root / str(Path(self.container.workdir) / words[-1]).lstrip("/")
        if body is not None:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(body)
            return
        into = words[-1].endswith("/") or len(words) > 2 or target.is_dir()
        for source in (each for word in words[:-1] for each in sorted(glob.glob(str(self.directory / word)))):
            if Path(source).is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
                continue
            place = target / Path(source).name if into else target
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)

    def words(self):
        """What is started."""
        return [*self.entrypoint, *self.command]
