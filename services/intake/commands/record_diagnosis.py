"""A clinician records a diagnosis: an ICD-10-CM code that is billable, which only a leaf of the tabular list is."""

from uuid import UUID

from sqlalchemy import insert

from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import roles
from intake.catalogue import ICD10CM_RELEASE, icd10cm
from intake.domain.icd10cm import checked_leaf
from intake.domain.practitioner import DIAGNOSE
from intake.practitioners import require_privilege
from intake.record import lock_person_at
from intake.tables import diagnosis
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.RecordDiagnosisRequest) -> Ids:
    """InvalidArgument for a heading (with the characters that its leaves add) and for a code that the release does not have."""
    code = checked_leaf(icd10cm(), request.icd10cm_code, "icd10cm_code")
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    lock_person_at(uow, person_id, site_id)
    require_privilege(uow, site_id, DIAGNOSE)
    diagnosis_id = uow.new_id()
    uow.execute(
        insert(diagnosis).values(
            diagnosis_id=diagnosis_id,
            person_id=person_id,
            site_id=site_id,
            icd10cm_code=code,
            icd10cm_release=ICD10CM_RELEASE,
            recorded_at=uow.clinic_time,
            recorded_by=uow.context.actor_id,
        )
    )
    uow.emit(
        events.DiagnosisRecorded(
            diagnosis_id=str(diagnosis_id),
            person_id=str(person_id),
            site_id=str(site_id),
            icd10cm_code=code,
            recorded_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"diagnosis_id": str(diagnosis_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordDiagnosisResponse:
    """The diagnosis's id."""
    return pb.RecordDiagnosisResponse(diagnosis_id=ids["diagnosis_id"])


COMMAND = Command("RecordDiagnosis", pb.RecordDiagnosisRequest, handle, answer, roles=roles.DECIDES)
