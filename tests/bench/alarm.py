"""Sample to committed alarm at 200,000 samples a second, one broker; beside sample to stored frame without rules at the same rate."""

from collections.abc import Callable

from tests.bench import pipeline
from tests.bench.fair import Row, Target, alternate
from tests.bench.house import House
from tests.bench.sizes import Sizes
from tests.bench.wards import SAMPLES

TARGETS = (Target("p99_ms", 50, "ms", at_least=False),)
_DIP_EVERY = 40
_SAMPLES_PER_S = 200_000


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    rate = _SAMPLES_PER_S / SAMPLES
    template, sent = pipeline.prepare(house), pipeline.frames(int(rate * sizes.alarm_s), _DIP_EVERY)
    common = (house, template, sent, _DIP_EVERY, rate, pipeline.alarm_delay)
    ours, bare, load = alternate(pipeline.chassis_side(*common), pipeline.bare_side(*common), sizes.turns, say)
    return Row(
        "sample to committed alarm at 200k samples/s, p50", "ms", ours, bare,
        "sample to stored frame in a throw-away pipeline without rules", TARGETS, load,
        notes="from the sending of the frame whose last sample breaches a limit to the commit of its alarms",
    )  # fmt: skip
