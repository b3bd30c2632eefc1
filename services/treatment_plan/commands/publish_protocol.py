"""A new version of a protocol, in force from a date on. Earlier versions stay as they were."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, insert, select

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.limits import passed_bound
from treatment_plan.domain.numbers import number_of
from treatment_plan.policy import NETWORK, library_in_force
from treatment_plan.tables import protocol


def handle(uow: UnitOfWork, request: pb.PublishProtocolRequest) -> Ids:
    """Signed by who calls. The past is never rewritten: it cannot be in force from before this call."""
    asked = request.protocol
    dose_mg_per_kg = checked_dose(uow, asked)
    effective_from = checked_start(uow, asked)
    # Two publishers of one protocol would take the same version.
    uow.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"treatment_plan.protocol:{asked.protocol_code}", 0)))
    )
    versions = select(func.coalesce(func.max(protocol.c.version), 0)).where(
        protocol.c.protocol_code == asked.protocol_code
    )
    version = uow.execute(versions).scalar_one() + 1
    uow.execute(
        insert(protocol).values(
            protocol_code=asked.protocol_code,
            version=version,
            library_code=asked.library_code,
            indications=sorted(set(asked.indications)),
            dose_mg_per_kg=dose_mg_per_kg,
            duration_min=asked.duration_min,
            sessions_planned=asked.sessions_planned,
            effective_from=effective_from,
            review_state="signed",
            signed_by=uow.context.actor_id,
        )
    )
    return {"protocol_code": asked.protocol_code, "version": str(version)}


def checked_dose(uow: UnitOfWork, asked: pb.Protocol) -> Decimal:
    """The dose of the protocol. Refused where no weight could make it lawful: beyond a hard limit of its library."""
    for field, given in (("protocol_code", asked.protocol_code), ("library_code", asked.library_code)):
        if not given:
            raise InvalidArgument(f"protocol.{field}", "must be given")
    if not asked.indications or not all(asked.indications):
        raise InvalidArgument("protocol.indications", "must name at least one indication, none of them empty")
    if asked.sessions_planned <= 0:
        raise InvalidArgument("protocol.sessions_planned", "must be greater than 0")
    dose_mg_per_kg = number_of(asked.dose_mg_per_kg, "protocol.dose_mg_per_kg")
    if not dose_mg_per_kg:
        raise InvalidArgument("protocol.dose_mg_per_kg", "must be greater than 0")
    if asked.duration_min <= 0:
        raise InvalidArgument("protocol.duration_min", "must be greater than 0")
    values = {"dose_mg_per_kg": dose_mg_per_kg, "duration_min": Decimal(asked.duration_min)}
    for limit in library_in_force(uow, asked.library_code, NETWORK, uow.clinic_time).limits:
        value = values.get(limit.limit_code)
        if value is not None and limit.severity == "hard" and passed_bound(limit, value) is not None:
            rule = f"must stay within the hard limit {limit.limit_code}"
            raise FailedPrecondition(
                "HARD_LIMIT", field=f"protocol.{limit.limit_code}", rule=rule, limits=limit.limit_code
            )
    return dose_mg_per_kg


def checked_start(uow: UnitOfWork, asked: pb.Protocol) -> datetime:
    """From when it is in force. InvalidArgument for a time before now: what was in force stays what it was."""
    if not asked.HasField("effective_from"):
        raise InvalidArgument("protocol.effective_from", "must be given")
    effective_from = from_timestamp(asked.effective_from)
    if effective_from < uow.clinic_time:
        raise InvalidArgument("protocol.effective_from", "must not be before the time of the call")
    return effective_from


def answer(_uow: UnitOfWork, ids: Ids) -> pb.PublishProtocolResponse:
    """The version that was added."""
    return pb.PublishProtocolResponse(protocol_code=ids["protocol_code"], version=int(ids["version"]))


COMMAND = Command("PublishProtocol", pb.PublishProtocolRequest, handle, answer, roles=frozenset({"medical_director"}))
