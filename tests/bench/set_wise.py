"""Effects of a whole batch in one statement, over five consumers."""

from collections.abc import Callable

from tests.bench.effects import bare_side, chassis_side, prepare
from tests.bench.fair import Row, Target, alternate
from tests.bench.house import House
from tests.bench.sizes import Sizes

TARGETS = (Target("value", 5_000, "effects/s", at_least=True),)


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    prepare(house)
    ours = chassis_side(house, sizes.set_wise, set_wise=True)
    bare = bare_side(house, sizes.set_wise, set_wise=True)
    found = alternate(ours, bare, sizes.turns, say)
    return Row(
        "effects, set-wise, five consumers", "effects/s", found[0], found[1],
        "five bare kafka-python and psycopg loops, one unnest a poll", TARGETS, found[2],
        notes="a stream handler of the chassis: the next offset in the same transaction, no inbox row",
    )  # fmt: skip
