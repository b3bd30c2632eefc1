"""Child processes that die with this process, and the orphans of one that was killed where that is not possible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil

from network.account import Account

# One thread, alive as long as this process, starts every child: the kernel's "parent has died" means the thread that
# forked, so a child started from a short-lived thread would be signalled when that thread ends.
_starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="child-starter")

Steps = Sequence[tuple[signal.Signals, float]]
"""How to stop a process: a signal and how many seconds it has, then the next; after the last, SIGKILL."""


class Child:
    """A running child process."""

    def __init__(self, name: str, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def poll(self) -> int | None:
        """None while it runs, else its exit code (negative: the signal that ended it)."""
        return self._process.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises `subprocess.TimeoutExpired`."""
        return self._process.wait(timeout)

    def stop(self, steps: Steps) -> int:
        """Stop it with ever stronger signals and return its exit code."""
        for number, seconds in steps:
            if self.poll() is not None:
                break
            self._process.send_signal(number)
            try:
                return self.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
        return self.kill()

    def kill(self) -> int:
        """End it at once with SIGKILL and return its exit code."""
        self._process.kill()
        return self.wait()


def spawn(
    name: str,
    program: Sequence[str],
    *,
    output: Path,
    append: bool = True,
    when_parent_dies: signal.Signals = signal.SIGTERM,
    account: Account | None = None,
    environment: Mapping[str, str] | None = None,
) -> Child:
    """Start `program` in a session of its own (a Ctrl-C in the terminal is the supervisor's business), with both output
    streams in one file, as another user if an account is given; it gets `when_parent_dies` when this process dies."""
    tether = [sys.executable, "-I", "-S", str(Path(__file__).with_name("tether.py"))]
    tether += ["--parent", str(os.getpid()), "--signal", str(int(when_parent_dies))]
    if account is not None:
        tether += ["--user", str(account.uid), "--group", str(account.gid)]
    output.parent.mkdir(parents=True, exist_ok=True)
    mode = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
    descriptor = os.open(output, mode, 0o600)

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*tether, "--", *program],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            env=dict(environment) if environment is not None else None,
            cwd="/",
            start_new_session=True,
        )

    try:
        return Child(name, _starter.submit(start).result())
    finally:
        os.close(descriptor)


def find_processes(match: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """The running processes for which `match` is true, oldest first; those that may not be looked at do not count."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and match(process):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return sorted(found, key=lambda process: process.pid)


def stop_orphans(orphans: Iterable[psutil.Process], steps: Steps) -> None:
    """Stop processes that are not our children with ever stronger signals, and return when they are gone."""
    left = list(orphans)
    for number, seconds in [*steps, (signal.SIGKILL, 10.0)]:
        for process in left:
            try:
                process.send_signal(number)
            except psutil.NoSuchProcess:
                continue
        _, left = psutil.wait_procs(left, timeout=seconds)
        if not left:
            return
    raise RuntimeError(f"processes {[process.pid for process in left]} of a dead predecessor cannot be ended")
