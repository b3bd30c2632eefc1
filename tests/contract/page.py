"""Reads the code blocks of a page that say which file they go to, and puts them there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^\*\*`(?P<file>[^`]+)`\*\*, (?:(?P<end>at the end)|(?P<new>a new file)|after the line `(?P<line>[^`]+)`):\n\n"
    r"```\w+\n(?P<code>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A piece of code, its file, and the line after which it goes; "" for the end, None for a new file."""

    file: str
    after: str | None
    code: str


def blocks_of(text: str) -> list[Block]:
    """The marked blocks in the order of the page."""
    found = []
    for match in _BLOCK.finditer(text):
        after = None if match["new"] else "" if match["end"] else match["line"]
        found.append(Block(match["file"], after, match["code"]))
    return found


def apply(block: Block, root: Path) -> None:
    """Puts the block where it says. AssertionError when that place is not there, or there more than once."""
    path = root / block.file
    if block.after is None:
        assert not path.exists(), f"{block.file} exists already"
        path.write_text(block.code, encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    if block.after == "":
        path.write_text(f"{text.rstrip()}\n\n{block.code}", encoding="utf-8")
        return
    lines = text.splitlines(keepends=True)
    places = [number for number, line in enumerate(lines) if line.rstrip("\n") == block.after]
    assert len(places) == 1, f"{block.file}: the line {block.after!r} stands there {len(places)} times"
    lines.insert(places[0] + 1, block.code)
    path.write_text("".join(lines), encoding="utf-8")
