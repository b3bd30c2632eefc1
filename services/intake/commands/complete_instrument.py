"""Scores a filled-in form and raises the safety flags that its answers ask for."""

from uuid import UUID

from sqlalchemy import insert, select

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import policy, roles
from intake.domain import cssrs, phq9
from intake.domain.scale import Score, checked_answers
from intake.flags import raise_flag
from intake.record import lock_person_at, zone_of
from intake.tables import instrument_answer, instrument_result, safety_flag
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb

SCORING = {phq9.INSTRUMENT: phq9.score, cssrs.INSTRUMENT: cssrs.score}


def handle(uow: UnitOfWork, request: pb.CompleteInstrumentRequest) -> Ids:
    """InvalidArgument for an unknown form, item or value, or answers that contradict one another."""
    form = policy.form(uow, request.instrument, request.instrument_version)
    given = checked_answers(form, [(item.item, item.value) for item in request.answers])
    score = SCORING[form.instrument](form, given)
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    zone = zone_of(uow, site_id)
    lock_person_at(uow, person_id, site_id)
    result_id, place = uow.new_id(), {"person_id": person_id, "site_id": site_id}
    _keep(uow, request, result_id, place, score, given)
    uow.emit(
        events.InstrumentCompleted(
            result_id=str(result_id),
            person_id=request.person_id,
            site_id=request.site_id,
            instrument=form.instrument,
            instrument_version=form.version,
            total=score.total,
            band=score.band,
            prorated=score.prorated,
            completed_at=to_timestamp(uow.clinic_time),
        )
    )
    for reason_code in score.flags:
        raise_flag(uow, result_id, place, reason_code, zone)
    return {"result_id": str(result_id)}


def _keep(
    uow: UnitOfWork,
    request: pb.CompleteInstrumentRequest,
    result_id: UUID,
    place: dict[str, UUID],
    score: Score,
    given: dict[str, int],
) -> None:
    uow.execute(
        insert(instrument_result).values(
            result_id=result_id,
            **place,
            instrument=request.instrument,
            version=request.instrument_version,
            total=score.total,
            band=score.band,
            prorated=score.prorated,
            completed_at=uow.clinic_time,
            completed_by=uow.context.actor_id,
        )
    )
    if given:
        rows = [{"result_id": result_id, **place, "item": item, "value": value} for item, value in given.items()]
        uow.execute(insert(instrument_answer), rows)


def answer(uow: UnitOfWork, ids: Ids) -> pb.CompleteInstrumentResponse:
    """The score as it was recorded, and the flags that it raised."""
    result_id = UUID(ids["result_id"])
    row = uow.execute(select(instrument_result).where(instrument_result.c.result_id == result_id)).one()
    raised = select(safety_flag.c.flag_id).where(safety_flag.c.result_id == result_id).order_by(safety_flag.c.flag_id)
    return pb.CompleteInstrumentResponse(
        result_id=ids["result_id"],
        total=row.total,
        band=row.band,
        prorated=row.prorated,
        flag_ids=[str(flag.flag_id) for flag in uow.execute(raised)],
    )


COMMAND = Command("CompleteInstrument", pb.CompleteInstrumentRequest, handle, answer, roles=roles.SCREENS)
