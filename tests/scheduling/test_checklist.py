"""The day before: what was not confirmed keeps somebody out, by name, and a nurse lets them in with a reason."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, Clinic, setting_aside

ITEMS = ["driver", "fasting", "medicines_held"]


def _arrive(clinic: Clinic, session: str, role: str = "nurse", override: types.Override | None = None) -> None:
    clinic.call("RecordArrival", pb.RecordArrivalRequest(session_id=session, override=override), role, NINE)


@pytest.mark.parametrize("missing", ITEMS)
def test_each_item_alone_blocks_the_check_in(clinic: Clinic, missing: str) -> None:
    """'pre-visit checklist (fasting, driver, meds held) confirmed the day before; blocks check-in'."""
    session = clinic.booked(clinic.open()).session_id
    assert clinic.checked(session, *(one for one in ITEMS if one != missing)) == [missing]
    with pytest.raises(FailedPrecondition) as refused:
        _arrive(clinic, session)
    assert (refused.value.reason, refused.value.field) == ("CHECKLIST_INCOMPLETE", "session_id")
    assert [one.field for one in refused.value.findings] == [f"checklist.{missing}"]
    assert clinic.get(session).state == types.BOOKING_STATE_BOOKED
    assert clinic.checked(session, missing) == []
    _arrive(clinic, session)
    assert len(clinic.harness.events(events.PatientArrived)) == 1


def test_every_missing_item_is_named(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    assert list(clinic.get(session).checklist_missing) == ITEMS
    with pytest.raises(FailedPrecondition) as refused:
        _arrive(clinic, session)
    assert [one.field for one in refused.value.findings] == [f"checklist.{one}" for one in ITEMS]


def test_a_nurse_lets_somebody_in_with_a_reason_that_is_kept(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    clinic.checked(session, "fasting", "driver")
    with pytest.raises(PermissionDenied) as role:
        _arrive(clinic, session, "scheduler", override=setting_aside("checklist.incomplete"))
    assert role.value.reason == "OVERRIDE_ROLE"
    with pytest.raises(FailedPrecondition):
        _arrive(clinic, session, "charge_nurse", override=setting_aside("interval.soft"))
    _arrive(clinic, session, "nurse", override=setting_aside("checklist.incomplete"))
    booking = clinic.get(session)
    assert booking.state == types.BOOKING_STATE_ARRIVED
    assert [(one.rule, one.role) for one in booking.overrides] == [("checklist.incomplete", "nurse")]


def test_what_was_confirmed_is_kept_with_whom_by_whom_and_when(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    clinic.checked(session, "fasting")
    later = NOW + timedelta(minutes=5)
    request = pb.ConfirmChecklistRequest(session_id=session, items=["driver", "fasting"], confirmed_with="driver")
    clinic.call("ConfirmChecklist", request, "scheduler", later)
    with clinic.harness.database.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT item_code, confirmed_with, confirmed_by, confirmed_at FROM visit_check ORDER BY 1")
        ).all()
    assert [tuple(row) for row in rows] == [
        ("driver", "driver", clinic.harness.actor_id, later),
        ("fasting", "driver", clinic.harness.actor_id, later),
    ]


def test_a_moved_session_is_to_be_confirmed_anew(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    clinic.checked(session)
    clinic.agree(clinic.move(session, NINE + timedelta(days=1)))
    assert list(clinic.get(session).checklist_missing) == ITEMS


def test_tomorrow_is_a_day_of_the_site(clinic: Clinic) -> None:
    """At 23:30 in Phoenix it is 00:30 of the next day at Window Rock: each site has its own tomorrow."""
    now = datetime(2026, 7, 16, 6, 30, tzinfo=UTC)
    due: dict[str, list[str]] = {}
    for zone in ("America/Phoenix", "America/Denver"):
        place = clinic.open(zone)
        sessions = [clinic.booked(place, starts_at=NINE + timedelta(days=day)).session_id for day in (0, 1, 2)]
        clinic.checked(sessions[1], "fasting")
        request = pb.ListChecklistsDueRequest(site_id=place.site_id)
        found = clinic.call("ListChecklistsDue", request, at=now).due
        due[zone] = [str(sessions.index(one.session_id)) for one in found]
        for one in found:
            wanted = ["driver", "medicines_held"] if sessions.index(one.session_id) == 1 else ITEMS
            assert list(one.missing) == wanted
    assert due == {"America/Phoenix": ["1"], "America/Denver": ["2"]}


def test_what_is_confirmed_is_not_due_and_pages_are_the_whole(clinic: Clinic) -> None:
    place = clinic.open(sets=4)
    tomorrow = NINE + timedelta(days=1)
    sessions = [clinic.booked(place, starts_at=tomorrow, **place.set_of(n)).session_id for n in range(4)]
    clinic.checked(sessions[0])
    clinic.cancelled(sessions[1])
    found, token = [], ""
    while True:
        request = pb.ListChecklistsDueRequest(site_id=place.site_id, page_size=1, page_token=token)
        answer = clinic.call("ListChecklistsDue", request)
        found += [one.session_id for one in answer.due]
        token = answer.next_page_token
        if not token:
            break
    assert sorted(found) == sorted(sessions[2:])


def test_only_what_policy_asks_for_is_confirmed_and_only_before_the_arrival(clinic: Clinic) -> None:
    session = clinic.booked(clinic.open()).session_id
    with pytest.raises(InvalidArgument) as unknown:
        clinic.checked(session, "parking")
    assert unknown.value.field == "items"
    clinic.checked(session)
    _arrive(clinic, session)
    with pytest.raises(FailedPrecondition) as late:
        clinic.checked(session)
    assert late.value.reason == "BOOKING_STATE"
    request = pb.ConfirmChecklistRequest(session_id=str(uuid4()), items=["driver"], confirmed_with="neighbour")
    with pytest.raises(InvalidArgument):
        clinic.call("ConfirmChecklist", request, "nurse")
