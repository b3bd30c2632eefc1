"""A named nurse who may administer puts a device to a session, after the two identifiers were checked.

A device belongs to at most one session at a time, and a session has at most one pump and one monitor: exclusion constraints decide,
so that two nurses at once cannot both succeed.
"""

from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import Range

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from device_telemetry.attachments import KINDS
from device_telemetry.care_tables import device_alarm
from device_telemetry.privileges import require_privilege
from device_telemetry.records import session_of
from device_telemetry.tables import attachment, attachment_version, device
from saguaro.device_telemetry.v1 import events_pb2 as events
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.AttachDeviceRequest) -> Ids:
    """Opens the attachment at clinic time. NotFound for an unknown device or session; DEVICE_ELSEWHERE at another site."""
    found = uow.execute(select(device).where(device.c.device_id == UUID(request.device_id))).one_or_none()
    if found is None:
        raise NotFound("device_id", "must be a registered device", device_id=request.device_id)
    session = session_of(uow, request.session_id)
    if session.cancelled_at is not None:
        raise FailedPrecondition("SESSION_CANCELLED", field="session_id", rule="must not be cancelled")
    if session.site_id != found.site_id:
        raise FailedPrecondition("DEVICE_ELSEWHERE", field="device_id", rule="must be of the session's site")
    require_privilege(uow, session.site_id, "administer")
    if not request.identity_checked_twice:
        raise FailedPrecondition(
            "IDENTITY_NOT_CHECKED",
            field="identity_checked_twice",
            rule="two identifiers of the person must be checked before a device is attached",
        )
    attachment_id = uow.new_id()
    uow.execute(
        insert(attachment).values(
            attachment_id=attachment_id,
            device_id=found.device_id,
            kind=found.kind,
            session_id=session.session_id,
            person_id=session.person_id,
            site_id=session.site_id,
            during=Range(uow.clinic_time, None, bounds="[)"),
            attached_by=uow.context.actor_id,
        )
    )
    uow.execute(update(attachment_version).values(version=attachment_version.c.version + 1))
    uow.execute(
        update(device_alarm)
        .where(device_alarm.c.device_id == found.device_id, device_alarm.c.cleared_at.is_(None))
        .values(cleared_at=uow.clinic_time)
    )
    uow.emit(
        events.DeviceAttached(
            session_id=str(session.session_id),
            person_id=str(session.person_id),
            site_id=str(session.site_id),
            device_id=str(found.device_id),
            kind=KINDS[found.kind],
            attached_by=str(uow.context.actor_id),
            attached_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"attachment_id": str(attachment_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AttachDeviceResponse:
    """The id of the attachment."""
    return pb.AttachDeviceResponse(attachment_id=ids["attachment_id"])


COMMAND = Command("AttachDevice", pb.AttachDeviceRequest, handle, answer, roles=frozenset({"nurse"}))
