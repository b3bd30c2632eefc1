"""Frames of 250 samples at full tilt: gRPC stream, Kafka, rules, COPY; beside a throw-away pipeline without rules."""

from collections.abc import Callable

from tests.bench import pipeline
from tests.bench.fair import Row, Target, alternate
from tests.bench.house import House
from tests.bench.sizes import Sizes

TARGETS = (Target("value", 400_000, "samples/s", at_least=True),)
_DIP_EVERY = 200


def run(house: House, sizes: Sizes, say: Callable[[str], None]) -> Row:
    """The row."""
    template, sent = pipeline.prepare(house), pipeline.frames(sizes.frames, _DIP_EVERY)
    common = (house, template, sent, _DIP_EVERY, 0.0, pipeline.samples_per_second)
    ours, bare, load = alternate(pipeline.chassis_side(*common), pipeline.bare_side(*common), sizes.turns, say)
    return Row(
        "frames of 250 samples, stored with rules applied", "samples/s", ours, bare,
        "a throw-away gRPC, Kafka, COPY pipeline without rules", TARGETS, load,
        notes="ten streams, twenty sessions, one broker; one frame in 200 of a monitor raises two alarms, all of them counted",
    )  # fmt: skip
