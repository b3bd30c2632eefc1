"""Everything that is on record about a session, for a console and for an operator."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Table, select

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import types_pb2 as types
from treatment_plan.answers import session_message
from treatment_plan.domain.ready import Missing
from treatment_plan.domain.session_state import BEFORE_READY, RECOVERING
from treatment_plan.session_answers import (
    adverse_event_message,
    arrival_message,
    bag_message,
    follow_up_message,
    infusion_message,
    missing_message,
    observation_message,
    stamp,
    text_of,
)
from treatment_plan.session_facts import arrival_of, bag_row, observations_of, one_row, readiness_of
from treatment_plan.session_gate import Given, standing
from treatment_plan.session_recovery import Leaving, unmet
from treatment_plan.session_tables import (
    abort_reason,
    aftercare,
    follow_up,
    identity_check,
    infusion_progress,
    ready_override,
    session_discharge,
)
from treatment_plan.tables import adverse_event, pump_totals, session_closure, treatment_order


def session_story(uow: UnitOfWork, session: Any) -> types.SessionRecord:
    """The whole record, oldest first within each part."""
    session_id = session.session_id
    order = _order(uow, session_id)
    record = types.SessionRecord(
        session=session_message(
            session,
            "" if order is None else str(order.order_id),
            "" if order is None else str(order.responsible_prescriber_id),
        ),
        identity_checks=[_identity_message(row) for row in _rows(uow, identity_check, session_id, "checked_at")],
        arrival=arrival_message(arrival_of(uow, session_id)),
        observations=[observation_message(row) for row in observations_of(uow, session_id)],
        overrides=[_override_message(row) for row in _rows(uow, ready_override, session_id, "overridden_at")],
        adverse_events=[adverse_event_message(row) for row in _rows(uow, adverse_event, session_id, "occurred_at")],
        missing_items=[missing_message(item) for item in _missing(uow, session, order)],
    )
    prepared = bag_row(uow, session_id)
    if prepared is not None:
        record.bag.CopyFrom(bag_message(prepared))
    _put_start(uow, record, session_id, order)
    _put_end(uow, record, session_id)
    return record


def _put_start(uow: UnitOfWork, record: types.SessionRecord, session_id: UUID, order: Any) -> None:
    """How it was made ready, and the pump's part."""
    ready = None if order is None else readiness_of(uow, order.order_id)
    if ready is not None:
        record.ready_at.CopyFrom(to_timestamp(ready.ready_at))
        record.responsible_prescriber_id = text_of(ready.responsible_prescriber_id)
        record.administering_clinician_id = text_of(ready.administering_clinician_id)
    progress = one_row(uow, infusion_progress, session_id)
    if progress is not None:
        totals, reason = one_row(uow, pump_totals, session_id), one_row(uow, abort_reason, session_id)
        told = "" if totals is None else totals.reason_code or ""
        record.infusion.CopyFrom(
            infusion_message(progress, totals, told or ("" if reason is None else reason.reason_code))
        )


def _put_end(uow: UnitOfWork, record: types.SessionRecord, session_id: UUID) -> None:
    """Aftercare, discharge, the check of the next day, the account of the drug."""
    instructions = _rows(uow, aftercare, session_id, "recorded_at")
    if instructions:
        record.aftercare.CopyFrom(_aftercare_message(instructions[-1]))
    check = one_row(uow, follow_up, session_id)
    if check is not None:
        record.follow_up.CopyFrom(follow_up_message(check))
    gone = one_row(uow, session_discharge, session_id)
    if gone is not None:
        record.discharged_at.CopyFrom(to_timestamp(gone.discharged_at))
        record.discharged_by = str(gone.discharged_by)
    closure = one_row(uow, session_closure, session_id)
    if closure is not None:
        record.reconciled_at.CopyFrom(to_timestamp(closure.closed_at))


def _missing(uow: UnitOfWork, session: Any, order: Any) -> Sequence[Missing]:
    """What the next gate misses now. Who is named at the gate, and who fetches the person, is said at the gate itself."""
    if session.state in BEFORE_READY:
        return standing(uow, session, order, Given()).missing
    if session.state == RECOVERING:
        return unmet(uow, session, Leaving())
    return []


def _order(uow: UnitOfWork, session_id: UUID) -> Any:
    live = select(treatment_order).where(
        treatment_order.c.session_id == session_id, treatment_order.c.revoked_at.is_(None)
    )
    return uow.execute(live).one_or_none()


def _rows(uow: UnitOfWork, table: Table, session_id: UUID, by: str) -> Sequence[Any]:
    key = next(iter(table.primary_key.columns))
    return uow.execute(select(table).where(table.c.session_id == session_id).order_by(table.c[by], key)).all()


def _identity_message(row: Any) -> types.IdentityCheck:
    return types.IdentityCheck(
        identifier_kinds=row.identifier_kinds, checked_by=str(row.checked_by), checked_at=to_timestamp(row.checked_at)
    )


def _override_message(row: Any) -> types.ReadyOverride:
    return types.ReadyOverride(
        item_code=row.item_code,
        reason_code=row.reason_code,
        overridden_by=str(row.overridden_by),
        overridden_at=to_timestamp(row.overridden_at),
    )


def _aftercare_message(row: Any) -> types.Aftercare:
    return types.Aftercare(
        status_code=row.status_code,
        instruction_codes=row.instruction_codes,
        recorded_by=str(row.recorded_by),
        recorded_at=stamp(row.recorded_at),
    )
