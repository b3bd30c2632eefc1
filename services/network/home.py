"""The home of one network on one machine: everything it keeps lies under one directory, and one supervisor at a time owns it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

DEFAULT = ".saguaro"


class HomeTaken(Exception):
    """Another supervisor runs on this home."""


class Home:
    """Paths of a home, its lock and its small state files."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self._lock: int | None = None

    @property
    def secrets(self) -> Path:
        """Generated passwords and keys, readable by the owner alone."""
        return self.path / "secrets"

    @property
    def run(self) -> Path:
        """Reports of running processes; empty when nothing runs."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log file a process."""
        return self.path / "logs"

    @property
    def traces(self) -> Path:
        """The database of the bounded span receiver."""
        return self.path / "traces.sqlite"

    @property
    def network_file(self) -> Path:
        """What the supervisor says of the whole network."""
        return self.run / "network.json"

    @property
    def steps_file(self) -> Path:
        """The set-up as it goes, one JSON line a step, for whoever waits."""
        return self.run / "steps.jsonl"

    def prepare(self) -> None:
        """Makes the directories."""
        self.path.mkdir(parents=True, exist_ok=True)
        for directory in (self.secrets, self.run, self.logs):
            directory.mkdir(mode=0o700, exist_ok=True)

    def take(self) -> None:
        """Takes the lock for the life of this process. HomeTaken when a supervisor has it."""
        self.prepare()
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        os.set_inheritable(descriptor, False)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise HomeTaken(
                f"a supervisor already runs on {self.path}; stop it with: saguaro down --home {self.path}"
            ) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._lock = descriptor

    def owner(self) -> int | None:
        """The pid of the supervisor that holds the lock, or None."""
        path = self.path / "lock"
        if not path.exists():
            return None
        descriptor = os.open(path, os.O_RDWR)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = os.read(descriptor, 32).decode()
            return int(text) if text.isdigit() else None
        finally:
            os.close(descriptor)
        return None

    def key_file(self, name: str) -> Path:
        """A file with 32 random bytes in base64, made at first use."""
        path = self.secrets / f"{name}.key"
        if not path.exists():
            write_whole(path, base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
        return path

    def report_file(self, process: str) -> Path:
        """Where a process reports its addresses."""
        return self.run / f"{process}.json"

    def reports(self) -> dict[str, dict[str, Any]]:
        """What the running processes reported, by name."""
        found = {}
        for path in sorted(self.run.glob("*.json")):
            if path != self.network_file:
                report = read_json(path)
                if report is not None:
                    found[path.stem] = report
        return found


def write_whole(path: Path, text: str) -> None:
    """Writes so that a reader sees all or nothing; only the owner may read."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none (yet)."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Writes a JSON object whole."""
    write_whole(path, json.dumps(value, indent=1, sort_keys=True) + "\n")
