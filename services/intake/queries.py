"""What intake answers: who a person is (to few), and what the record holds."""

from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.paging import make_token, read_token
from chassis.unit_of_work import UnitOfWork
from intake import roles
from intake.contract import identity_message
from intake.people import open_identity
from intake.statuses import statuses
from intake.tables import registration
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


GET_PERSON = Query("GetPerson", pb.GetPersonRequest, get_person, roles=roles.ADDRESSES)
GET_PATIENT_STATUS = Query("GetPatientStatus", pb.GetPatientStatusRequest, get_patient_status, roles=roles.READS)
LIST_PATIENTS = Query("ListPatients", pb.ListPatientsRequest, list_patients, roles=roles.READS)
