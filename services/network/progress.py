"""Progress on standard error: bars for a person at a terminal, one plain line a step for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Step:
    """One step under way; `advance` may be called from any thread."""

    def __init__(self, bars: Bars | None, task: TaskID | None) -> None:
        self._bars = bars
        self._task = task

    def advance(self, by: float = 1) -> None:
        """Count `by` more units of the step as done."""
        if self._bars is not None and self._task is not None:
            self._bars.advance(self._task, by)


class Progress:
    """The steps of one set-up, as a context manager: bars, or plain lines without a terminal or when `quiet`."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._bars: Bars | None = None
        if not quiet and sys.stderr.isatty():
            self._bars = Bars(
                SpinnerColumn(finished_text="✓"),
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=Console(stderr=True),
            )

    def __enter__(self) -> Progress:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    @contextmanager
    def step(self, name: str, total: float = 1) -> Iterator[Step]:
        """Show one step of `total` units; it counts as complete when the block ends without an error."""
        began = time.monotonic()
        task = self._bars.add_task(name, total=total) if self._bars is not None else None
        try:
            yield Step(self._bars, task)
        except BaseException:
            self._line(f"✗ {name}")
            raise
        if self._bars is not None and task is not None:
            self._bars.update(task, completed=total)
        else:
            self._line(f"✓ {name} ({time.monotonic() - began:.1f} s)")

    def _line(self, text: str) -> None:
        if self._bars is None:
            print(text, file=sys.stderr, flush=True)
