"""A booking is moved or cancelled as a saga: this service answers, holds still, and settles."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Treatment, Ward

LATER = NOW + timedelta(hours=30)


def proposed(treatment: Treatment, kind: str = "move") -> Any:
    """What scheduling proposes."""
    return scheduling_events.SessionChangeProposed(
        change_id=str(uuid4()),
        session_id=treatment.session_id,
        person_id=treatment.plan.person_id,
        site_id=SITE,
        kind=kind,
        reason_code="person.asked",
        starts_at=to_timestamp(LATER),
        ends_at=to_timestamp(LATER + timedelta(hours=2)),
        proposed_at=to_timestamp(NOW),
    )


def answered(ward: Ward, change: Any) -> events.SessionChangeAnswered:
    """The one answer to a change."""
    (found,) = [
        item for item in ward.harness.events(events.SessionChangeAnswered) if item.change_id == change.change_id
    ]
    told: events.SessionChangeAnswered = found
    return told


def of_change(change: Any, **more: Any) -> dict[str, Any]:
    """The ids that every word about a change carries."""
    ids = {name: getattr(change, name) for name in ("change_id", "session_id", "person_id", "site_id")}
    return ids | more


def test_a_move_is_agreed_to_and_nothing_is_ordered_or_started_until_it_is_decided(ward: Ward) -> None:
    ready = ward.ordered().make_ready()
    change = proposed(ready)
    assert ward.harness.deliver(change) == "applied"
    assert (answered(ward, change).accepted, answered(ward, change).reason_code) == (True, "")
    with pytest.raises(FailedPrecondition) as start:
        ready.authorise()
    with pytest.raises(FailedPrecondition) as order_refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=ready.session_id))
    assert (start.value.reason, order_refused.value.reason) == ("CHANGE_PENDING", "CHANGE_PENDING")
    moved = scheduling_events.SessionMoved(
        **of_change(change, starts_at=to_timestamp(LATER), moved_at=to_timestamp(NOW))
    )
    assert ward.harness.deliver(moved) == "applied"
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert (revoked.order_id, revoked.reason_code) == (ready.order.order_id, "session.moved")
    order = ward.call("IssueOrder", pb.IssueOrderRequest(session_id=ready.session_id))
    assert order.expires_at == to_timestamp(LATER + timedelta(hours=24))


def test_a_change_after_the_start_was_authorised_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    change = proposed(treatment, "cancel")
    assert ward.harness.deliver(change) == "applied"
    assert (answered(ward, change).accepted, answered(ward, change).reason_code) == (False, "infusion.started")
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_AUTHORISED


def test_a_refused_change_lets_the_session_go_on_as_it_was(ward: Ward) -> None:
    ready = ward.ordered().make_ready()
    change = proposed(ready)
    ward.harness.deliver(change)
    refused = scheduling_events.SessionChangeRefused(
        **of_change(change, reason_code="no.answer", refused_at=to_timestamp(NOW))
    )
    assert ward.harness.deliver(refused) == "applied"
    assert ready.authorise().authorisation_id


def test_a_cancellation_settles_the_change_and_revokes_the_order(ward: Ward) -> None:
    treatment = ward.ordered()
    change = proposed(treatment, "cancel")
    ward.harness.deliver(change)
    ids = of_change(change, cancelled_at=to_timestamp(NOW), reason_code="person.asked")
    ids.pop("change_id")
    assert ward.harness.deliver(scheduling_events.SessionCancelled(**ids)) == "applied"
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_CANCELLED
    (revoked,) = ward.harness.events(events.OrderRevoked)
    assert revoked.reason_code == "session.cancelled"
    with pytest.raises(FailedPrecondition) as refused:
        ward.call("IssueOrder", pb.IssueOrderRequest(session_id=treatment.session_id))
    assert refused.value.reason == "ORDER_REFUSED"


def test_a_proposal_that_comes_twice_is_answered_once(ward: Ward) -> None:
    change = proposed(ward.ordered())
    assert ward.harness.deliver(change) == "applied"
    assert ward.harness.deliver(change) == "applied"
    assert answered(ward, change).accepted


def test_a_session_that_is_not_known_never_started_here(ward: Ward) -> None:
    treatment = ward.ordered()
    change = proposed(treatment)
    change.session_id = str(uuid4())
    assert ward.harness.deliver(change) == "applied"
    assert answered(ward, change).accepted
