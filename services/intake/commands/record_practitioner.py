"""Licence, registrations and privileges of a practitioner, whole. Each call is a new revision; what held before stays on record."""

from datetime import date
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from chassis.errors import Finding, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from intake import roles
from intake.domain.practitioner import dea_number_is_valid, npi_is_valid
from intake.practitioner_tables import licence_privilege, practitioner, practitioner_revision, practitioner_site
from intake.practitioners import allowed_privileges
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types


def handle(uow: UnitOfWork, request: pb.RecordPractitionerRequest) -> Ids:
    """InvalidArgument with every finding; NPI_TAKEN when it names somebody else."""
    findings = _broken(uow, request)
    if findings:
        raise InvalidArgument(findings[0].field, findings[0].rule, findings=findings)
    practitioner_id = UUID(request.practitioner_id)
    revision = _next_revision(uow, practitioner_id, request.npi)
    _keep(uow, practitioner_id, revision, request)
    uow.emit(
        events.PractitionerRecorded(
            practitioner_id=request.practitioner_id,
            revision=revision,
            licence_type=request.licence_type,
            licence_state=request.licence_state,
            licence_expires_on=request.licence_expires_on,
            sites=[
                types.SitePrivileges(
                    site_id=place.site_id, privileges=place.privileges, dea_expires_on=place.dea_expires_on
                )
                for place in request.sites
            ],
            recorded_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"practitioner_id": request.practitioner_id, "revision": str(revision)}


def _broken(uow: UnitOfWork, request: pb.RecordPractitionerRequest) -> list[Finding]:
    """Every rule that the request breaks; none of them states a number."""
    found = []
    types_known = sorted(set(uow.execute(select(licence_privilege.c.licence_type)).scalars()))
    if request.licence_type not in types_known:
        found.append(Finding("licence_type", f"must be one of: {', '.join(types_known)}"))
    if _day(request.licence_expires_on) is None:
        found.append(Finding("licence_expires_on", "must be a day of the calendar, YYYY-MM-DD"))
    if not npi_is_valid(request.npi):
        found.append(Finding("npi", "must end in the check digit of Luhn's formula over 80840 and the number"))
    seen: set[str] = set()
    for number, place in enumerate(request.sites):
        field = f"sites[{number}]"
        if place.site_id in seen:
            found.append(Finding(f"{field}.site_id", "each site may be named once"))
        seen.add(place.site_id)
        if request.licence_type in types_known:
            found += _excluded(uow, request.licence_type, place, field)
        found += _registration(place, field)
    return found


def _excluded(uow: UnitOfWork, licence_type: str, place: types.SitePractice, field: str) -> list[Finding]:
    allowed = allowed_privileges(uow, licence_type, place.site_id)
    rule = f"a licence of this type may hold: {', '.join(allowed) or 'no privilege'}"
    return [
        Finding(f"{field}.privileges[{number}]", rule)
        for number, privilege in enumerate(place.privileges)
        if privilege not in allowed
    ]


def _registration(place: types.SitePractice, field: str) -> list[Finding]:
    if bool(place.dea_number) != bool(place.dea_expires_on):
        return [Finding(f"{field}.dea_number", "number and last day of a registration go together")]
    found = []
    if place.dea_number and not dea_number_is_valid(place.dea_number):
        found.append(Finding(f"{field}.dea_number", "must end in its check digit"))
    if place.dea_expires_on and _day(place.dea_expires_on) is None:
        found.append(Finding(f"{field}.dea_expires_on", "must be a day of the calendar, YYYY-MM-DD"))
    return found


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _next_revision(uow: UnitOfWork, practitioner_id: UUID, npi: str) -> int:
    """The number of the new revision. Two calls at once follow one another on the practitioner's row."""
    first = upsert(practitioner).values(practitioner_id=practitioner_id, revision=0, npi=npi)
    uow.execute(first.on_conflict_do_nothing(index_elements=["practitioner_id"]))
    mine = practitioner.c.practitioner_id == practitioner_id
    revision = int(uow.execute(select(practitioner.c.revision).where(mine).with_for_update()).scalar_one()) + 1
    uow.execute(update(practitioner).where(mine).values(revision=revision, npi=npi))
    return revision


def _keep(uow: UnitOfWork, practitioner_id: UUID, revision: int, request: pb.RecordPractitionerRequest) -> None:
    key = {"practitioner_id": practitioner_id, "revision": revision}
    uow.execute(
        insert(practitioner_revision).values(
            **key,
            licence_type=request.licence_type,
            licence_state=request.licence_state,
            licence_number_sealed=uow.seal(practitioner_id, request.licence_number),
            licence_expires_on=_day(request.licence_expires_on),
            npi=request.npi,
            recorded_at=uow.clinic_time,
            recorded_by=uow.context.actor_id,
        )
    )
    for place in request.sites:
        sealed = uow.seal(practitioner_id, place.dea_number) if place.dea_number else None
        expires_on = _day(place.dea_expires_on) if place.dea_expires_on else None
        uow.execute(
            insert(practitioner_site).values(
                **key,
                site_id=UUID(place.site_id),
                privileges=list(place.privileges),
                dea_number_sealed=sealed,
                dea_expires_on=expires_on,
            )
        )


def answer(uow: UnitOfWork, ids: Ids) -> pb.RecordPractitionerResponse:
    """Who, and the revision that now holds."""
    return pb.RecordPractitionerResponse(practitioner_id=ids["practitioner_id"], revision=int(ids["revision"]))


COMMAND = Command("RecordPractitioner", pb.RecordPractitionerRequest, handle, answer, roles=roles.CREDENTIALS)
