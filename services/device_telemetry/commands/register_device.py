"""A pump or monitor becomes known at a site."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from chassis.errors import AlreadyExists, InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from device_telemetry.tables import device
from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types

_KINDS: dict[int, str] = {types.DEVICE_KIND_PUMP: "pump", types.DEVICE_KIND_MONITOR: "monitor"}


def handle(uow: UnitOfWork, request: pb.RegisterDeviceRequest) -> Ids:
    """Keeps the device. The same device again changes nothing; with another kind, site or equipment id it is refused."""
    kind = _KINDS.get(request.kind)
    if kind is None:
        raise InvalidArgument("kind", "must be a pump or a monitor")
    values = {"site_id": UUID(request.site_id), "kind": kind, "equipment_id": request.equipment_id or None}
    device_id = UUID(request.device_id)
    statement = insert(device).values(device_id=device_id, **values)
    made = uow.execute(statement.on_conflict_do_nothing(index_elements=["device_id"]).returning(device.c.device_id))
    if made.one_or_none() is None:
        kept = uow.execute(select(device).where(device.c.device_id == device_id)).one()
        if any(getattr(kept, name) != value for name, value in values.items()):
            raise AlreadyExists(
                "DEVICE_REGISTERED", field="device_id", rule="is registered otherwise", device_id=request.device_id
            )
    return {"device_id": request.device_id}


def answer(uow: UnitOfWork, ids: Ids) -> pb.RegisterDeviceResponse:
    """The id of the device."""
    return pb.RegisterDeviceResponse(device_id=ids["device_id"])


COMMAND = Command("RegisterDevice", pb.RegisterDeviceRequest, handle, answer, roles=frozenset({"operator"}))
