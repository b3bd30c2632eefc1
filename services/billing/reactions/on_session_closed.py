"""An infusion ended and its numbers agreed with the pump: one charge set, and only one."""

from uuid import UUID

from billing.accounts import await_account, await_zone
from billing.charges import keep_outcome, keep_source
from billing.domain import words
from billing.domain.charging import decimal_or_none
from billing.pricing import outcome_of
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, site_date
from saguaro.treatment_plan.v1 import events_pb2 as plan_events


def react(uow: UnitOfWork, event: plan_events.SessionClosed) -> None:
    """Charges the session, or holds it with a reason. Early while the site's zone or the person's account is not there.

    The date of service and of the price is that of the start on the site's wall.
    """
    whose = {"person_id": UUID(event.person_id), "site_id": UUID(event.site_id)}
    time_zone = await_zone(uow, whose["site_id"])
    await_account(uow, whose["person_id"])
    started_at = from_timestamp(event.started_at) if event.HasField("started_at") else None
    kept = keep_source(
        uow,
        words.SESSION,
        UUID(event.session_id),
        whose,
        (started_at, None if started_at is None else site_date(started_at, time_zone)),
        stopped=event.HasField("stopped_at"),
        delivering_seconds=event.delivering_seconds,
        paused_seconds=event.paused_seconds,
        delivered_mg=decimal_or_none(event.delivered_mg),
        wasted_mg=decimal_or_none(event.wasted_mg),
        vial_mg_per_ml=decimal_or_none(event.vial_concentration_mg_per_ml),
        discrepancy=event.discrepancy,
        ndc=event.ndc,
    )
    if kept is not None:
        keep_outcome(uow, kept, outcome_of(uow, kept))
