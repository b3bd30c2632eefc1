"""A consultation is cancelled, or took place."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, update

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from saguaro.scheduling.v1 import service_pb2 as pb
from scheduling.commands.book_consultation import ROLES
from scheduling.commands.change_booking import free_claims
from scheduling.domain import words
from scheduling.tables import consultation


def _locked(uow: UnitOfWork, consultation_id: str) -> Row[Any]:
    row = uow.execute(
        select(consultation, func.lower(consultation.c.during).label("starts_at"))
        .where(consultation.c.consultation_id == UUID(consultation_id))
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound("consultation_id", "must be a booked consultation", consultation_id=consultation_id)
    if row.state != words.BOOKED:
        raise FailedPrecondition(
            "CONSULTATION_STATE",
            field="consultation_id",
            rule="must be booked, neither cancelled nor completed",
            consultation_id=consultation_id,
        )
    return row


def _set(uow: UnitOfWork, row: Row[Any], **values: str) -> None:
    uow.execute(
        update(consultation)
        .where(consultation.c.consultation_id == row.consultation_id)
        .values(changed_at=uow.clinic_time, **values)
    )


def cancel(uow: UnitOfWork, request: pb.CancelConsultationRequest) -> Ids:
    """Frees practitioner and room at once: no other service has to agree. CONSULTATION_STATE when it is not booked."""
    row = _locked(uow, request.consultation_id)
    _set(uow, row, state=words.CANCELLED, cancel_reason_code=request.reason_code)
    free_claims(uow, row.consultation_id)
    uow.emit(
        events.ConsultationCancelled(
            consultation_id=request.consultation_id,
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            reason_code=request.reason_code,
            cancelled_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"consultation_id": request.consultation_id}


def complete(uow: UnitOfWork, request: pb.CompleteConsultationRequest) -> Ids:
    """It took place. CONSULTATION_NOT_DUE before its start; what it held stays held, as it happened."""
    row = _locked(uow, request.consultation_id)
    if uow.clinic_time < row.starts_at:
        raise FailedPrecondition(
            "CONSULTATION_NOT_DUE",
            field="consultation_id",
            rule="can be completed only once its time has come",
            consultation_id=request.consultation_id,
        )
    _set(uow, row, state=words.COMPLETED)
    uow.emit(
        events.ConsultationCompleted(
            consultation_id=request.consultation_id,
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            practitioner_id=str(row.practitioner_id),
            completed_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"consultation_id": request.consultation_id}


def cancelled(uow: UnitOfWork, ids: Ids) -> pb.CancelConsultationResponse:
    """The cancelled consultation."""
    return pb.CancelConsultationResponse(consultation_id=ids["consultation_id"])


def completed(uow: UnitOfWork, ids: Ids) -> pb.CompleteConsultationResponse:
    """The completed consultation."""
    return pb.CompleteConsultationResponse(consultation_id=ids["consultation_id"])


CANCEL = Command("CancelConsultation", pb.CancelConsultationRequest, cancel, cancelled, roles=ROLES)
COMPLETE = Command("CompleteConsultation", pb.CompleteConsultationRequest, complete, completed, roles=ROLES)
