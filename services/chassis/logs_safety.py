"""What makes a log line harmless: texts that are literals of the source, exceptions reduced to types and places."""

from __future__ import annotations

import traceback
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Any

MAX_FRAMES = 40
MAX_CAUSES = 5


def is_literal(text: object, frame: FrameType | None) -> bool:
    """Whether the code that logs holds this very text as a constant: then no value was put into it.

    `frame` is where to start; frames of the logging libraries and of ours are passed over.
    """
    if not isinstance(text, str):
        return False
    while frame is not None and _is_logging(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and text in _texts(frame.f_code)


def _is_logging(file: str) -> bool:
    parts = PurePath(file).parts[-2:]
    return parts[0] in {"structlog", "logging"} or (parts[0] == "chassis" and parts[-1].startswith("logs"))


_known_texts: dict[CodeType, frozenset[str]] = {}


def _texts(code: CodeType) -> frozenset[str]:
    """The texts among a function's constants."""
    found = _known_texts.get(code)
    if found is None:
        found = _known_texts[code] = frozenset(one for one in code.co_consts if isinstance(one, str))
    return found


def exception_shape(error: BaseException, depth: int = 0) -> dict[str, Any]:
    """`{type, stack, cause?, group?}` of an exception: names of types and places in the code, no text, no locals."""
    shape: dict[str, Any] = {
        "type": type_name(error),
        "stack": [
            f"{place(frame.f_code.co_filename)}:{line} {frame.f_code.co_name}"
            for frame, line in list(traceback.walk_tb(error.__traceback__))[-MAX_FRAMES:]
        ],
    }
    reason = getattr(error, "reason", None)
    if isinstance(reason, str) and reason.isupper() and reason.replace("_", "").isalnum():
        shape["reason"] = reason
    sqlstate = getattr(getattr(error, "orig", error), "sqlstate", None)
    if isinstance(sqlstate, str):
        shape["sqlstate"] = sqlstate
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None and depth < MAX_CAUSES:
        shape["cause"] = exception_shape(cause, depth + 1)
    if isinstance(error, BaseExceptionGroup) and depth < MAX_CAUSES:
        shape["group"] = [exception_shape(one, depth + 1) for one in error.exceptions[:MAX_CAUSES]]
    return shape


def type_name(error: BaseException) -> str:
    """`module.Class`, or the bare name of a builtin."""
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def place(file: str) -> str:
    """A source file's path without the machine's part of it."""
    for root in ("/site-packages/", "/services/", "/contracts/"):
        head, found, tail = file.rpartition(root)
        if found and head:
            return tail
    return "/".join(PurePath(file).parts[-2:])
