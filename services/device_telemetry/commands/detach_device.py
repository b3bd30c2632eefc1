"""A named nurse takes a device from its session. A pump that ran leaves the infusion paused: it may go on with another one."""

from uuid import UUID

from chassis.errors import FailedPrecondition, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from device_telemetry.attachments import close, open_attachments
from device_telemetry.tables import attachment
from saguaro.device_telemetry.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.DetachDeviceRequest) -> Ids:
    """Closes the open attachment at clinic time. NotFound when the device is not attached to this session."""
    row = uow.execute(
        open_attachments(
            attachment.c.device_id == UUID(request.device_id), attachment.c.session_id == UUID(request.session_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound("device_id", "must be attached to this session", device_id=request.device_id)
    if uow.clinic_time <= row.attached_at:
        raise FailedPrecondition(
            "DETACHED_BEFORE_ATTACHED", field="device_id", rule="must be attached before it is detached"
        )
    close(uow, row, uow.clinic_time)
    return {"attachment_id": str(row.attachment_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.DetachDeviceResponse:
    """The id of the attachment."""
    return pb.DetachDeviceResponse(attachment_id=ids["attachment_id"])


COMMAND = Command("DetachDevice", pb.DetachDeviceRequest, handle, answer, roles=frozenset({"nurse"}))
