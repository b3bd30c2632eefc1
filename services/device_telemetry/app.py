"""The table of contents of device telemetry: commands, queries, events in, the frame log, timers."""

from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service, Stream, Timer
from device_telemetry import policy_tables, queries, session_telemetry, tables
from device_telemetry.commands import (
    acknowledge_alarm,
    attach_device,
    detach_device,
    record_stop,
    register_device,
    resume_infusion,
    start_infusion,
)
from device_telemetry.frames.apply_batch import handle_batch
from device_telemetry.frames.decode import TOPIC
from device_telemetry.reactions import (
    on_order_issued,
    on_order_revoked,
    on_order_used,
    on_practitioner_recorded,
    on_session_booked,
    on_session_cancelled,
    on_session_change_proposed,
    on_session_change_refused,
    on_session_moved,
    on_session_ready,
    on_site_opened,
)
from device_telemetry.timers import frame_partitions, log_stopped
from saguaro.intake.v1 import events_pb2 as intake
from saguaro.scheduling.v1 import events_pb2 as scheduling
from saguaro.treatment_plan.v1 import events_pb2 as plan

INDEX = Service(
    name="device_telemetry",
    grpc_services=(
        "saguaro.device_telemetry.v1.DeviceTelemetryService",
        "saguaro.device_telemetry.v1.DeviceStreamService",
    ),
    events_module="saguaro.device_telemetry.v1.events_pb2",
    metadata=tables.metadata,
    migrations="device_telemetry.migrations",
    required_revision="0004",
    commands=(
        register_device.COMMAND,
        attach_device.COMMAND,
        detach_device.COMMAND,
        start_infusion.COMMAND,
        resume_infusion.COMMAND,
        record_stop.COMMAND,
        acknowledge_alarm.COMMAND,
    ),
    queries=(
        session_telemetry.QUERY,
        queries.LIST_ALARMS,
        queries.LIST_DEVICE_ALARMS,
        queries.LIST_QUARANTINE,
    ),
    events_in=(
        EventIn(scheduling.SiteOpened, on_site_opened.react),
        EventIn(intake.PractitionerRecorded, on_practitioner_recorded.react),
        EventIn(scheduling.SessionBooked, on_session_booked.react),
        EventIn(scheduling.SessionCancelled, on_session_cancelled.react),
        EventIn(scheduling.SessionChangeProposed, on_session_change_proposed.react),
        EventIn(scheduling.SessionMoved, on_session_moved.react),
        EventIn(scheduling.SessionChangeRefused, on_session_change_refused.react),
        EventIn(plan.OrderIssued, on_order_issued.react),
        EventIn(plan.OrderUsed, on_order_used.react),
        EventIn(plan.OrderRevoked, on_order_revoked.react),
        EventIn(plan.SessionReady, on_session_ready.react),
    ),
    streams=(Stream(TOPIC, handle_batch),),
    timers=(
        Timer("frame_partitions", 3600.0, frame_partitions.run),
        Timer("log_stopped", 5.0, log_stopped.run),
    ),
    constraints={
        "device_equipment_id": AlreadyExists("EQUIPMENT_ID_TAKEN", field="equipment_id", rule="belongs to one device"),
        "attachment_one_session_a_device": AlreadyExists(
            "DEVICE_ATTACHED", field="device_id", rule="belongs to at most one session at a time"
        ),
        "attachment_one_of_a_kind_a_session": AlreadyExists(
            "SESSION_HAS_DEVICE", field="session_id", rule="has at most one pump and one monitor at a time"
        ),
        "authorisation_one_a_session": AlreadyExists(
            "SESSION_AUTHORISED", field="session_id", rule="is authorised once"
        ),
        "authorisation_one_an_order": AlreadyExists("ORDER_USED", field="order_id", rule="authorises one start"),
    },
    policies=policy_tables.POLICIES,
)
