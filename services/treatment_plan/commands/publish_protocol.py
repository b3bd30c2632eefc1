"""A new version of a protocol, in force from a date on. Earlier versions stay as they were."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, insert, select

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.index import Command, Ids
from chassis.policy import NETWORK, SIGNED
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp
from saguaro.treatment_plan.v1 import service_pb2 as pb
from treatment_plan.domain.dose import MG_PER_KG_PER_H, DoseOrder
from treatment_plan.domain.limits import passed_bound
from treatment_plan.dosing import asked_dose
from treatment_plan.policy import library_in_force
from treatment_plan.tables import protocol

INDUCTION = "induction"
MAINTENANCE = "maintenance"
HOUSE = "house policy"
# What a dose by the hour comes to is shown for a person of this weight.
REFERENCE_WEIGHT_KG = Decimal(80)


def handle(uow: UnitOfWork, request: pb.PublishProtocolRequest) -> Ids:
    """Signed by who calls. The past is never rewritten: it cannot be in force from before this call."""
    asked = request.protocol
    order = checked_dose(uow, asked)
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
            dose_mg_per_kg=order.dose_mg_per_kg,
            dose_rate=None if order.rate is None else order.rate.value,
            dose_rate_unit=None if order.rate is None else order.rate.unit,
            duration_min=asked.duration_min,
            sessions_planned=asked.sessions_planned,
            effective_from=effective_from,
            phase=asked.phase or INDUCTION,
            interval_days=asked.interval_days or None,
            source=asked.source or HOUSE,
            review_state=SIGNED,
            signed_by=uow.context.actor_id,
            signed_at=uow.clinic_time,
        )
    )
    return {"protocol_code": asked.protocol_code, "version": str(version)}


def checked_dose(uow: UnitOfWork, asked: pb.Protocol) -> DoseOrder:
    """The protocol's dose for a person of 80 kg. Refused where no weight could make it lawful: beyond a hard limit of its library."""
    for field, given in (("protocol_code", asked.protocol_code), ("library_code", asked.library_code)):
        if not given:
            raise InvalidArgument(f"protocol.{field}", "must be given")
    if not asked.indications or not all(asked.indications):
        raise InvalidArgument("protocol.indications", "must name at least one indication, none of them empty")
    if asked.sessions_planned <= 0:
        raise InvalidArgument("protocol.sessions_planned", "must be greater than 0")
    if (asked.phase == MAINTENANCE) != bool(asked.interval_days):
        raise InvalidArgument("protocol.interval_days", "must be given for maintenance, and only there")
    if asked.duration_min <= 0:
        raise InvalidArgument("protocol.duration_min", "must be greater than 0")
    order = asked_dose(asked, "protocol.").order(REFERENCE_WEIGHT_KG, asked.duration_min, Decimal(1))
    if not order.dose_mg_per_kg:
        raise InvalidArgument("protocol.dose_mg_per_kg", "must be greater than 0")
    # What a rate in mg/h comes to in mg/kg depends on the person; the plan's own numbers are held against every limit.
    values = {"duration_min": Decimal(asked.duration_min)}
    if order.rate is None or order.rate.unit == MG_PER_KG_PER_H:
        values |= {"dose_mg_per_kg": order.total_mg_per_kg, "rate_mg_per_kg_per_h": order.rate_mg_per_kg_per_h}
    for limit in library_in_force(uow, asked.library_code, NETWORK, uow.clinic_time).limits:
        value = values.get(limit.limit_code)
        if value is not None and limit.severity == "hard" and passed_bound(limit, value) is not None:
            rule = f"must stay within the hard limit {limit.limit_code}"
            raise FailedPrecondition(
                "HARD_LIMIT", field=f"protocol.{limit.limit_code}", rule=rule, limits=limit.limit_code
            )
    return order


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
