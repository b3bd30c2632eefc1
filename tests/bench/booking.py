"""Bookings through the real scheduling api by 16 clients, beside pgbench with the same statements and no program around them."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from network.postgres_binaries import binaries
from scheduling.app import INDEX
from tests.bench.booking_script import SCRIPT
from tests.bench.clinic import CLIENTS, fill, wishes
from tests.bench.fair import Arrived, Row, Side, Target, Turn, alternate, latencies
from tests.bench.house import House
from tests.bench.sizes import Sizes

TARGETS = (Target("value", 1_000, "bookings asked for/s", at_least=True), Target("p99_ms", 50, "ms", at_least=False))
_OVERLAPS = """
SELECT count(*) FROM (
    SELECT lower(during) < lag(upper(during)) OVER (PARTITION BY resource_id ORDER BY lower(during)) AS clashes
    FROM claim WHERE active) AS neighbours
WHERE clashes
"""


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    template = prepare(house, sizes.rooms, sizes.bookings)
    ours, bare, load = alternate(_api(house, sizes, template), _pgbench(house, sizes, template), sizes.turns, say)
    return Row(
        "booking, 500 rooms, 30 % conflicts, 16 clients", "bookings asked for/s", ours, bare, "pgbench, same statements",
        TARGETS, load, notes="no worker runs on either side, so the outbox only grows; clients and server share the cores",
    )  # fmt: skip


def prepare(house: House, rooms: int, bookings: int) -> str:
    """A scheduling database with everything but bookings, to make fresh ones from."""
    house.migrated(INDEX)
    template = house.fresh("scheduling")
    with house.connect(template) as connection:
        fill(connection, rooms, bookings)
    return template


def found(house: House, database: str, rooms: int) -> tuple[Arrived, str]:
    """The slots that are booked whole (five claims, one outbox row each), and what is wrong if anything is."""
    with house.connect(database) as connection:
        rows = connection.execute(
            "SELECT chair_id::text, extract(epoch FROM starts_at)::bigint FROM booking b WHERE state = 'booked'"
            " AND 5 = (SELECT count(*) FROM claim c WHERE c.session_id = b.session_id AND c.active)"
        ).fetchall()
        counts = [
            connection.execute(statement).fetchone()
            for statement in (_OVERLAPS, "SELECT count(*) FROM outbox", "SELECT count(*) FROM claim")
        ]
    overlaps, events, claims = (int(row[0]) if row else -1 for row in counts)
    broken = f"{overlaps} overlaps" if overlaps else ""
    if events != len(rows) or claims != 5 * len(rows):
        broken += f" {len(rows)} bookings, {events} events, {claims} claims"
    return Arrived.of(f"{chair}@{at}" for chair, at in rows), broken


def expected(sizes: Sizes) -> Arrived:
    """Every slot that was asked for, once."""
    from tests.bench.clinic import CHAIR, UUID, Wish

    slots = sorted({wish.slot for mine in wishes(sizes.bookings) for wish in mine})
    made = [Wish(0, slot) for slot in slots]
    return Arrived.of(
        f"{UUID(int=CHAIR + wish.room(sizes.rooms))}@{int(wish.starts_at(sizes.rooms).timestamp())}" for wish in made
    )


def _api(house: House, sizes: Sizes, template: str) -> Side:
    sent = expected(sizes)

    def side() -> Turn:
        database = house.fresh("scheduling", template)
        addresses = house.start("scheduling", "api", database)
        child = house.bare(
            "tests.bench.booking_load", addresses["grpc"], "many", str(sizes.bookings), str(sizes.rooms), "0"
        )
        try:
            child.hear()
            before = house.cpu()
            child.tell()
            heard = child.hear()
            details = latencies(heard["each"]) | house.spent(before, len(heard["each"]))
        finally:
            child.end()
            house.stop_children()
        arrived, broken = found(house, database, sizes.rooms)
        house.drop(database)
        asked = len(heard["each"])
        if heard["failed"] or heard["booked"] != arrived.count:
            broken += f" the clients heard {heard['booked']} booked, {heard['taken']} taken, {heard['failed']} failed"
        return Turn(asked / heard["seconds"], sent, arrived, details, broken)

    return side


def _pgbench(house: House, sizes: Sizes, template: str) -> Side:
    sent = expected(sizes)
    program = binaries(None) / "pgbench"
    turns = sizes.bookings // CLIENTS // 10 * 10

    def side() -> Turn:
        database = house.fresh("scheduling", template)
        folder = house.home.path / database
        folder.mkdir()
        script = folder / "booking.sql"
        script.write_text(SCRIPT)
        command = [
            str(program), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-t", str(turns), "-f", str(script),
            "-D", f"rooms={sizes.rooms}", "-D", "turn=0", "-l", "--log-prefix", str(folder / "log"),
            house.dsn("scheduling_api", database),
        ]  # fmt: skip
        before = house.cpu()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pgbench: {done.stderr[-1500:].replace(house.password('scheduling_api'), '***')}")
        each, seconds = _logged(folder)
        details = latencies(each) | house.spent(before, len(each))
        arrived, broken = found(house, database, sizes.rooms)
        house.drop(database)
        return Turn(len(each) / seconds, sent, arrived, details, broken)

    return side


def _logged(folder: Path) -> tuple[list[float], float]:
    """Latency of each transaction, and seconds from the first begun to the last ended, from pgbench's own logs."""
    each, begun, ended = [], [], []
    for path in folder.glob("log.*"):
        for line in path.read_text().splitlines():
            _, _, took, _, second, micro, *_ = line.split()
            each.append(int(took) / 1e6)
            ended.append(int(second) + int(micro) / 1e6)
            begun.append(ended[-1] - each[-1])
    return each, max(ended) - min(begun)
