"""The configuration's INI dialect (`supervisor.options` shows it)."""

from __future__ import annotations

import configparser
import os
from typing import Any, Dict, List, Mapping, Optional

_REQUIRED: Any = object()


def normalize_path(v: str) -> str:
    """A path from the root; `~` is a home."""
    return os.path.normpath(os.path.abspath(os.path.expanduser(v)))


def expand(s: str, expansions: Mapping[str, Any], name: str) -> str:
    """Fills in the `%(name)s` of the value of an option called `name`. Raises ValueError in the reference's words."""
    try:
        return s % expansions
    except KeyError as error:
        available = ", ".join(sorted(expansions))
        problem = f"contains names ({error}) which cannot be expanded. Available names: {available}"
    except Exception as error:
        problem = f"is badly formatted: {error}"
    raise ValueError(f"Format string {s!r} for {name!r} {problem}")


class UnhosedConfigParser(configparser.RawConfigParser):
    """Reads Supervisor's dialect: comments behind values, and the last of two equal sections or options wins."""

    #: The section that `getdefault` reads.
    mysection = "supervisord"

    #: The file that each section was read from.
    section_to_file: Dict[str, Any]

    #: What `%(name)s` in any value may be, beside what is given with a question.
    expansions: Dict[str, Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("inline_comment_prefixes", (";", "#"))
        kwargs.setdefault("strict", False)
        configparser.RawConfigParser.__init__(self, *args, **kwargs)
        self.section_to_file = {}
        self.expansions = {}

    def read(self, filenames: Any, **kwargs: Any) -> List[Any]:  # type: ignore[override]
        """Reads files, notes which sections are new in which, and returns those that could be opened."""
        read: List[Any] = []
        for filename in [filenames] if isinstance(filenames, str) else filenames:
            before = set(self.sections())
            read += configparser.RawConfigParser.read(self, [filename], **kwargs)
            self.section_to_file.update(dict.fromkeys(set(self.sections()) - before, filename))
        return read

    def saneget(
        self, section: str, option: str, default: Any = _REQUIRED, do_expand: bool = True,
        expansions: Mapping[str, Any] = {},
    ) -> Any:
        """Value of an option, or the default, with its `%(name)s` filled in. Raises NoOptionError without either, and
        ValueError for what cannot be filled in."""
        try:
            value: Any = self.get(section, option)
        except configparser.NoOptionError:
            if default is _REQUIRED:
                raise
            value = default
        if do_expand and isinstance(value, str):
            value = expand(value, {**self.expansions, **expansions}, f"{section}.{option}")
        return value

    def getdefault(
        self, option: str, default: Any = _REQUIRED, expansions: Mapping[str, Any] = {}, **kwargs: Any
    ) -> Any:
        """`saneget` of the section `mysection`."""
        return self.saneget(self.mysection, option, default=default, expansions=expansions, **kwargs)

    def expand_here(self, here: Optional[str]) -> None:
        """Replaces `%(here)s` in all values, before anything else is filled in."""
        for section in self.sections():
            for option, value in self.items(section):
                if "%(here)s" in value:
                    assert here is not None, "here has not been set to a path"
                    self.set(section, option, value.replace("%(here)s", here))
