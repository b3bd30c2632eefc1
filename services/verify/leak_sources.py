"""Everything that a run wrote, in the form in which it is searched for people: logs, spans, metrics, topics, tables.

Sealed columns are read like all others: ciphertext must not read as a name either.
"""

from __future__ import annotations

import sqlite3
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from verify.leaks import Source
from verify.topics import Logged, TopicReader

_LINES = 2_000
_ROWS = 1_000
_HTTP_SECONDS = 5.0


def log_files(directory: Path) -> Iterator[Source]:
    """Each file under the directory, a block of lines at a time; a place is file and first line of the block."""
    for path in sorted(item for item in directory.rglob("*") if item.is_file()):
        with path.open("rb") as file:
            first, lines = 1, []
            for number, line in enumerate(file, start=1):
                lines.append(line)
                if len(lines) == _LINES:
                    yield Source(f"log {path.name} from line {first}", b"".join(lines))
                    first, lines = number + 1, []
            if lines:
                yield Source(f"log {path.name} from line {first}", b"".join(lines))


def spans(database: Path) -> Iterator[Source]:
    """Every row of every table of the span receiver's database."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        for (table,) in tables:
            for number, row in enumerate(connection.execute(f'SELECT * FROM "{table}"')):
                yield Source(f"spans {table} row {number}", " ".join(str(value) for value in row))
    finally:
        connection.close()


def pages(urls: Iterable[str]) -> Iterator[Source]:
    """What each http address answers, for example a process's metrics. OSError when it does not."""
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise ValueError("a page has an http address")
        with urllib.request.urlopen(url, timeout=_HTTP_SECONDS) as answer:  # noqa: S310
            yield Source(f"page {url}", answer.read())


def topics(kafka_bootstrap: str) -> Iterator[Source]:
    """Key, headers and value of every record of every topic of the network, the streams among them."""
    reader = TopicReader(kafka_bootstrap)
    try:
        log = reader.read({topic for topic, _ in reader.ends()})
    finally:
        reader.close()
    for records in log.records.values():
        for record in records:
            yield from _record(record)


def _record(record: Logged) -> Iterator[Source]:
    place = f"topic {record.place}"
    yield Source(f"{place} headers", " ".join(f"{name} {text}" for name, text in record.headers.items()))
    if record.key:
        yield Source(f"{place} key", record.key)
    if record.value:
        yield Source(f"{place} value", record.value)


def tables(urls: Mapping[str, str]) -> Iterator[Source]:
    """Every value of every column of every table of every database, the partitions and the views' tables among them."""
    for service, url in urls.items():
        with psycopg.connect(url, autocommit=True, application_name="saguaro-verify") as connection:
            named = connection.execute(
                "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
                " ORDER BY table_name"
            ).fetchall()
            for (table,) in named:
                yield from _table(connection, service, table)


def _table(connection: psycopg.Connection, service: str, table: str) -> Iterator[Source]:
    with connection.transaction(), connection.cursor(name="leaks") as cursor:
        cursor.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
        columns = [column.name for column in cursor.description or ()]
        while rows := cursor.fetchmany(_ROWS):
            for position, column in enumerate(columns):
                values = [row[position] for row in rows if row[position] is not None]
                yield from _column(f"table {service}.{table}.{column}", values)


def _column(place: str, values: list[object]) -> Iterator[Source]:
    binary = [bytes(value) for value in values if isinstance(value, bytes | memoryview)]
    texts = [str(value) for value in values if not isinstance(value, bytes | memoryview)]
    if binary:
        # A NUL between them, so that nothing is read across two values.
        yield Source(place, b"\0".join(binary))
    if texts:
        yield Source(place, "\n".join(texts))
