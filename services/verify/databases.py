"""Reads the services' databases as `saguaro_verify`: one read-only snapshot of each for the whole run."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.rows import namedtuple_row


class Databases:
    """A connection to each service's database, in one repeatable-read transaction that only reads."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = dict(urls)
        self._open: dict[str, psycopg.Connection[Any]] = {}

    def __enter__(self) -> Databases:
        try:
            for service, url in self._urls.items():
                connection = psycopg.connect(url, row_factory=namedtuple_row, application_name="saguaro-verify")
                self._open[service] = connection
                connection.read_only = True
                connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                # The snapshot is taken by the first statement, so that all are taken close together.
                connection.execute("SELECT 1")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends every transaction and connection."""
        for connection in self._open.values():
            connection.close()
        self._open.clear()

    @property
    def services(self) -> list[str]:
        """The services whose databases are read, sorted."""
        return sorted(self._open)

    def rows(self, service: str, statement: LiteralString | sql.Composed) -> list[Any]:
        """The rows of a statement, with attributes by column. A statement that fails leaves the snapshot usable."""
        connection = self._open[service]
        with connection.transaction():
            return connection.execute(statement).fetchall()

    def by_id(self, service: str, statement: LiteralString) -> dict[Any, Any]:
        """The rows by their first column."""
        return {row[0]: row for row in self.rows(service, statement)}
