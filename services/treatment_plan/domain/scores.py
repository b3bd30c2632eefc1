"""Scores of sedation, dissociation and recovery, by item number; no wording of an item is kept.

CADSS: 23 subjective items of 0 to 4, total 0 to 92 (Bremner 1998). CADSS-6: its items 1, 2, 6, 7, 15 and 22 (Bremner 2024). MOAA/S: 5 to 0,
in two published variants of the levels 1 and 0 (BMC Anesthesiology 2022, 22:252). Modified Aldrete: five items of 0 to 2 (Aldrete 1995).
Bands and thresholds are policy data; what an instrument is made of stands here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from chassis.errors import InvalidArgument
from treatment_plan.domain.numbers import difference, multiply

CADSS = "CADSS"
CADSS_6 = "CADSS-6"
MOAAS = "MOAA/S"
ALDRETE = "ALDRETE"
# Number of items of each form, and the items of the long form that the short one is made of.
CADSS_ITEMS: Mapping[str, int] = {CADSS: 23, CADSS_6: 6}
CADSS_6_OF_CADSS = (1, 2, 6, 7, 15, 22)
CADSS_ITEM_MAX = 4
MOAAS_LEVELS = range(6)
MOAAS_VARIANTS = ("squeeze", "prodding")
ALDRETE_VARIANTS = ("mmhg", "percent")

Variant = Literal["mmhg", "percent"]


@dataclass(frozen=True)
class Band:
    """A band of a scale: from this score on, until the next one begins."""

    scale_code: str
    band_code: str
    lower_score: Decimal


@dataclass(frozen=True)
class Aldrete:
    """The five items, and how circulation was judged."""

    activity: int
    respiration: int
    circulation: int
    consciousness: int
    oxygen_saturation: int
    variant: str

    @property
    def total(self) -> int:
        """0 to 10."""
        return self.activity + self.respiration + self.circulation + self.consciousness + self.oxygen_saturation


@dataclass(frozen=True)
class CirculationRule:
    """How far systolic pressure may be from the baseline for two points and for one: mmHg, or percent of the baseline."""

    near: Decimal
    far: Decimal


@dataclass(frozen=True)
class SaturationRule:
    """SpO2 in percent that must be passed on room air for two points, and on oxygen for one."""

    room_air: Decimal
    on_oxygen: Decimal


def cadss_total(form: str, total: int | None, items: Sequence[int], field: str = "cadss") -> int:
    """The total, from items or as given. InvalidArgument for a wrong number of items, a score out of range, or two that disagree."""
    count = CADSS_ITEMS[form]
    highest = count * CADSS_ITEM_MAX
    if items:
        if len(items) != count or not all(0 <= item <= CADSS_ITEM_MAX for item in items):
            raise InvalidArgument(f"{field}.items", f"{form} has {count} items of 0 to {CADSS_ITEM_MAX}")
        if total is not None and total != sum(items):
            raise InvalidArgument(f"{field}.total", "must be the sum of the items")
        return sum(items)
    if total is None or not 0 <= total <= highest:
        raise InvalidArgument(f"{field}.total", f"{form} has a total of 0 to {highest}")
    return total


def cadss_6_of(items: Sequence[int]) -> int:
    """The short form's total out of the long form's 23 items."""
    cadss_total(CADSS, None, items)
    return sum(items[number - 1] for number in CADSS_6_OF_CADSS)


def band_of(bands: Sequence[Band], scale_code: str, score: int) -> Band | None:
    """The band that a score lies in; None where the policy knows none."""
    reached = [band for band in bands if band.scale_code == scale_code and score >= band.lower_score]
    return max(reached, key=lambda band: band.lower_score, default=None)


def circulation(baseline_mmhg: Decimal, now_mmhg: Decimal, variant: str, rule: CirculationRule) -> int:
    """Aldrete's circulation by systolic pressure: 2 within `near` of the baseline, 1 within `far`, else 0."""
    apart = difference(now_mmhg, baseline_mmhg).copy_abs()
    near, far = rule.near, rule.far
    if variant == "percent":
        # Multiplied across, so that nothing is rounded: apart / baseline <= near / 100.
        apart, near, far = multiply(apart, Decimal(100)), multiply(near, baseline_mmhg), multiply(far, baseline_mmhg)
    if apart <= near:
        return 2
    return 1 if apart <= far else 0


def saturation(spo2_percent: Decimal, rule: SaturationRule, *, on_oxygen: bool) -> int:
    """Aldrete's oxygen saturation: 2 above the bound on room air, 1 above the lower bound (oxygen is needed), else 0."""
    if not on_oxygen and spo2_percent > rule.room_air:
        return 2
    return 1 if spo2_percent > rule.on_oxygen else 0
