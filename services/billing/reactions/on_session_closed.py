"""An infusion ended and its numbers agreed with the pump: one charge set, and only one."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from billing.charges import keep_outcome, outcome_of
from billing.domain import words
from billing.domain.charging import SessionFacts
from billing.tables import account, charge_set, site
from chassis.errors import Early
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, site_date
from saguaro.treatment_plan.v1 import events_pb2 as plan_events


def react(uow: UnitOfWork, event: plan_events.SessionClosed) -> None:
    """Charges the session, or holds it with a reason. Early while the site's zone or the person's account is not there."""
    facts = _facts(event, _zone_of(uow, event.site_id))
    _require_account(uow, event.person_id)
    # Kept empty first, then as what it comes to: the insert alone decides which of two deliveries was first.
    kept = uow.execute(
        insert(charge_set)
        .values(
            charge_set_id=uow.new_id(),
            session_id=UUID(event.session_id),
            person_id=UUID(event.person_id),
            site_id=UUID(event.site_id),
            service_date=facts.service_date,
            stopped=facts.stopped,
            delivering_seconds=facts.delivering_seconds,
            delivered_mg=_number(facts.delivered_mg),
            vial_mg_per_ml=_number(facts.vial_mg_per_ml),
            ndc=facts.ndc,
            state=words.NOTHING,
            hold_reason_code="",
            total_usd=Decimal("0.00"),
            captured_at=uow.clinic_time,
        )
        .on_conflict_do_nothing(constraint="charge_set_one_a_session")
        .returning(charge_set)
    ).one_or_none()
    if kept is not None:
        keep_outcome(uow, kept, outcome_of(uow, kept.site_id, facts))


def _zone_of(uow: UnitOfWork, site_id: str) -> str:
    """The site's zone. Its row is locked against a new price list, so that none comes between price and charge."""
    zone = uow.execute(
        select(site.c.time_zone).where(site.c.site_id == UUID(site_id)).with_for_update(read=True)
    ).scalar_one_or_none()
    if zone is None:
        raise Early(f"site:{site_id}")
    return str(zone)


def _require_account(uow: UnitOfWork, person_id: str) -> None:
    found = uow.execute(select(account.c.person_id).where(account.c.person_id == UUID(person_id))).one_or_none()
    if found is None:
        raise Early(f"person:{person_id}")


def _facts(event: plan_events.SessionClosed, time_zone: str) -> SessionFacts:
    """The date of service and of the price is that of the start on the site's wall."""
    started = event.HasField("started_at")
    return SessionFacts(
        service_date=site_date(from_timestamp(event.started_at), time_zone) if started else None,
        stopped=event.HasField("stopped_at"),
        delivering_seconds=event.delivering_seconds,
        delivered_mg=event.delivered_mg,
        vial_mg_per_ml=event.vial_concentration_mg_per_ml,
        ndc=event.ndc,
    )


def _number(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() else None
