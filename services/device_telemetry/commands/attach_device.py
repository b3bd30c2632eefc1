"""A named nurse puts a device to a session, after the two identifiers were checked.

A device belongs to at most one session at a time, and a session has at most one pump and one monitor: exclusion constraints decide,
so that two nurses at once cannot both succeed.
"""

from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import Range

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from device_telemetry.records import session_of
from device_telemetry.tables import attachment, attachment_version, device
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
    return {"attachment_id": str(attachment_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.AttachDeviceResponse:
    """The id of the attachment."""
    return pb.AttachDeviceResponse(attachment_id=ids["attachment_id"])


COMMAND = Command("AttachDevice", pb.AttachDeviceRequest, handle, answer, roles=frozenset({"nurse"}))
