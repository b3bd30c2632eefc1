"""Frames through the api and worker of device-telemetry, and through a throw-away pipeline without rules, from the same ten streams."""

from collections.abc import Callable

from device_telemetry.app import INDEX
from device_telemetry.frames.decode import TOPIC as FRAMES
from network.catalogue import indexes, topic_specs
from tests.bench.fair import Arrived, Details, Side, Turn, latencies
from tests.bench.house import House, wait_until
from tests.bench.toy.app import TOPIC
from tests.bench.wards import SAMPLES, Sent, arrived_of, device_id, fill, frames

Judge = Callable[[list[Sent], dict[str, float], dict[str, float], float], tuple[float, Details]]
"""Frames, when each was sent, when each was committed, when the first was sent -> the figure and what else is told."""

_PATIENCE_S = 120.0
_STORED = "SELECT device_id::text || ':' || sequence, md5(payload), extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8 FROM {}"
_ALARMS = (
    "SELECT count(*), count(DISTINCT (session_id, kind_code, measured_at)) FROM alarm WHERE kind_code LIKE 'hr.low%'"
)


def prepare(house: House) -> str:
    """A device-telemetry database with twenty monitors at work."""
    house.migrated(INDEX)
    template = house.fresh("device_telemetry")
    with house.connect(template) as connection:
        fill(connection)
    return template


def samples_per_second(
    sent: list[Sent], _sent_at: dict[str, float], committed: dict[str, float], began: float
) -> tuple[float, Details]:
    """From the first frame sent to the last committed."""
    return len(sent) * SAMPLES / (max(committed.values(), default=float("inf")) - began), {}


def alarm_delay(
    sent: list[Sent], sent_at: dict[str, float], committed: dict[str, float], _began: float
) -> tuple[float, Details]:
    """From the sending of each frame whose last sample is too low to the commit of the transaction that holds its alarms."""
    keys = [
        (f"{frame.device}:{frame.sequence}", f"{device_id(frame.device)}:{frame.sequence}")
        for frame in sent
        if frame.dips
    ]
    details = latencies(committed[stored] - sent_at[key] for key, stored in keys if stored in committed)
    return float(details["p50_ms"]), details


def chassis_side(house: House, template: str, sent: list[Sent], dip_every: int, rate: float, judge: Judge) -> Side:
    """The product."""
    topics = [spec.name for spec in topic_specs(indexes())]
    assert FRAMES in topics

    def side() -> Turn:
        house.fresh_topics(topics)
        database = house.fresh("device_telemetry", template)
        peers = {f"SAGUARO_PEER_{name}": "127.0.0.1:9" for name in ("INTAKE", "TREATMENT_PLAN")}
        addresses = house.start("device_telemetry", "api", database, **peers)
        house.start("device_telemetry", "worker", database)
        turn = _turn(house, database, "frame", addresses["stream"], sent, dip_every, rate, judge)
        house.drop(database)
        return turn

    return side


def bare_side(house: House, template: str, sent: list[Sent], dip_every: int, rate: float, judge: Judge) -> Side:
    """gRPC, Kafka, COPY, nothing else."""

    def side() -> Turn:
        house.fresh_topics([TOPIC])
        database = house.fresh("device_telemetry", template)
        with house.connect(database) as connection:
            connection.execute(
                "CREATE TABLE bare_frame (device_id text NOT NULL, sequence bigint NOT NULL, payload bytea NOT NULL)"
            )
            connection.execute("ALTER TABLE bare_frame ALTER payload SET STORAGE EXTERNAL")
            connection.execute("GRANT SELECT, INSERT ON bare_frame TO device_telemetry_worker")
        front = house.bare("tests.bench.bare_stream", house.kafka.bootstrap)
        store = house.bare(
            "tests.bench.bare_store", house.kafka.bootstrap, dsn=house.dsn("device_telemetry_worker", database)
        )
        try:
            address = f"127.0.0.1:{front.hear()['port']}"
            store.hear()
            turn = _turn(house, database, "bare_frame", address, sent, dip_every, rate, judge)
        finally:
            front.end()
            store.end()
        house.drop(database)
        return turn

    return side


def _turn(
    house: House, database: str, table: str, address: str, sent: list[Sent], dip_every: int, rate: float, judge: Judge
) -> Turn:
    load = house.bare("tests.bench.frame_load", address, str(len(sent)), str(dip_every), str(rate))
    try:
        load.hear()
        before = house.cpu()
        load.tell()
        heard = load.hear()
        wait_until(lambda: _count(house, database, table) >= len(sent), _PATIENCE_S)
        spent = house.spent(before, len(sent))
    finally:
        load.end()
        house.stop_children()
    with house.connect(database) as connection:
        rows = connection.execute(_STORED.format(table)).fetchall()
        alarms, distinct = connection.execute(_ALARMS).fetchone() or (0, 0)
    value, details = judge(sent, heard["sent_at"], {row[0]: row[2] for row in rows}, heard["began"])
    broken = f"refused: {heard['refused']}" if heard["refused"] else ""
    wanted = 2 * sum(frame.dips for frame in sent)
    if table == "frame" and not alarms == distinct == wanted:
        broken += f" {wanted} alarms expected, {alarms} found, {distinct} distinct"
    arrived = Arrived.of(f"{row[0]}:{row[1]}" for row in rows)
    return Turn(value, arrived_of(sent), arrived, details | spent | {"alarms": float(alarms)}, broken)


def _count(house: House, database: str, table: str) -> int:
    with house.connect(database) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


__all__ = ["alarm_delay", "bare_side", "chassis_side", "frames", "prepare", "samples_per_second"]
