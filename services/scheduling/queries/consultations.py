"""Consultations."""

from uuid import UUID

from sqlalchemy import func, select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain import words
from scheduling.domain.site_time import at_site
from scheduling.tables import consultation, site

_STATES = {
    words.BOOKED: types.CONSULTATION_STATE_BOOKED,
    words.COMPLETED: types.CONSULTATION_STATE_COMPLETED,
    words.CANCELLED: types.CONSULTATION_STATE_CANCELLED,
}


def get_consultation(uow: UnitOfWork, request: pb.GetConsultationRequest) -> pb.GetConsultationResponse:
    """One consultation, whatever its state. NotFound for none."""
    row = uow.execute(
        select(
            consultation,
            site.c.time_zone,
            func.lower(consultation.c.during).label("starts_at"),
            func.upper(consultation.c.during).label("ends_at"),
        )
        .join(site, site.c.site_id == consultation.c.site_id)
        .where(consultation.c.consultation_id == UUID(request.consultation_id))
    ).one_or_none()
    if row is None:
        raise NotFound("consultation_id", "must be a booked consultation", consultation_id=request.consultation_id)
    return pb.GetConsultationResponse(
        consultation=types.Consultation(
            consultation_id=str(row.consultation_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            practitioner_id=str(row.practitioner_id),
            room_id=str(row.room_id),
            state=_STATES[row.state],
            starts_at=to_timestamp(row.starts_at),
            ends_at=to_timestamp(row.ends_at),
            starts_at_site=at_site(row.starts_at, row.time_zone),
        )
    )


GET_CONSULTATION = Query("GetConsultation", pb.GetConsultationRequest, get_consultation)
