"""What intake answers: who a person is (to few), what the record holds, and whether a start is allowed right now."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from intake import facts, policy, roles
from intake.contract import identity_message, rule_messages
from intake.domain import eligibility
from intake.domain.eligibility import judge, passes
from intake.people import open_identity
from intake.statuses import statuses
from intake.tables import person, registration
from saguaro.intake.v1 import service_pb2 as pb


def get_person(uow: UnitOfWork, request: pb.GetPersonRequest) -> pb.GetPersonResponse:
    """Opens the identity as it was stated last, and the record number of each site."""
    person_id = UUID(request.person_id)
    query = select(registration).where(registration.c.person_id == person_id)
    rows = uow.execute(query.order_by(registration.c.registered_at, registration.c.site_id)).all()
    if not rows:
        raise NotFound("person_id", "must be a person on record")
    numbers = [
        pb.SiteRecordNumber(
            site_id=str(row.site_id), medical_record_number=uow.open(person_id, row.record_number_sealed)
        )
        for row in rows
    ]
    identity = open_identity(uow, person_id, rows[-1].identity_sealed)
    return pb.GetPersonResponse(
        person_id=request.person_id, identity=identity_message(identity), record_numbers=numbers
    )


def get_patient_status(uow: UnitOfWork, request: pb.GetPatientStatusRequest) -> pb.GetPatientStatusResponse:
    """One person, without who it is."""
    found = statuses(uow, [UUID(request.person_id)])
    if not found:
        raise NotFound("person_id", "must be a person on record")
    return pb.GetPatientStatusResponse(status=found[0])


def list_patients(uow: UnitOfWork, request: pb.ListPatientsRequest) -> pb.ListPatientsResponse:
    """People registered at a site, in the order in which they came on record."""
    page = read_token(request)
    query = select(registration.c.person_id).where(registration.c.site_id == UUID(request.site_id))
    if page.after is not None:
        query = query.where(registration.c.person_id > UUID(page.after[0]))
    rows = uow.execute(query.order_by(registration.c.person_id).limit(page.size + 1)).all()
    shown = [row.person_id for row in rows[: page.size]]
    last = (shown[-1],) if len(rows) > page.size else None
    return pb.ListPatientsResponse(
        patients=statuses(uow, shown) if shown else [], next_page_token=make_token(page, last)
    )


def check_start(uow: UnitOfWork, request: pb.CheckStartRequest) -> pb.CheckStartResponse:
    """Consent in force at this site, no open blocking flag, clearance in force: each as of the clinic time of the call."""
    person_id, site_id, at = UUID(request.person_id), UUID(request.site_id), uow.clinic_time
    if uow.execute(select(person.c.person_id).where(person.c.person_id == person_id)).one_or_none() is None:
        raise NotFound("person_id", "must be a person on record")
    found = {
        eligibility.CONSENT: facts.consent_in_force(uow, person_id, site_id, "ketamine_treatment", at),
        eligibility.NO_BLOCKING_FLAG: facts.no_blocking_flag(uow, person_id),
        eligibility.CLEARANCE: facts.clearance_in_force(uow, person_id, at),
    }
    findings = judge(policy.gate(uow, "start"), found)
    return pb.CheckStartResponse(allowed=passes(findings), rules=rule_messages(findings))


GET_PERSON = Query("GetPerson", pb.GetPersonRequest, get_person, roles=roles.ADDRESSES)
GET_PATIENT_STATUS = Query("GetPatientStatus", pb.GetPatientStatusRequest, get_patient_status, roles=roles.READS)
LIST_PATIENTS = Query("ListPatients", pb.ListPatientsRequest, list_patients, roles=roles.READS)
CHECK_START = Query("CheckStart", pb.CheckStartRequest, check_start, roles=roles.READS)
