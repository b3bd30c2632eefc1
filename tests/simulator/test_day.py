"""A day is planned from its seed alone, and nobody's appointment stands in another's way."""

from collections import Counter
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.day import INFUSION_DAY, Day, plan_day
from simulator.scripts import WAYS, scripts

RUN, OTHER_RUN = UUID(int=1), UUID(int=2)
# Preparation and the recovery after a first session, as the booking policy ships; the sites are open from 7 for 13 hours.
AROUND_MIN = 15 + 120


def test_the_seed_decides_and_the_run_only_names() -> None:
    one, other = plan_day(RUN, 7, 40, 3), plan_day(OTHER_RUN, 7, 40, 3)
    assert one.scripts == other.scripts
    assert [visit.starts_at for visit in one.visits.values()] == [visit.starts_at for visit in other.visits.values()]
    assert {place.site_id for place in one.places}.isdisjoint(place.site_id for place in other.places)
    assert plan_day(RUN, 8, 40, 3).scripts != one.scripts


def test_forty_patients_go_every_way_twice() -> None:
    assert Counter(script.way for script in scripts(3, 40, 3)) == Counter(WAYS * 2)


def test_a_single_patient_is_infused() -> None:
    (script,) = scripts(11, 1, 1)
    assert (script.way, script.infused) == ("plain", True)


def ends_at_min(day: Day, index: int) -> timedelta:
    return timedelta(minutes=day.scripts[index].duration_min + 10 + AROUND_MIN)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), patients=st.integers(1, 120), sites=st.integers(1, 6))
def test_no_two_visits_of_a_chair_overlap_and_turns_follow_the_clock(seed: int, patients: int, sites: int) -> None:
    day = plan_day(RUN, seed, patients, sites)
    assert set(day.visits) == {script.index for script in day.scripts if script.booked}
    for lane in day.lanes:
        of_lane = sorted(
            (visit.starts_at, visit.turn, index) for index, visit in day.visits.items() if visit.lane == lane
        )
        assert [turn for _, turn, _ in of_lane] == list(range(len(of_lane)))
        for (starts_at, _, index), (next_starts_at, _, _) in pairwise(of_lane):
            assert starts_at + ends_at_min(day, index) <= next_starts_at
        last_starts_at, _, last = of_lane[-1]
        closes = (last_starts_at + ends_at_min(day, last)).astimezone(ZoneInfo(lane.place.time_zone))
        assert (closes.date(), closes.hour < 23) == (INFUSION_DAY, True)


def test_window_rock_keeps_its_own_time() -> None:
    day = plan_day(RUN, 1, 40, 3)
    openings = {visit.lane.place.code: visit.starts_at for visit in day.visits.values() if visit.turn == 0}
    assert openings["PHX"] - openings["WRK"] == timedelta(hours=1)
    assert openings["PHX"].isoformat() == "2026-07-14T14:00:00+00:00"


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_every_script_keeps_the_limits_of_the_default_library(seed: int) -> None:
    for script in scripts(seed, 20, 3):
        mg_per_kg = Decimal(script.dose_mg_per_kg or ("1.4" if script.way == "pain" else "0.5"))
        dose_mg = mg_per_kg * script.weight_kg
        assert 35 <= script.weight_kg <= 200
        assert dose_mg <= (200 if script.way == "pain" else 120)
        assert abs(script.arrival_weight_kg - script.weight_kg) <= script.weight_kg / 10
        assert (script.way == "soft_limit") == (script.way != "pain" and mg_per_kg > Decimal("0.75"))
        if script.way not in ("soft_limit", "pain"):
            assert dose_mg <= 60
        assert len(script.phq9) == 9
        assert (script.treated_at != script.home) == (script.way == "linked")


@pytest.mark.parametrize(("patients", "sites", "rule"), [(0, 1, "patients"), (1, 0, "sites"), (1, 7, "sites")])
def test_a_day_that_cannot_be_is_refused(patients: int, sites: int, rule: str) -> None:
    with pytest.raises(ValueError, match=rule):
        plan_day(RUN, 1, patients, sites)
