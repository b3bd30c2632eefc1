"""Whether a pump gives what its rate says: too fast or too slow for longer than it may be.

House policy after the Open PCA System Requirements (over- and under-infusion: out of tolerance for more than 5 minutes): the volume
that went in is compared with rate times time in each stretch; the counter is coarse, so that a stretch has a smallest length and
a tolerance in mL beside the one in percent.
"""

from dataclasses import dataclass
from decimal import Decimal

from device_telemetry.domain.policy import PumpPolicy

_MS_PER_HOUR = Decimal(3_600_000)
FAST = 1
SLOW = -1


@dataclass
class Flow:
    """The stretch that is being measured, since when stretches were out of tolerance and in which direction; `found` is the alarm."""

    from_ms: int | None = None
    from_ml: Decimal = Decimal(0)
    out_since_ms: int = 0
    direction: int = 0
    found: int = 0


def stand(flow: Flow) -> None:
    """The pump does not deliver: nothing is measured."""
    flow.from_ms, flow.direction, flow.found = None, 0, 0


def run(flow: Flow, at_ms: int, delivered_ml: Decimal, rate_ml_per_h: Decimal, policy: PumpPolicy) -> None:
    """The pump delivers, and has given so much by now."""
    if flow.from_ms is None:
        flow.from_ms, flow.from_ml = at_ms, delivered_ml
        return
    length_ms = at_ms - flow.from_ms
    if length_ms < policy.flow_stretch_ms:
        return
    expected_ml = rate_ml_per_h * length_ms / _MS_PER_HOUR
    too_much_ml = delivered_ml - flow.from_ml - expected_ml
    direction = 0
    if abs(too_much_ml) > max(expected_ml * policy.flow_percent / 100, policy.flow_ml):
        direction = FAST if too_much_ml > 0 else SLOW
    if direction != flow.direction:
        flow.direction, flow.out_since_ms, flow.found = direction, flow.from_ms, 0
    if direction and at_ms - flow.out_since_ms > policy.flow_window_ms:
        flow.found = direction
    flow.from_ms, flow.from_ml = at_ms, delivered_ml


def discrepancy(delivered_ml: Decimal, expected_ml: Decimal, policy: PumpPolicy) -> bool:
    """House policy: counter and rate times time lie further apart than the larger of a share of rate times time and a volume.

    treatment-plan judges the account of the drug in the same way.
    """
    apart = abs(delivered_ml - expected_ml)
    return apart > max(expected_ml * policy.discrepancy_percent / 100, policy.discrepancy_ml)
