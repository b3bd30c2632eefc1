"""Scores a filled-in form, raises the safety flags that its answers ask for, and judges it against the person's baseline."""

from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import PermissionDenied
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import instrument_policy, roles
from intake.domain import cssrs
from intake.domain.scale import CLINICIAN, INCOMPLETE, Form, Score, checked_answers, shown
from intake.domain.scoring import score
from intake.flags import raise_flag
from intake.follow_ups import close_cssrs
from intake.outcomes import judge_results, outcome_fields, outcome_of
from intake.record import lock_person_at, zone_of
from intake.results import flag_ids, subscore_messages
from intake.series_tables import instrument_subscore
from intake.sex import administrative_sex
from intake.tables import instrument_answer, instrument_result
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.CompleteInstrumentRequest) -> Ids:
    """InvalidArgument for an unknown form, item or value, or answers that contradict one another; RATER_ROLE."""
    form = instrument_policy.form(uow, request.instrument, request.instrument_version, request.site_id, uow.clinic_time)
    _refuse_unfit_rater(uow, form)
    given = checked_answers(form, [(item.item, item.value) for item in request.answers])
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    zone = zone_of(uow, site_id)
    lock_person_at(uow, person_id, site_id)
    found = score(form, given, lambda: administrative_sex(uow, person_id))
    result_id, place = uow.new_id(), {"person_id": person_id, "site_id": site_id}
    _keep(uow, form, result_id, place, found, given)
    judge_results(uow, person_id, result_id)
    _tell(uow, form, result_id, place, found)
    if form.instrument == cssrs.INSTRUMENT and found.band != INCOMPLETE:
        close_cssrs(uow, person_id)
    for reason_code in found.flags:
        raise_flag(uow, result_id, place, reason_code, zone)
    return {"result_id": str(result_id)}


def _refuse_unfit_rater(uow: UnitOfWork, form: Form) -> None:
    if form.rated_by == CLINICIAN and uow.context.role not in roles.RATES:
        raise PermissionDenied("RATER_ROLE", rule=f"this instrument is rated by: {', '.join(sorted(roles.RATES))}")


def _keep(
    uow: UnitOfWork, form: Form, result_id: UUID, place: dict[str, UUID], found: Score, given: dict[str, int]
) -> None:
    uow.execute(
        insert(instrument_result).values(
            result_id=result_id,
            **place,
            instrument=form.instrument,
            version=form.version,
            total=found.total,
            band=found.band,
            prorated=found.prorated,
            score=shown(form, found.total),
            finding_codes=list(found.findings),
            completed_at=uow.clinic_time,
            completed_by=uow.context.actor_id,
        )
    )
    if given:
        answers = [{"result_id": result_id, **place, "item": item, "value": value} for item, value in given.items()]
        uow.execute(insert(instrument_answer), answers)
    if found.subscores:
        parts = [
            {"result_id": result_id, **place, "position": position, "code": part.code, "total": part.total}
            | {"symptoms": part.symptoms}
            for position, part in enumerate(found.subscores, 1)
        ]
        uow.execute(insert(instrument_subscore), parts)


def _tell(uow: UnitOfWork, form: Form, result_id: UUID, place: dict[str, UUID], found: Score) -> None:
    uow.emit(
        events.InstrumentCompleted(
            result_id=str(result_id),
            person_id=str(place["person_id"]),
            site_id=str(place["site_id"]),
            instrument=form.instrument,
            instrument_version=form.version,
            total=found.total,
            band=found.band,
            prorated=found.prorated,
            completed_at=to_timestamp(uow.clinic_time),
            score=shown(form, found.total),
            finding_codes=found.findings,
            **outcome_fields(outcome_of(uow, result_id)),
        )
    )


def answer(uow: UnitOfWork, ids: Ids) -> pb.CompleteInstrumentResponse:
    """The score as it was recorded, what it shows, and the flags that it raised."""
    result_id = UUID(ids["result_id"])
    row = uow.execute(select(instrument_result).where(instrument_result.c.result_id == result_id)).one()
    return pb.CompleteInstrumentResponse(
        result_id=ids["result_id"],
        total=row.total,
        band=row.band,
        prorated=row.prorated,
        flag_ids=flag_ids(uow, [result_id]).get(result_id, []),
        score=row.score,
        finding_codes=row.finding_codes,
        subscores=subscore_messages(uow, [result_id]).get(result_id, []),
        **outcome_fields(outcome_of(uow, result_id)),
    )


COMMAND = Command("CompleteInstrument", pb.CompleteInstrumentRequest, handle, answer, roles=roles.SCREENS)
