"""Logs: JSON with trace ids, and a value that slips in by accident does not come out."""

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from chassis import logs, tracing

SERVICES = Path(__file__).resolve().parents[2] / "services"
NAME = "Mary Smith"


class Written:
    """What was logged, and a logger."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        logs.configure("example", "api", "DEBUG", self.stream)
        self.log = logs.get_logger()

    def lines(self) -> list[dict[str, Any]]:
        """All lines, decoded."""
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]

    def line(self) -> dict[str, Any]:
        """The only line."""
        (one,) = self.lines()
        return one


@pytest.fixture
def written() -> Iterator[Written]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook, sys.unraisablehook)
    yield Written()
    root.handlers[:], root.level = before[0], before[1]
    sys.excepthook, threading.excepthook, sys.unraisablehook = before[2:]
    logging.captureWarnings(False)
    structlog.reset_defaults()


def test_a_line_names_process_time_and_fields(written: Written) -> None:
    written.log.info("event applied", topic="a.b", partition=3, offset=9, duration_ms=1.5)
    line = written.line()
    assert line.pop("time").endswith("Z")
    assert line == {
        "event": "event applied", "level": "info", "service": "example", "kind": "api",
        "topic": "a.b", "partition": 3, "offset": 9, "duration_ms": 1.5,
    }  # fmt: skip


def test_a_line_inside_a_span_carries_its_ids_and_the_episode(written: Written) -> None:
    with tracing.process_span("T", "t", 0, 1, None, "episode-1"):
        ids = tracing.current_ids()
        written.log.info("inside")
    line = written.line()
    assert (line["trace_id"], line["span_id"]) == ids
    assert line["correlation_id"] == "episode-1"


def test_fields_that_are_not_listed_are_dropped_by_name(written: Written) -> None:
    written.log.info("registered", patient_name=NAME, phone=5550100, count=1)
    line = written.line()
    assert line["dropped"] == ["patient_name", "phone"]
    assert line["count"] == 1
    assert NAME not in written.stream.getvalue()
    assert "5550100" not in written.stream.getvalue()


def test_a_listed_field_holds_no_words(written: Written) -> None:
    written.log.info("refused", reason=NAME, partitions=[1, NAME], addresses={"grpc": "127.0.0.1:1", NAME: NAME})
    line = written.line()
    assert line["reason"] == "[withheld]"
    assert line["partitions"] == [1, "[withheld]"]
    assert line["addresses"] == {"grpc": "127.0.0.1:1", "[withheld]": "[withheld]"}


def test_a_text_put_together_from_values_is_withheld(written: Written) -> None:
    name = NAME
    written.log.info(f"registered {name}")
    written.log.info("registered " + name)
    written.log.info(name)
    assert [line["event"] for line in written.lines()] == [logs.UNSAFE_TEXT] * 3
    assert NAME not in written.stream.getvalue()


def test_an_exception_is_types_and_places_without_text_or_locals(written: Written) -> None:
    def inner(patient: str) -> None:
        raise ValueError(f"{patient} is too young")

    try:
        try:
            inner(NAME)
        except ValueError as error:
            raise RuntimeError(f"while at {NAME}") from error
    except RuntimeError:
        written.log.exception("failed")
    shown = written.line()["exception"]
    assert shown["type"] == "RuntimeError"
    assert shown["cause"]["type"] == "ValueError"
    assert shown["cause"]["stack"][-1].endswith(" inner")
    assert "test_logs.py:" in shown["stack"][0]
    assert NAME not in written.stream.getvalue()
    assert "/work" not in written.stream.getvalue()


def test_standard_logging_shows_its_template_and_never_the_values(written: Written) -> None:
    library = logging.getLogger("some.library")
    library.warning("cannot reach %s", NAME)
    library.warning(f"cannot reach {NAME} {written!r}")
    try:
        raise ValueError(NAME)
    except ValueError:
        library.exception("broken by %s", NAME)
    first, second, third = written.lines()
    assert (first["event"], first["level"], first["component"]) == ("cannot reach %s", "warning", "some.library")
    assert "test_logs.py:" in first["source"]
    assert second["event"] == "a library's message"
    assert third["exception"]["type"] == "ValueError"
    assert NAME not in written.stream.getvalue()


def test_warnings_come_without_their_text(written: Written) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(NAME, stacklevel=1)
    logging.captureWarnings(False)
    assert written.line()["component"] == "py.warnings"
    assert NAME not in written.stream.getvalue()


def test_the_level_is_a_threshold(written: Written) -> None:
    logs.configure("example", "api", "WARNING", written.stream)
    logs.get_logger().info("not this")
    logging.getLogger("x").info("nor this")
    logs.get_logger().warning("but this")
    assert [line["event"] for line in written.lines()] == ["but this"]


@pytest.mark.parametrize(
    ("kind", "program"),
    [
        ("api", "raise ValueError(name)"),
        (
            "api",
            "import threading\ndef f(): raise ValueError(name)\nt = threading.Thread(target=f); t.start(); t.join()",
        ),
        ("worker", "import eventlet\ndef f(): raise ValueError(name)\neventlet.spawn(f); eventlet.sleep(0.01)"),
        ("worker", "import eventlet\ndef f(): raise ValueError(name)\neventlet.spawn_n(f); eventlet.sleep(0.01)"),
        (
            "worker",
            "import eventlet\ndef f(): raise ValueError(name)\neventlet.spawn_after(0, f); eventlet.sleep(0.05)",
        ),
        (
            "worker",
            "import threading\ndef f(): raise ValueError(name)\nt = threading.Thread(target=f); t.start(); t.join()",
        ),
    ],
)
def test_what_nobody_caught_is_logged_without_its_text(kind: str, program: str) -> None:
    patch = "from chassis import guards_worker; guards_worker.patch()\n" if kind == "worker" else ""
    setup = (
        f"{patch}from chassis import logs\nlogs.configure('example', '{kind}')\nname = ' '.join(['Mary', 'Smith'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", setup + program], env={"PYTHONPATH": str(SERVICES), "PATH": ""},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert NAME not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["exception"]["type"] for line in lines] == ["ValueError"]
