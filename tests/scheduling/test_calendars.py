"""Calendars, read back by somebody else: dateutil reads the zones, a few lines of our own the entries."""

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from dateutil.tz import tzical  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.errors import InvalidArgument, NotFound
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.calendar_text import Appointment, calendar_text
from scheduling.domain.visit import Span
from tests.scheduling.clinic import NINE, NOW, Clinic

PHOENIX, WINDOW_ROCK, NEW_YORK = "America/Phoenix", "America/Denver", "America/New_York"
_OBSERVANCES = ("BEGIN:DAYLIGHT", "BEGIN:STANDARD")
YEAR = Span(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))


def _lines(text: str) -> list[str]:
    """Unfolded as RFC 5545 section 3.1 says."""
    assert text.endswith("\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    return text.replace("\r\n ", "").split("\r\n")


def _starts(text: str) -> list[datetime]:
    """The starts of the entries in UTC, by the zones as the calendar itself describes them."""
    zones = tzical(StringIO(text.replace("\r\n", "\n")))
    found = []
    inside = False
    for line in _lines(text):
        inside = (inside and line != "END:VEVENT") or line == "BEGIN:VEVENT"
        if inside and line.startswith("DTSTART"):
            name, value = line.split(":", 1)
            if value.endswith("Z"):
                found.append(datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC))
            else:
                local = datetime.strptime(value + "+0000", "%Y%m%dT%H%M%S%z").replace(
                    tzinfo=zones.get(name.split("TZID=", 1)[1])
                )
                found.append(local.astimezone(UTC))
    return found


def _appointment(start: datetime, zone: str) -> Appointment:
    return Appointment(
        str(uuid4()), "Infusion", "PHX", ("PHX-CHAIR-1",), zone, Span(start, start + timedelta(hours=2)), NOW, 0
    )


def _text(starts: list[datetime], zone: str) -> str:
    return calendar_text([_appointment(start, zone) for start in starts], [zone], YEAR)


@pytest.mark.parametrize("day", [date(2026, 3, 8), date(2026, 11, 1)])
@pytest.mark.parametrize("zone", [PHOENIX, WINDOW_ROCK, NEW_YORK])
def test_each_quarter_hour_around_a_change_of_the_clocks_is_read_back(day: date, zone: str) -> None:
    """'Phoenix vs Navajo-site vs out-of-state patient around Mar/Nov'."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    starts = [midnight + timedelta(minutes=15 * quarter) for quarter in range(-16, 112)]
    assert _starts(_text(starts, zone)) == starts


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 365 * 24 * 60 - 1), min_size=1, max_size=5),
    st.sampled_from([PHOENIX, WINDOW_ROCK, NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_every_minute_of_a_year_is_read_back(minutes: list[int], zone: str) -> None:
    starts = [YEAR.start + timedelta(minutes=minute) for minute in minutes]
    assert _starts(_text(starts, zone)) == starts


def test_zones_are_told_by_their_changes_and_phoenix_has_none() -> None:
    denver = _lines(_text([], WINDOW_ROCK))
    found = [denver[place + 1 : place + 5] for place, line in enumerate(denver) if line in _OBSERVANCES]
    onsets = [sorted(line for line in part if not line.startswith("TZNAME")) for part in found]
    # The wall time that ends with the change, as in the examples of RFC 5545 section 3.6.5.
    assert onsets[1:] == [
        ["DTSTART:20260308T020000", "TZOFFSETFROM:-0700", "TZOFFSETTO:-0600"],
        ["DTSTART:20261101T020000", "TZOFFSETFROM:-0600", "TZOFFSETTO:-0700"],
    ]
    phoenix = _lines(_text([], PHOENIX))
    assert phoenix.count("BEGIN:STANDARD") == 1
    assert "BEGIN:DAYLIGHT" not in phoenix


def _export(clinic: Clinic, **whose: str) -> str:
    request = pb.ExportCalendarRequest(
        from_time=to_timestamp(NOW), until_time=to_timestamp(NOW + timedelta(days=200)), **whose
    )
    return str(clinic.call("ExportCalendar", request).calendar)


def test_a_person_treated_at_two_sites_has_one_calendar_with_both_zones(clinic: Clinic) -> None:
    here, there = clinic.open(PHOENIX), clinic.open(WINDOW_ROCK)
    person = str(uuid4())
    plan = clinic.plan(person)
    starts = [NINE, NINE + timedelta(days=4)]
    for ordinal, (place, start) in enumerate(zip((here, there), starts, strict=True), start=1):
        clinic.book(clinic.request(place, person, plan, ordinal=ordinal, starts_at=start))
    clinic.booked(here, starts_at=NINE + timedelta(days=2))
    text = _export(clinic, person_id=person)
    assert _starts(text) == starts
    lines = _lines(text)
    assert "DTSTART;TZID=America/Phoenix:20260715T090000" in lines
    assert "DTSTART;TZID=America/Denver:20260719T100000" in lines
    assert lines.count("BEGIN:VTIMEZONE") == 2
    # An out-of-state reader's own clock.
    assert [one.astimezone(ZoneInfo(NEW_YORK)).hour for one in _starts(text)] == [12, 12]
    # Neither the person nor what else is in the room is told.
    assert person not in text
    assert not any(line.startswith(("DESCRIPTION", "ATTENDEE", "ORGANIZER")) for line in lines)


def test_a_site_has_its_appointments_with_codes_and_no_person(clinic: Clinic) -> None:
    place = clinic.open(WINDOW_ROCK, sets=2)
    first = clinic.booked(place)
    gone = clinic.booked(place, starts_at=NINE + timedelta(days=1))
    moved = clinic.booked(place, starts_at=NINE + timedelta(days=2))
    clinic.cancelled(gone.session_id)
    clinic.agree(clinic.move(moved.session_id, NINE + timedelta(days=3)))
    clinic.booked(clinic.open())
    text = _export(clinic, site_id=place.site_id)
    assert _starts(text) == [NINE, NINE + timedelta(days=3)]
    lines = _lines(text)
    assert f"UID:{first.session_id}@saguaro.health" in lines
    assert [line for line in lines if line.startswith("SEQUENCE")] == ["SEQUENCE:0", "SEQUENCE:1"]
    assert {line for line in lines if line.startswith(("SUMMARY", "CLASS"))} == {"SUMMARY:Infusion", "CLASS:PRIVATE"}
    assert sum(line.startswith("DESCRIPTION:chair-") for line in lines) == 2
    assert clinic.get(first.session_id).person_id not in text


def test_a_site_without_appointments_still_tells_its_zone(clinic: Clinic) -> None:
    text = _export(clinic, site_id=clinic.open(WINDOW_ROCK).site_id)
    assert "TZID:America/Denver" in _lines(text)
    assert _starts(text) == []


def test_bad_questions_are_refused(clinic: Clinic) -> None:
    place = clinic.open()
    for whose in ({}, {"site_id": place.site_id, "person_id": str(uuid4())}):
        with pytest.raises(InvalidArgument) as refused:
            _export(clinic, **whose)
        assert refused.value.field == "site_id"
    with pytest.raises(NotFound):
        _export(clinic, site_id=str(uuid4()))
    with pytest.raises(InvalidArgument) as long:
        clinic.call(
            "ExportCalendar",
            pb.ExportCalendarRequest(
                site_id=place.site_id,
                from_time=to_timestamp(NOW),
                until_time=to_timestamp(NOW + timedelta(days=401)),
            ),
        )
    assert long.value.field == "until_time"
