"""Effects through ordinary handlers, one reaction an event, over five consumers."""

from collections.abc import Callable

from tests.bench.effects import bare_side, chassis_side, prepare
from tests.bench.fair import Row, Target, alternate
from tests.bench.house import House
from tests.bench.sizes import Sizes

TARGETS = (Target("value", 1_200, "effects/s", at_least=True),)


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    prepare(house)
    ours = chassis_side(house, sizes.ordinary, set_wise=False)
    bare = bare_side(house, sizes.ordinary, set_wise=False)
    found = alternate(ours, bare, sizes.turns, say)
    return Row(
        "effects, ordinary handlers, five consumers", "effects/s", found[0], found[1],
        "five bare kafka-python and psycopg loops, one INSERT an event, one transaction a poll", TARGETS, found[2],
        notes="ours has inbox, positions, parked keys, context, a span an event; the yardstick has the offset alone",
    )  # fmt: skip
