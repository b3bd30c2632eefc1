"""The environment as settings see it: prefix, secrets by variable or file, unknown names, and the list of mistakes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "SAGUARO_"

NOT_SETTINGS = frozenset(
    {"SAGUARO_DIE_WITH_PARENT", "SAGUARO_HOME", "SAGUARO_CACHE", "SAGUARO_MAVEN_MIRROR", "SAGUARO_POSTGRES_USER"}
)
"""Variables of the supervisor and the command line, which its children inherit."""


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong with the environment."""

    variable: str
    wrong: str
    advice: str

    def __str__(self) -> str:
        return f"{self.variable} {self.wrong}: {self.advice}"


class SettingsError(Exception):
    """The process cannot start: all that is wrong with its settings, one line a variable."""

    def __init__(self, process: str, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes), key=lambda mistake: (mistake.variable, mistake.wrong)))
        lines = "\n".join(f"  {mistake}" for mistake in self.mistakes)
        super().__init__(f"{process} cannot start with these settings:\n{lines}")


def read_environment(
    environ: Mapping[str, str], names: frozenset[str], secrets: frozenset[str], wanted: Iterable[str]
) -> tuple[dict[str, Any], list[Mistake]]:
    """Field values as text (`peers` as a mapping of name to text), and what is wrong so far.

    `names` are the known fields, `secrets` those of them that may lie in a file, `wanted` those that must be there.
    """
    found = {name: value for name, value in environ.items() if name.startswith(PREFIX) and name not in NOT_SETTINGS}
    values: dict[str, Any] = {}
    mistakes: list[Mistake] = []
    for name in sorted(names):
        variable = PREFIX + name.upper()
        text = found.pop(variable, None)
        if name in secrets:
            text = _secret(variable, text, found.pop(variable + "_FILE", None), name in wanted, mistakes)
        elif name in wanted and not text:
            mistakes.append(Mistake(variable, "is missing", "set it"))
        if text:
            values[name] = text
    values["peers"] = {
        variable.removeprefix(PREFIX + "PEER_").lower(): found.pop(variable)
        for variable in sorted(found)
        if variable.startswith(PREFIX + "PEER_")
    }
    for name in sorted(wanted):
        if name.startswith("peer_") and name.removeprefix("peer_") not in values["peers"]:
            mistakes.append(Mistake(PREFIX + name.upper(), "is missing", "set it to host:port or @file"))
    mistakes += [_unknown(variable, names, secrets) for variable in sorted(found)]
    return values, mistakes


def _secret(variable: str, text: str | None, file: str | None, needed: bool, mistakes: list[Mistake]) -> str | None:
    """The secret's text, from the one of its two variables that is set."""
    if text and file:
        mistakes.append(Mistake(variable, f"is set, and {variable}_FILE too", "set exactly one of the two"))
    elif file:
        try:
            text = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as refused:
            # The kind of error alone: its text may quote what was read.
            mistakes.append(
                Mistake(f"{variable}_FILE", f"cannot be read ({type(refused).__name__})", "name a readable text file")
            )
            return None
        if not text:
            mistakes.append(Mistake(f"{variable}_FILE", "names an empty file", "write the secret into it"))
    elif needed and not text:
        mistakes.append(Mistake(variable, f"is missing, and so is {variable}_FILE", "set exactly one of the two"))
    return text


def _unknown(variable: str, names: frozenset[str], secrets: frozenset[str]) -> Mistake:
    """An unknown variable, with the known one that it resembles most."""
    known = [PREFIX + name.upper() for name in names] + [f"{PREFIX}{name.upper()}_FILE" for name in secrets]
    near = difflib.get_close_matches(variable, known, n=1)
    return Mistake(variable, "is not a setting", f"did you mean {near[0]}?" if near else "remove it")
