"""The consumer's index: a payment becomes a row, one event at a time or a batch at once. BENCH_CONSUMER names it."""

import os
from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import Column, DateTime, MetaData, Numeric, Table, Text, text
from sqlalchemy.dialects.postgresql import insert

from chassis.index import EventIn, Service, Stream
from chassis.records import Record
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.billing.v1 import events_pb2 as events

TOPIC = "saguaro.billing.account"

metadata = MetaData()
effect = Table(
    "effect",
    metadata,
    Column("payment_id", Text, primary_key=True),
    Column("person_id", Text, nullable=False),
    Column("amount_usd", Numeric(12, 2), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("done_at", DateTime(timezone=True), nullable=False, server_default=text("clock_timestamp()")),
)

SET_WISE = """
INSERT INTO effect (payment_id, person_id, amount_usd, received_at)
SELECT * FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::timestamptz[]) ON CONFLICT DO NOTHING
"""


def react(uow: UnitOfWork, event: events.PaymentReceived) -> None:
    """As a service's reaction is written: one Core statement."""
    uow.execute(
        insert(effect)
        .values(
            payment_id=event.payment_id,
            person_id=event.person_id,
            amount_usd=Decimal(event.amount_usd),
            received_at=from_timestamp(event.received_at),
        )
        .on_conflict_do_nothing(index_elements=["payment_id"])
    )


def columns_of(values: Sequence[bytes]) -> tuple[list[str], list[str], list[Decimal], list[object]]:
    """The events of a batch as the columns of the set-wise statement."""
    payments = [events.PaymentReceived.FromString(value) for value in values]
    return (
        [item.payment_id for item in payments],
        [item.person_id for item in payments],
        [Decimal(item.amount_usd) for item in payments],
        [from_timestamp(item.received_at) for item in payments],
    )


def react_set_wise(uow: UnitOfWork, records: Sequence[Record]) -> None:
    """The whole batch in one statement."""
    uow.driver.execute(SET_WISE, columns_of([record.value for record in records if record.key and record.value]))


def index_of(name: str, set_wise: bool) -> Service:
    """The index under this name."""
    return Service(
        name=name,
        grpc_services=(),
        events_module="saguaro.billing.v1.events_pb2",
        metadata=metadata,
        migrations="tests.bench.toy.migrations",
        required_revision="0001",
        events_in=() if set_wise else (EventIn(events.PaymentReceived, react),),
        streams=(Stream(TOPIC, react_set_wise),) if set_wise else (),
    )


INDEX = index_of(os.environ.get("BENCH_CONSUMER", "bench1"), os.environ.get("BENCH_SET_WISE") == "1")
