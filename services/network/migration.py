"""Databases, roles, schemas and topics of the network: everything that has to be there before a process starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from network.catalogue import indexes, topic_specs
from network.home import Home
from network.kafka import Kafka
from network.postgres import Postgres
from network.roles import SERVICES, ensure_roles, password_file
from network.topics import ensure_topics

if TYPE_CHECKING:
    from chassis.index import Service


def load_migration() -> None:
    """Imports what the functions below need, which takes longer than they do."""
    from chassis import migrate  # noqa: F401, PLC0415

    indexes()


def migrate_all(home: Home, postgres: Postgres) -> dict[str, str]:
    """Brings all five databases to their newest schema; returns the revision of each."""
    from chassis.migrate import migrate  # noqa: PLC0415

    ensure_roles(postgres.dsn(), home.secrets, SERVICES)

    def one(index: Service) -> tuple[str, str]:
        owner = f"{index.name}_owner"
        url = f"postgresql://{owner}@127.0.0.1:{postgres.port}/{index.name}"
        return index.name, migrate(index, url, password_file(home.secrets, owner).read_text().strip())

    # One after another: alembic keeps its environment in module globals, so threads would mix their databases up.
    return dict(map(one, indexes()))


def make_topics(kafka: Kafka) -> list[str]:
    """Makes the topics that are missing; returns their names."""
    return ensure_topics(kafka.bootstrap, topic_specs(indexes()))
