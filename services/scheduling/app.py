"""The table of contents of scheduling: commands, queries, events in, events out."""

from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service, Timer
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events
from scheduling import tables
from scheduling.commands import (
    accept_offer,
    add_resource,
    add_shift,
    book_consultation,
    book_session,
    cancel_session,
    confirm_checklist,
    confirm_hold,
    decline_offer,
    end_consultation,
    expire_holds,
    hold_time,
    join_waiting_list,
    leave_waiting_list,
    move_session,
    open_site,
    record_arrival,
    record_no_show,
    release_hold,
    set_opening_hours,
)
from scheduling.policies import POLICIES
from scheduling.queries import (
    bookings,
    calendars,
    changes,
    checklists,
    consultations,
    explain,
    free_times,
    opening,
    waiting,
)
from scheduling.reactions import (
    on_infusion_aborted,
    on_infusion_completed,
    on_infusion_started,
    on_plan_completed,
    on_plan_resumed,
    on_plan_revised,
    on_plan_signed,
    on_plan_suspended,
    on_session_change_answered,
)
from scheduling.timers import changes_without_answer

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
        move_session.COMMAND,
        cancel_session.COMMAND,
        confirm_checklist.COMMAND,
        record_arrival.COMMAND,
        record_no_show.COMMAND,
        hold_time.COMMAND,
        confirm_hold.COMMAND,
        release_hold.COMMAND,
        expire_holds.COMMAND,
        join_waiting_list.COMMAND,
        leave_waiting_list.COMMAND,
        accept_offer.COMMAND,
        decline_offer.COMMAND,
        book_consultation.COMMAND,
        end_consultation.CANCEL,
        end_consultation.COMPLETE,
        set_opening_hours.COMMAND,
    ),
    queries=(
        bookings.GET_BOOKING,
        bookings.LIST_BOOKINGS,
        changes.GET_SESSION_CHANGE,
        checklists.LIST_CHECKLISTS_DUE,
        checklists.COUNT_NO_SHOWS,
        free_times.FIND_FREE_TIMES,
        explain.EXPLAIN_TIME,
        waiting.GET_HOLD,
        waiting.GET_WAITING,
        waiting.LIST_WAITING,
        consultations.GET_CONSULTATION,
        opening.GET_OPENING_HOURS,
        calendars.EXPORT_CALENDAR,
    ),
    events_in=(
        EventIn(plan_events.PlanSigned, on_plan_signed.react),
        EventIn(plan_events.PlanRevised, on_plan_revised.react),
        EventIn(plan_events.PlanSuspended, on_plan_suspended.react),
        EventIn(plan_events.PlanResumed, on_plan_resumed.react),
        EventIn(plan_events.PlanCompleted, on_plan_completed.react),
        EventIn(plan_events.SessionChangeAnswered, on_session_change_answered.of_plan),
        EventIn(device_events.SessionChangeAnswered, on_session_change_answered.of_devices),
        EventIn(device_events.InfusionStarted, on_infusion_started.react),
        EventIn(device_events.InfusionCompleted, on_infusion_completed.react),
        EventIn(device_events.InfusionAborted, on_infusion_aborted.react),
    ),
    timers=(Timer("changes_without_answer", 5.0, changes_without_answer.run),),
    policies=POLICIES,
    constraints={
        "site_pkey": AlreadyExists("SITE_EXISTS", field="site.site_id", rule="a site is opened once"),
        "site_code_taken": AlreadyExists("SITE_CODE_TAKEN", field="site.site_code", rule="no two sites have one code"),
        "resource_pkey": AlreadyExists(
            "RESOURCE_EXISTS", field="resource.resource_id", rule="a resource is added once"
        ),
        "resource_code_taken": AlreadyExists(
            "RESOURCE_CODE_TAKEN", field="resource.resource_code", rule="no two resources have one code"
        ),
        "waiting_entry_one_an_ordinal": AlreadyExists(
            "ALREADY_WAITING", field="ordinal", rule="who waits for a session of a plan waits for it once"
        ),
        "opening_hours_pkey": AlreadyExists(
            "HOURS_EXIST", field="effective_from", rule="the hours of a site from one time are set once"
        ),
        "shift_no_overlap": AlreadyExists(
            "SHIFT_OVERLAPS", field="starts_at", rule="nobody has two shifts at a time, whatever the site"
        ),
    },
)
