"""Wall times of a site: those that do not exist are refused, those that exist twice are asked about."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import from_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain.site_time import at_site, moment_of_wall
from tests.scheduling.clinic import NOW, PRIVILEGED, Clinic, Place, setting_aside

PHOENIX, WINDOW_ROCK = "America/Phoenix", "America/Denver"
FORWARD = datetime(2026, 3, 8, tzinfo=UTC)
BACK = datetime(2026, 11, 1, tzinfo=UTC)


def _moment(wall: str, zone: str, offset: str = "") -> datetime:
    return moment_of_wall(wall, offset, zone, "starts_at_wall")


def test_same_wall_time_at_two_sites() -> None:
    """'same wall time 09:00 on 2026-07-15: Phoenix 16:00Z, Tuba City/Navajo site 15:00Z'."""
    assert _moment("2026-07-15T09:00", PHOENIX) == datetime(2026, 7, 15, 16, tzinfo=UTC)
    assert _moment("2026-07-15T09:00", WINDOW_ROCK) == datetime(2026, 7, 15, 15, tzinfo=UTC)


def test_phoenix_keeps_its_time_and_window_rock_does_not() -> None:
    """'MST all year, UTC-7, `America/Phoenix`; Navajo Nation (Window Rock) observes DST -> `America/Denver`'."""
    for month in (1, 7):
        assert at_site(_moment(f"2026-0{month}-15T09:00", PHOENIX), PHOENIX).endswith("09:00:00-07:00")
    assert at_site(_moment("2026-01-15T09:00", WINDOW_ROCK), WINDOW_ROCK).endswith("-07:00")
    assert at_site(_moment("2026-07-15T09:00", WINDOW_ROCK), WINDOW_ROCK).endswith("-06:00")


def test_a_time_in_the_gap_does_not_exist_at_window_rock_and_does_in_phoenix() -> None:
    with pytest.raises(InvalidArgument) as refused:
        _moment("2026-03-08T02:30", WINDOW_ROCK)
    assert (refused.value.field, refused.value.reason) == ("starts_at_wall", "WALL_TIME_DOES_NOT_EXIST")
    with pytest.raises(InvalidArgument):
        _moment("2026-03-08T02:30", WINDOW_ROCK, "-07:00")
    assert _moment("2026-03-08T02:30", PHOENIX) == datetime(2026, 3, 8, 9, 30, tzinfo=UTC)
    # The ends of the gap exist.
    assert _moment("2026-03-08T03:00", WINDOW_ROCK) == datetime(2026, 3, 8, 9, tzinfo=UTC)
    assert _moment("2026-03-08T01:59:59", WINDOW_ROCK) == datetime(2026, 3, 8, 8, 59, 59, tzinfo=UTC)


def test_a_time_that_exists_twice_is_asked_about_with_both_offsets() -> None:
    with pytest.raises(InvalidArgument) as refused:
        _moment("2026-11-01T01:30", WINDOW_ROCK)
    assert refused.value.reason == "WALL_TIME_TWICE"
    assert refused.value.ids == {"first_offset": "-06:00", "second_offset": "-07:00"}
    assert _moment("2026-11-01T01:30", WINDOW_ROCK, "-06:00") == datetime(2026, 11, 1, 7, 30, tzinfo=UTC)
    assert _moment("2026-11-01T01:30", WINDOW_ROCK, "-07:00") == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert _moment("2026-11-01T01:30", PHOENIX) == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    for wall in ("2026-11-01T02:00", "2026-07-15T09:00"):
        with pytest.raises(InvalidArgument) as wrong:
            _moment(wall, WINDOW_ROCK, "-05:00")
        assert wrong.value.reason == "WALL_TIME_OFFSET"


def test_what_is_no_time_of_the_calendar_is_refused() -> None:
    with pytest.raises(InvalidArgument) as refused:
        _moment("2026-02-30T09:00", PHOENIX)
    assert refused.value.reason == "WALL_TIME_INVALID"


# Six years of seconds.
moments = st.integers(0, 6 * 365 * 86400).map(lambda one: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=one))
zones = st.sampled_from([PHOENIX, WINDOW_ROCK, "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])


@given(moments, zones)
def test_every_moment_has_a_wall_time_that_leads_back_to_it(moment: datetime, zone: str) -> None:
    local = moment.astimezone(ZoneInfo(zone))
    text = at_site(moment, zone)
    wall, offset = text[:19], text[19:]
    assert _moment(wall, zone, offset) == moment
    if local.replace(fold=0).utcoffset() == local.replace(fold=1).utcoffset():
        assert _moment(wall, zone) == moment
    else:
        with pytest.raises(InvalidArgument) as refused:
            _moment(wall, zone)
        assert refused.value.reason == "WALL_TIME_TWICE"


def _request(place: Place, clinic: Clinic, wall: str, offset: str = "") -> pb.BookSessionRequest:
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person))
    request.ClearField("starts_at")
    request.starts_at_wall.CopyFrom(types.WallTime(wall=wall, offset=offset))
    return request


def test_a_session_is_booked_by_the_clock_on_the_wall(clinic: Clinic) -> None:
    place = clinic.open(WINDOW_ROCK, shift=False)
    nurse = place.resources["nurse"][0]
    clinic.shift(nurse, place.site_id, BACK, BACK + timedelta(days=1))
    with pytest.raises(InvalidArgument) as twice:
        clinic.book(_request(place, clinic, "2026-11-01T01:30"))
    assert twice.value.reason == "WALL_TIME_TWICE"
    booked = clinic.book(_request(place, clinic, "2026-11-01T01:30", "-07:00"))
    booking = clinic.get(booked.session_id)
    assert from_timestamp(booking.starts_at) == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert booking.starts_at_site == "2026-11-01T01:30:00-07:00"
    with pytest.raises(InvalidArgument) as gap:
        clinic.book(_request(place, clinic, "2027-03-14T02:30"))
    assert gap.value.reason == "WALL_TIME_DOES_NOT_EXIST"


def test_either_a_moment_or_a_wall_time(clinic: Clinic) -> None:
    place = clinic.open()
    both = _request(place, clinic, "2026-07-15T09:00")
    both.starts_at.FromDatetime(NOW + timedelta(hours=1))
    neither = _request(place, clinic, "2026-07-15T09:00")
    neither.ClearField("starts_at_wall")
    for request, field in ((both, "starts_at_wall"), (neither, "starts_at")):
        with pytest.raises(InvalidArgument) as refused:
            clinic.book(request)
        assert refused.value.field == field


def test_opening_hours_are_wall_time_on_both_sides_of_a_change(clinic: Clinic) -> None:
    """The same hours on the wall: open at 08:00 is 14:00Z in October and 15:00Z in November at Window Rock."""
    place = clinic.open(WINDOW_ROCK, shift=False)
    nurse = place.resources["nurse"][0]
    for day in (datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)):
        clinic.shift(nurse, place.site_id, day, day + timedelta(days=1))
    days = [types.OpeningDay(iso_weekday=day, opens="08:00", closes="17:00") for day in range(1, 6)]
    hours = pb.SetOpeningHoursRequest(site_id=place.site_id, days=days, source="house policy")
    hours.effective_from.FromDatetime(NOW)
    clinic.call("SetOpeningHours", hours, "operator")
    assert len(clinic.call("GetOpeningHours", pb.GetOpeningHoursRequest(site_id=place.site_id)).days) == 5
    for day, first_hour in ((datetime(2026, 10, 30, tzinfo=UTC), 14), (datetime(2026, 11, 2, tzinfo=UTC), 15)):
        person = str(uuid4())
        plan = clinic.plan(person)
        early = day + timedelta(hours=first_hour, minutes=-1)
        with pytest.raises(FailedPrecondition) as refused:
            clinic.book(clinic.request(place, person, plan, starts_at=early))
        assert refused.value.reason == "SITE_CLOSED"
        assert clinic.book(clinic.request(place, person, plan, starts_at=early + timedelta(minutes=1))).session_id


def test_off_hours_by_override_only(clinic: Clinic) -> None:
    """'privileged override with reason + audit, never silent'."""
    place = clinic.open()
    days = [types.OpeningDay(iso_weekday=3, opens="08:00", closes="11:54")]
    hours = pb.SetOpeningHoursRequest(site_id=place.site_id, days=days, source="house policy")
    hours.effective_from.FromDatetime(NOW)
    clinic.call("SetOpeningHours", hours, "operator")
    person = str(uuid4())
    # 09:00 to 11:55 in Phoenix: a minute too long.
    request = clinic.request(place, person, clinic.plan(person))
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(request)
    assert refused.value.reason == "SITE_CLOSED"
    with pytest.raises(PermissionDenied) as role:
        clinic.book(clinic.request(place, person, request.plan_id, override=setting_aside("hours.closed")))
    assert role.value.reason == "OVERRIDE_ROLE"
    request = clinic.request(place, person, request.plan_id, override=setting_aside("hours.closed"))
    session = clinic.book(request, PRIVILEGED).session_id
    (kept,) = clinic.get(session).overrides
    assert (kept.rule, kept.reason_code, kept.role) == ("hours.closed", "clinician.decided", PRIVILEGED)
    assert kept.overridden_by == str(clinic.harness.actor_id)
    assert from_timestamp(kept.overridden_at) == NOW
