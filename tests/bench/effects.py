"""Effects of events in five consumers at once, as five services react to one event; beside five bare loops that do the same.

A consumer has a database and a process of its own. The events are sent when every consumer has its partitions; the time runs
from the first send to the commit of the last effect, by the database's own record of commits.
"""

import sys
from collections.abc import Callable
from itertools import count

from network.programs import Program
from tests.bench.fair import Arrived, Side, Turn
from tests.bench.house import Bare, House, wait_until
from tests.bench.payments import payments
from tests.bench.toy.app import TOPIC, index_of

CONSUMERS = tuple(f"bench{number}" for number in range(1, 6))
_PATIENCE_S = 120.0
_groups = count(1)


def prepare(house: House) -> None:
    """The five databases."""
    for name in CONSUMERS:
        house.migrated(index_of(name, set_wise=False))


def chassis_side(house: House, number: int, *, set_wise: bool) -> Side:
    """Workers of the chassis: nameko, eventlet, inbox, offsets, positions, spans."""

    def start(name: str, database: str) -> None:
        settings = {"BENCH_CONSUMER": name, "BENCH_SET_WISE": "1" if set_wise else "0"}
        command = [sys.executable, "-m", "tests.bench.toy.worker_process"]
        house.start_program(Program(name, "worker"), command, database, **settings)

    return _side(house, number, start, [])


def bare_side(house: House, number: int, *, set_wise: bool) -> Side:
    """A plain loop: poll, one transaction a poll with the offset, a statement an event or one unnest for all."""
    bare: list[Bare] = []

    def start(name: str, database: str) -> None:
        arguments = (house.kafka.bootstrap, f"bare-{next(_groups)}", str(int(set_wise)))
        bare.append(house.bare("tests.bench.bare_consumer", *arguments, dsn=house.dsn(f"{name}_worker", database)))
        bare[-1].hear()

    return _side(house, number, start, bare)


def _side(house: House, number: int, start: Callable[[str, str], None], bare: list[Bare]) -> Side:
    sent = Arrived.of(f"{name}:{event.payment_id}" for name in CONSUMERS for event in payments(number))

    def side() -> Turn:
        house.fresh_topics([TOPIC])
        databases = {name: house.fresh(name) for name in CONSUMERS}
        sender = house.bare("tests.bench.producer_process", house.kafka.bootstrap, str(number))
        try:
            for name, database in databases.items():
                start(name, database)
            sender.hear()
            before = house.cpu()
            sender.tell()
            began = float(sender.hear()["began"])
            wait_until(
                lambda: all(_effects(house, database) >= number for database in databases.values()), _PATIENCE_S, 0.5
            )
            details = house.spent(before, number * len(CONSUMERS))
            found = {name: _found(house, database) for name, database in databases.items()}
        finally:
            sender.end()
            for child in bare:
                child.end()
            bare.clear()
            house.stop_children()
        house.drop(*databases.values())
        arrived = Arrived.of(f"{name}:{payment}" for name, (ids, _) in found.items() for payment in ids)
        seconds = max(last for _, last in found.values()) - began
        return Turn(sent.count / seconds, sent, arrived, details)

    return side


def _effects(house: House, database: str) -> int:
    with house.connect(database) as connection:
        row = connection.execute("SELECT count(*) FROM effect").fetchone()
    return int(row[0]) if row else 0


def _found(house: House, database: str) -> tuple[list[str], float]:
    """The ids of the effects, and when the last was committed (seconds since 1970)."""
    with house.connect(database) as connection:
        ids = [row[0] for row in connection.execute("SELECT payment_id FROM effect").fetchall()]
        last = connection.execute(
            "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin))) FROM effect"
        ).fetchone()
    return ids, float(last[0]) if last and last[0] is not None else float("inf")
