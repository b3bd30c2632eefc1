"""What arrives from scheduling and treatment plan."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import FailedPrecondition
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

from .conftest import NOW, PHOENIX, Desk, opened

STOPPED = datetime(2026, 7, 15, 17, 40, tzinfo=UTC)


def closed(session_id: str, **other: object) -> plan_events.SessionClosed:
    values = {"stopped_at": to_timestamp(STOPPED), "closed_at": to_timestamp(STOPPED + timedelta(hours=1)), **other}
    return plan_events.SessionClosed(session_id=session_id, person_id=str(uuid4()), site_id=PHOENIX, **values)


def follow_ups(desk: Desk) -> list[tuple[str, datetime]]:
    with desk.harness.database.engine.connect() as connection:
        found = connection.execute(text("SELECT session_id, due_at FROM follow_up ORDER BY due_at"))
        return [(str(row.session_id), row.due_at) for row in found]


def test_a_closed_session_is_followed_up_a_day_after_the_pump_stopped(desk: Desk) -> None:
    session_id = str(uuid4())
    assert desk.harness.deliver(closed(session_id)) == "applied"
    assert follow_ups(desk) == [(session_id, STOPPED + timedelta(hours=24))]


def test_without_a_stop_the_closing_counts(desk: Desk) -> None:
    session_id = str(uuid4())
    desk.harness.deliver(closed(session_id, stopped_at=None))
    assert follow_ups(desk) == [(session_id, STOPPED + timedelta(hours=25))]


def test_one_follow_up_however_often_it_is_said(desk: Desk) -> None:
    session_id, event_id = str(uuid4()), uuid4()
    event = closed(session_id)
    assert desk.harness.deliver(event, event_id=event_id, sequence=1) == "applied"
    assert desk.harness.deliver(event, event_id=event_id, sequence=1) == "duplicate"
    # The same fact under another event id.
    assert desk.harness.deliver(event, sequence=2) == "applied"
    assert len(follow_ups(desk)) == 1


def test_a_site_is_known_once_it_was_opened(desk: Desk) -> None:
    site_id = str(uuid4())
    with pytest.raises(FailedPrecondition, match="SITE_UNKNOWN"):
        desk.register(site_id=site_id)
    assert desk.harness.deliver(opened(site_id, "TUS", "America/Phoenix"), at=NOW) == "applied"
    assert desk.register(site_id=site_id).person_id
