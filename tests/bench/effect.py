"""Commit to effect in another service: a booking's commit to the commit of what device-telemetry makes of it, at a steady rate.

Real scheduling api and worker, Kafka, real device-telemetry worker. Both times are PostgreSQL's own commit times. The yardstick is a
record sent with acks=all to a consumer that polls, at the same rate.
"""

from collections.abc import Callable

from device_telemetry.app import INDEX as DEVICES
from network.catalogue import indexes, topic_specs
from tests.bench.booking import prepare
from tests.bench.fair import Arrived, Row, Side, Target, Turn, alternate, latencies
from tests.bench.house import House, wait_until
from tests.bench.sizes import Sizes
from tests.bench.toy.app import TOPIC

TARGETS = (Target("p50_ms", 10, "ms", at_least=False), Target("p99_ms", 40, "ms", at_least=False))
_BOOKED = "SELECT session_id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM booking"
_KNOWN = "SELECT session_id::text, extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM infusion_session"


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    template = prepare(house, sizes.rooms, sizes.paced)
    house.migrated(DEVICES)
    ours, bare, load = alternate(_network(house, sizes, template), _round_trip(house, sizes), sizes.turns, say)
    return Row(
        f"commit to effect in another service at {sizes.paced_per_s}/s, p50", "ms", ours, bare,
        "a bare send (acks=all) to poll at the same rate", TARGETS, load,
        notes="booking committed in scheduling -> outbox -> relay -> Kafka -> session committed in device-telemetry",
    )  # fmt: skip


def _network(house: House, sizes: Sizes, template: str) -> Side:
    topics = [spec.name for spec in topic_specs(indexes())]

    def side() -> Turn:
        house.fresh_topics(topics)
        booking, device = house.fresh("scheduling", template), house.fresh("device_telemetry")
        addresses = house.start("scheduling", "api", booking)
        house.start("scheduling", "worker", booking)
        house.start("device_telemetry", "worker", device)
        arguments = (addresses["grpc"], "paced", str(sizes.paced), str(sizes.rooms), str(sizes.paced_per_s))
        child = house.bare("tests.bench.booking_load", *arguments)
        try:
            child.hear()
            before = house.cpu()
            child.tell()
            heard = child.hear()
            wait_until(lambda: len(_times(house, device, _KNOWN)) >= heard["booked"], 60)
            spent = house.spent(before, sizes.paced)
        finally:
            child.end()
            house.stop_children()
        booked, known = _times(house, booking, _BOOKED), _times(house, device, _KNOWN)
        house.drop(booking, device)
        details = latencies(at - booked[session] for session, at in known.items() if session in booked) | spent
        details["rate"] = len(booked) / heard["seconds"]
        broken = "" if len(booked) == sizes.paced else f"{len(booked)} of {sizes.paced} booked"
        return Turn(float(details["p50_ms"]), Arrived.of(booked), Arrived.of(known), details, broken)

    return side


def _times(house: House, database: str, statement: str) -> dict[str, float]:
    with house.connect(database) as connection:
        return dict(connection.execute(statement).fetchall())


def _round_trip(house: House, sizes: Sizes) -> Side:
    sent = Arrived.of(str(number) for number in range(sizes.paced))

    def side() -> Turn:
        house.fresh_topics([TOPIC])
        child = house.bare("tests.bench.round_trip", house.kafka.bootstrap, str(sizes.paced), str(sizes.paced_per_s))
        try:
            child.hear()
            child.tell()
            heard = child.hear()
        finally:
            child.end()
        details = latencies(heard["each"])
        return Turn(float(details["p50_ms"]), sent, Arrived.of(heard["arrived"]), details)

    return side
