"""A leak put into a log, a span, a metrics page, a topic or a table is found where it was put; without one, nothing is."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from network import jars
from network.kafka import Kafka
from network.progress import Progress
from network.topics import TopicSpec, ensure_topics
from tests.conftest import Server
from verify import leak_sources
from verify.leaks import find_leaks

PERSON = {"given_name": "Rosalinda", "family_name": "Quiñones", "birth_date": "1984-03-07", "phone": "+16025550142"}


def _places(sources: Iterator[Any]) -> list[str]:
    return [f"{leak.place} {leak.field}" for leak in find_leaks([PERSON], sources)]


def test_a_line_in_a_log_is_found(tmp_path: Path) -> None:
    (tmp_path / "billing").mkdir()
    lines = ['{"event": "started"}\n'] * 2_500
    (tmp_path / "billing" / "worker.log").write_text("".join(lines))
    assert _places(leak_sources.log_files(tmp_path)) == []
    lines[2_200] = '{"event": "failed", "detail": "Key (name)=(Rosalinda) exists"}\n'
    (tmp_path / "billing" / "worker.log").write_text("".join(lines))
    assert _places(leak_sources.log_files(tmp_path)) == ["log worker.log from line 2001 given_name"]


def test_an_attribute_of_a_span_is_found(tmp_path: Path) -> None:
    path = tmp_path / "traces.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE span (name TEXT, what TEXT)")
    connection.execute("INSERT INTO span VALUES ('RegisterPerson', 'fine')")
    connection.commit()
    assert _places(leak_sources.spans(path)) == []
    connection.execute("INSERT INTO span VALUES ('RegisterPerson', 'born 1984-03-07')")
    connection.commit()
    connection.close()
    assert _places(leak_sources.spans(path)) == ["spans span row 1 birth_date"]


def test_a_label_on_a_metrics_page_is_found() -> None:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            label = "Quiñones" if self.path == "/leaking" else "intake"
            self.wfile.write(f'saguaro_calls_total{{who="{label}"}} 1\n'.encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    try:
        assert _places(leak_sources.pages([f"{address}/metrics"])) == []
        assert _places(leak_sources.pages([f"{address}/leaking"])) == [f"page {address}/leaking family_name"]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    broker = Kafka(tmp_path_factory.mktemp("kafka"), jars.fetch(Progress(quiet=True)))
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("where", ["key", "header", "value"])
def test_a_record_of_a_topic_is_found(broker: Kafka, where: str) -> None:
    from kafka import KafkaProducer

    topic = f"saguaro.test.{where}"
    ensure_topics(broker.bootstrap, [TopicSpec(topic, 2)])
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap)
    clean = {"key": b"0198", "value": b"\x0a\x03abc", "headers": [("ce_id", b"0198")]}
    producer.send(topic, **clean).get(timeout=10)
    assert not [place for place in _places(leak_sources.topics(broker.bootstrap)) if topic in place]
    leak = {"key": b"Rosalinda", "header": [("ce_subject", b"Rosalinda")], "value": b"\x0a\x09Rosalinda"}
    changed = clean | {"headers" if where == "header" else where: leak[where]}
    producer.send(topic, **changed).get(timeout=10)
    producer.close()
    found = [place for place in _places(leak_sources.topics(broker.bootstrap)) if topic in place]
    assert len(found) == 1
    assert found[0].startswith(f"topic {topic}[")
    assert found[0].split("] ")[-1].split("@")[-1].endswith(f"{'headers' if where == 'header' else where} given_name")


def test_a_row_of_a_table_is_found(server: Server) -> None:
    with psycopg.connect(server.postgres.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS leaking"))
        connection.execute(sql.SQL("CREATE DATABASE leaking"))
    url = make_conninfo(server.postgres.dsn(), dbname="leaking")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE note (note_id uuid, body text, raw bytea, facts jsonb)")
        connection.execute("INSERT INTO note VALUES (gen_random_uuid(), 'nothing', '\\x00ff', '{\"code\": \"a\"}')")
        assert _places(leak_sources.tables({"toy": url})) == []
        connection.execute("INSERT INTO note (body) VALUES ('asked for Rosalinda')")
        connection.execute("INSERT INTO note (raw) VALUES ('tel +16025550142'::bytea)")
        connection.execute('INSERT INTO note (facts) VALUES (\'{"born": "1984-03-07"}\')')
        assert _places(leak_sources.tables({"toy": url})) == [
            "table toy.note.body given_name",
            "table toy.note.raw phone",
            "table toy.note.facts birth_date",
        ]
    server.drop("leaking")
