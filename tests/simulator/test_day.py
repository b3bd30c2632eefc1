"""A day is planned from its seed alone, and nobody's appointment stands in another's way."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.day import Day, plan_day
from simulator.scripts import WAYS, scripts
from simulator.series import SERIES, phq9_answers

RUN, OTHER_RUN = UUID(int=1), UUID(int=2)
# Preparation and the recovery after a first session, as the booking policy ships; the sites are open from 7 for 13 hours.
AROUND_MIN = 15 + 120


def starts(day: Day) -> list[datetime]:
    return [visit.starts_at for visits in day.visits.values() for visit in visits]


def test_the_seed_decides_and_the_run_only_names() -> None:
    one, other = plan_day(RUN, 7, 40, 3), plan_day(OTHER_RUN, 7, 40, 3)
    assert one.scripts == other.scripts
    assert starts(one) == starts(other)
    assert {place.site_id for place in one.places}.isdisjoint(place.site_id for place in other.places)
    assert plan_day(RUN, 8, 40, 3).scripts != one.scripts


def test_twice_as_many_patients_as_ways_go_every_way_twice() -> None:
    assert Counter(script.way for script in scripts(3, 2 * len(WAYS), 3)) == Counter(WAYS * 2)
    assert set(SERIES) <= set(WAYS)


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
            (visit.starts_at, visit.turn, index)
            for index, visits in day.visits.items()
            for visit in visits
            if visit.lane == lane
        )
        assert [turn for _, turn, _ in of_lane] == list(range(len(of_lane)))
        for (starts_at, _, index), (next_starts_at, _, _) in pairwise(of_lane):
            assert starts_at + ends_at_min(day, index) <= next_starts_at
        zone = ZoneInfo(lane.place.time_zone)
        assert set(day.days_of(lane)) == {starts_at.astimezone(zone).date() for starts_at, _, _ in of_lane}
        for starts_at, _, index in of_lane:
            closes = (starts_at + ends_at_min(day, index)).astimezone(zone)
            assert (closes.date(), closes.hour < 23) == (starts_at.astimezone(zone).date(), True)


@pytest.mark.parametrize("way", SERIES)
def test_a_series_keeps_its_intervals_and_visits_more_than_one_site(way: str) -> None:
    day = plan_day(RUN, 5, len(WAYS), 3)
    [script] = [script for script in day.scripts if script.way == way]
    assert script.series is not None
    visits = day.visits[script.index]
    assert len(visits) == len(script.series.days) + (script.series.maintenance_day is not None)
    assert all(later.starts_at - sooner.starts_at >= timedelta(hours=47) for sooner, later in pairwise(visits))
    assert len({visit.lane.place.code for visit in visits}) == 2
    assert len(script.series.phq9_totals) == len(script.series.days) + 1
    assert [sum(phq9_answers(total)) for total in script.series.phq9_totals] == list(script.series.phq9_totals)


def test_answers_of_a_total_leave_the_ninth_item_alone() -> None:
    assert phq9_answers(20) == (3, 3, 3, 3, 3, 3, 2, 0, 0)
    with pytest.raises(ValueError, match="total"):
        phq9_answers(25)


def test_window_rock_keeps_its_own_time() -> None:
    day = plan_day(RUN, 1, 40, 3)
    openings = {
        visits[0].lane.place.code: visits[0].starts_at
        for index, visits in day.visits.items()
        if visits[0].turn == 0 and day.scripts[index].series is None and day.scripts[index].way != "moved"
    }
    assert openings["PHX"] - openings["WRK"] == timedelta(hours=1)
    assert openings["PHX"].isoformat() == "2026-07-14T14:00:00+00:00"


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_every_script_keeps_the_limits_of_the_default_library(seed: int) -> None:
    for script in scripts(seed, len(WAYS), 3):
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
