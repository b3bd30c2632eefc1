"""The table of contents of scheduling: commands, queries, events in, events out."""

from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling import tables
from scheduling.commands import (
    add_resource,
    add_shift,
    book_session,
    cancel_session,
    open_site,
    record_arrival,
    record_no_show,
)
from scheduling.queries import bookings, free_times
from scheduling.reactions import (
    on_infusion_aborted,
    on_infusion_completed,
    on_infusion_started,
    on_plan_completed,
    on_plan_revised,
    on_plan_signed,
    on_plan_suspended,
)

INDEX = Service(
    name="scheduling",
    grpc_services=("saguaro.scheduling.v1.SchedulingService",),
    events_module="saguaro.scheduling.v1.events_pb2",
    metadata=tables.metadata,
    migrations="scheduling.migrations",
    required_revision="0002",
    commands=(
        open_site.COMMAND,
        add_resource.COMMAND,
        add_shift.COMMAND,
        book_session.COMMAND,
        cancel_session.COMMAND,
        record_arrival.COMMAND,
        record_no_show.COMMAND,
    ),
    queries=(bookings.GET_BOOKING, bookings.LIST_BOOKINGS, free_times.FIND_FREE_TIMES),
    events_in=(
        EventIn(plan_events.PlanSigned, on_plan_signed.react),
        EventIn(plan_events.PlanRevised, on_plan_revised.react),
        EventIn(plan_events.PlanSuspended, on_plan_suspended.react),
        EventIn(plan_events.PlanCompleted, on_plan_completed.react),
        EventIn(device_events.InfusionStarted, on_infusion_started.react),
        EventIn(device_events.InfusionCompleted, on_infusion_completed.react),
        EventIn(device_events.InfusionAborted, on_infusion_aborted.react),
    ),
    constraints={
        "site_pkey": AlreadyExists("SITE_EXISTS", field="site.site_id", rule="a site is opened once"),
        "site_code_taken": AlreadyExists("SITE_CODE_TAKEN", field="site.site_code", rule="no two sites have one code"),
        "resource_pkey": AlreadyExists(
            "RESOURCE_EXISTS", field="resource.resource_id", rule="a resource is added once"
        ),
        "resource_code_taken": AlreadyExists(
            "RESOURCE_CODE_TAKEN", field="resource.resource_code", rule="no two resources have one code"
        ),
        "shift_no_overlap": AlreadyExists(
            "SHIFT_OVERLAPS", field="starts_at", rule="a nurse has one shift at a time, whatever the site"
        ),
    },
)
