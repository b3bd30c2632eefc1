"""One client's command, one after another, through the real api; beside a bare gRPC echo that commits one INSERT."""

from collections.abc import Callable

from tests.bench.booking import found, prepare
from tests.bench.clinic import CHAIR, UUID, Wish
from tests.bench.fair import Arrived, Row, Side, Target, Turn, alternate, latencies
from tests.bench.house import House
from tests.bench.sizes import Sizes

TARGETS = (Target("value", 3, "ms", at_least=False),)


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    template = prepare(house, sizes.rooms, sizes.commands)
    ours, bare, load = alternate(_api(house, sizes, template), _echo(house, sizes, template), sizes.turns, say)
    return Row(
        "one client's command (BookSession), p50", "ms", ours, bare, "a bare gRPC echo with one INSERT committed", TARGETS, load,
        notes="a booking with every check, idempotency, outbox and spans; the client's own work is in the figure on both sides",
    )  # fmt: skip


def _api(house: House, sizes: Sizes, template: str) -> Side:
    wishes = [Wish(number, number) for number in range(sizes.commands)]
    sent = Arrived.of(
        f"{UUID(int=CHAIR + wish.room(sizes.rooms))}@{int(wish.starts_at(sizes.rooms).timestamp())}" for wish in wishes
    )

    def side() -> Turn:
        database = house.fresh("scheduling", template)
        addresses = house.start("scheduling", "api", database)
        child = house.bare(
            "tests.bench.booking_load", addresses["grpc"], "one", str(sizes.commands), str(sizes.rooms), "0"
        )
        try:
            child.hear()
            before = house.cpu()
            child.tell()
            each = child.hear()["each"]
            details = latencies(each) | house.spent(before, len(each))
        finally:
            child.end()
            house.stop_children()
        arrived, broken = found(house, database, sizes.rooms)
        house.drop(database)
        return Turn(float(details["p50_ms"]), sent, arrived, details, broken)

    return side


def _echo(house: House, sizes: Sizes, template: str) -> Side:
    sent = Arrived.of(str(number) for number in range(sizes.commands))

    def side() -> Turn:
        database = house.fresh("scheduling", template)
        with house.connect(database) as connection:
            connection.execute("CREATE TABLE echo (number bigint PRIMARY KEY, body bytea NOT NULL)")
            connection.execute("GRANT INSERT ON echo TO scheduling_api")
        server = house.bare("tests.bench.echo_server", dsn=house.dsn("scheduling_api", database))
        client = house.bare("tests.bench.echo_load", str(server.hear()["port"]), str(sizes.commands))
        try:
            client.hear()
            before = house.cpu()
            client.tell()
            each = client.hear()["each"]
            details = latencies(each) | house.spent(before, len(each))
        finally:
            client.end()
            server.end()
        with house.connect(database) as connection:
            arrived = Arrived.of(str(row[0]) for row in connection.execute("SELECT number FROM echo").fetchall())
        house.drop(database)
        return Turn(float(details["p50_ms"]), sent, arrived, details)

    return side
