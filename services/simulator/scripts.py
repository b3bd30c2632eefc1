"""What happens to each patient of a journey, drawn from the seed before anything is called: no answer and no race changes it."""

from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Final

from simulator.series import SERIES, Series, phq9_answers

# A journey of thirty has each of these once, a shorter one the first of them; `Script.way` is one.
WAYS: Final = (
    "plain",
    "linked",
    "flag_cleared",
    "paused",
    "device_hl7",
    "contraindicated",
    "aborted",
    "keep_vein_open",
    "conflict",
    "no_show",
    "cancelled",
    "soft_limit",
    "occluded",
    "flag_open",
    "pump_changed",
    "pain",
    "adverse_event",
    "moderate",
    "flag_after_booking",
    "withdrawn",
    "series_responder",
    "flag_while_infusing",
    "moved",
    "series_declined",
    "held_first",
    "package",
    "series_raised",
    "series_early_remission",
    "plain",
    "series_relapse",
)
NEVER_BOOKED: Final = frozenset({"contraindicated", "flag_open"})
NEVER_INFUSED: Final = NEVER_BOOKED | {"no_show", "cancelled", "withdrawn"}

# Indication and billable ICD-10-CM leaves for it.
_DIAGNOSES: Final = (
    ("depression", ("F33.2", "F32.2", "F33.1", "F32.1")),
    ("anxiety", ("F41.1", "F41.9")),
    ("ptsd", ("F43.10", "F43.12")),
    ("ocd", ("F42.2", "F42.9")),
)
_PAIN: Final = ("pain", ("G90.511", "M79.7", "G89.4"))
_CONTRAINDICATIONS: Final = (
    "ketamine_hypersensitivity",
    "aneurysm_or_avm",
    "active_psychosis",
    "uncontrolled_hypertension",
)
_CONCENTRATIONS: Final = ("0.5", "1", "2")
# Whose infusion is paused and goes on again: their vital signs have to be inside their limits for that, as those of the published
# recording are for the two hours from its minute 1,166 of 1,936 on.
_RESUMED: Final = frozenset({"paused", "occluded", "pump_changed"})
_QUIET: Final = 1166 / 1936
_NO: Final = {"1": 0, "2": 0, "6.lifetime": 0}


@dataclass(frozen=True)
class Script:
    """One patient's day. `home` and `treated_at` are indexes of places; minutes are of the infusion as planned."""

    index: int
    way: str
    home: int
    treated_at: int
    indication: str
    icd10cm_code: str
    phq9: tuple[int, ...]
    cssrs: tuple[tuple[str, int], ...]
    contraindications: tuple[str, ...]
    weight_kg: Decimal
    arrival_weight_kg: Decimal
    concentration_mg_per_ml: str
    # Empty: what the protocol says.
    dose_mg_per_kg: str
    duration_min: int
    # Where in the recording the monitor begins, 0 to 1.
    window: float

    @property
    def booked(self) -> bool:
        """Whether a session is ever booked."""
        return self.way not in NEVER_BOOKED

    @property
    def series(self) -> Series | None:
        """The course over weeks, for whom there is one."""
        return SERIES.get(self.way)

    @property
    def infused(self) -> bool:
        """Whether an infusion is ever started."""
        return self.way not in NEVER_INFUSED


def scripts(seed: int, patients: int, sites: int) -> tuple[Script, ...]:
    """The scripts of a day, by index. Which patient goes which way is drawn; how many go each way is not."""
    order = list(range(patients))
    Random(f"saguaro ways {seed}/{patients}").shuffle(order)
    return tuple(_script(seed, index, WAYS[place % len(WAYS)], sites) for index, place in enumerate(order))


def _script(seed: int, index: int, way: str, sites: int) -> Script:
    random = Random(f"saguaro script {seed}/{index}/{way}")
    indication, codes = _PAIN if way == "pain" else random.choices(_DIAGNOSES, weights=(6, 2, 2, 1))[0]
    series = SERIES.get(way)
    if series is not None:
        indication, codes = _DIAGNOSES[0]
    # A raised dose must stay below the absolute soft limit as well.
    weight_kg = Decimal(random.randrange(480, 780 if series else 1080)) / 10
    home = index % sites
    elsewhere = way == "linked" and sites > 1
    return Script(
        index=index,
        way=way,
        home=home,
        treated_at=(home + 1 + random.randrange(sites - 1)) % sites if elsewhere else home,
        indication=indication,
        icd10cm_code=random.choice(codes),
        # Item 9 asks about thoughts of death: a yes is a flag of its own, drawn for few.
        phq9=phq9_answers(series.phq9_totals[0]) if series else _phq9(random),
        cssrs=tuple(_cssrs(way).items()),
        contraindications=(random.choice(_CONTRAINDICATIONS),) if way == "contraindicated" else (),
        weight_kg=weight_kg,
        arrival_weight_kg=weight_kg + Decimal(random.randrange(-15, 16)) / 10,
        # A second pump takes over what the first one left: the bag's millilitres have to come out on tenths.
        concentration_mg_per_ml="1" if way == "pump_changed" else random.choice(_CONCENTRATIONS),
        dose_mg_per_kg="0.8" if way == "soft_limit" else "",
        duration_min=240 if way == "pain" else 40,
        window=_QUIET if way in _RESUMED else random.random(),
    )


def _phq9(random: Random) -> tuple[int, ...]:
    return (*(random.choice((1, 2, 2, 3)) for _ in range(8)), random.choices((0, 1), weights=(9, 1))[0])


def _cssrs(way: str) -> dict[str, int]:
    """Answers to the screener: no to everything, moderate, or high."""
    if way == "moderate":
        return {"1": 1, "2": 1, "3": 1, "4": 0, "5": 0, "6.lifetime": 0}
    if way in ("flag_cleared", "flag_open"):
        return {"1": 1, "2": 1, "3": 1, "4": 1, "5": 0, "6.lifetime": 0}
    return dict(_NO)
