"""The one hard rule: grpcio and eventlet never share a process.

Measured on CPython 3.11 with grpcio 1.85 and eventlet 0.41: in a patched process a grpcio server answers every call
DEADLINE_EXCEEDED, and a grpcio client freezes every other greenthread for the length of its call. So a process
refuses, at its start and ever after, the imports that do not belong to its kind, and a worker refuses to start unpatched.
A refusal ends the process at once with one line of JSON on standard error and exit code EXIT_REFUSED: nothing may swallow it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Literal, NoReturn

Kind = Literal["api", "worker", "gateway", "tool"]

EXIT_REFUSED = 78
"""Exit code of a process whose imports break the rule; to start it again would not help."""

_GRPC_ADVICE = "a worker answers and asks over Kafka and its database; move the call into the api of this service"
_EVENTLET_ADVICE = "an api runs on native threads; move what consumes, relays or waits into the worker of this service"

FORBIDDEN: dict[str, dict[str, str]] = {
    "worker": dict.fromkeys(("grpc", "grpc_health", "grpc_reflection", "grpc_status"), _GRPC_ADVICE)
    | {"opentelemetry.exporter.otlp.proto.grpc": "export spans over OTLP/HTTP (SAGUARO_OTLP_ENDPOINT)"},
    "api": dict.fromkeys(("eventlet", "nameko"), _EVENTLET_ADVICE),
    "gateway": dict.fromkeys(("eventlet", "nameko"), _EVENTLET_ADVICE),
    "tool": {},
}
"""For each kind of process the modules that it may not import, and what to do instead."""


@dataclass(frozen=True)
class Refusal:
    """Why this process may not go on."""

    kind: str
    module: str
    importer: str
    rule: str
    advice: str

    def line(self) -> str:
        """One line of JSON, in the form of our logs."""
        return json.dumps(
            {
                "event": f"refused: {self.rule}",
                "level": "critical",
                "reason": "FORBIDDEN_IMPORT" if self.module else "NOT_SET_UP",
                "kind": self.kind,
                "module": self.module,
                "importer": self.importer,
                "advice": self.advice,
                "pid": os.getpid(),
            }
        )


def halt(refusal: Refusal) -> NoReturn:
    """End this process now. Not an exception: those are swallowed by optional imports, thread pools and containers."""
    os.write(2, (refusal.line() + "\n").encode())
    os._exit(EXIT_REFUSED)


def install(kind: Kind, *, on_refusal: Callable[[Refusal], None] = halt) -> None:
    """Check what is imported already and refuse what must not be imported later. Call it before anything else."""
    forbidden = FORBIDDEN[kind]
    for name, advice in forbidden.items():
        if sys.modules.get(name) is not None:
            rule = f"a process of kind {kind} had imported {name} before it started"
            on_refusal(Refusal(kind, name, holder_of(name), rule, advice))
    if not any(isinstance(finder, Gate) and finder.kind == kind for finder in sys.meta_path):
        sys.meta_path.insert(0, Gate(kind, forbidden, on_refusal))
    if kind == "worker":
        from chassis import guards_worker  # noqa: PLC0415

        guards_worker.check(on_refusal)


def require_fast_checksum(kind: str, on_refusal: Callable[[Refusal], None] = halt) -> None:
    """Refuse to run a process of Kafka's without crc32c: in Python 374 records of 14 KB a second, in C 5,530."""
    try:
        import crc32c  # noqa: PLC0415
        from kafka.record import util  # noqa: PLC0415

        fast = getattr(util, "_crc32c", None) is crc32c.crc32c
    except ImportError:
        fast = False
    if not fast:
        rule = "kafka-python does not use crc32c for its checksums"
        on_refusal(Refusal(kind, "", __name__, rule, "install what requirements/run.lock names"))


class Gate(MetaPathFinder):
    """First in sys.meta_path: sees every import of a module that is not loaded yet, early or late."""

    def __init__(self, kind: str, forbidden: dict[str, str], on_refusal: Callable[[Refusal], None]) -> None:
        self.kind = kind
        self._forbidden = forbidden
        self._on_refusal = on_refusal

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """None for every module (the other finders go on), after a refusal if it is a forbidden one."""
        family = _family(fullname, self._forbidden)
        if family is None:
            return None
        frame = _importing_frame()
        if frame is None:  # importlib.util.find_spec only asks whether it is there
            return None
        importer = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        rule = f"a process of kind {self.kind} never imports {family}"
        self._on_refusal(Refusal(self.kind, fullname, importer, rule, self._forbidden[family]))
        return None


def _family(name: str, forbidden: dict[str, str]) -> str | None:
    """The forbidden module that `name` is or belongs to."""
    return next((root for root in forbidden if name == root or name.startswith(root + ".")), None)


def _importing_frame() -> FrameType | None:
    """The code that imports, or None if it only asks importlib.util.find_spec."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        file = frame.f_code.co_filename
        if frame.f_code.co_name == "find_spec" and file.endswith(("importlib/util.py", "<frozen importlib.util>")):
            return None
        if not file.startswith("<frozen importlib") and not file.endswith("importlib/__init__.py"):
            return frame
        frame = frame.f_back
    return None


def holder_of(name: str) -> str:
    """Who has imported a module already: a loaded module that holds it or a part of it, one of ours before a library's."""
    root = name.partition(".")[0]
    libraries = []
    for other, module in list(sys.modules.items()):
        family = other.partition(".")[0]
        # eventlet puts parts of itself into the standard library.
        if family == root or family in sys.stdlib_module_names or not _holds(module, root):
            continue
        file = str(getattr(module, "__file__", None) or other)
        if "site-packages" not in file:
            return file
        libraries.append(file)
    return libraries[0] if libraries else "unknown"


def _holds(module: ModuleType, root: str) -> bool:
    """Whether one of the module's globals is, or comes from, the package `root`."""
    for value in list(getattr(module, "__dict__", {}).values()):  # None stands for a module that may not be imported
        origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(origin, str) and origin.partition(".")[0] == root:
            return True
    return False
