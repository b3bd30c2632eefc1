"""The table of contents of treatment plan."""

from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from treatment_plan import queries, tables
from treatment_plan.commands import (
    authorise_start,
    close_session,
    draft_plan,
    issue_order,
    mark_session_ready,
    publish_protocol,
    record_adverse_event,
    revise_plan,
    revoke_order,
    sign_plan,
    suspend_plan,
)
from treatment_plan.reactions import (
    on_consent_granted,
    on_consent_withdrawn,
    on_infusion_aborted,
    on_infusion_completed,
    on_infusion_started,
    on_no_show_recorded,
    on_patient_cleared,
    on_patient_declined,
    on_practitioner_recorded,
    on_safety_flag_cleared,
    on_safety_flag_raised,
    on_session_booked,
    on_session_cancelled,
    on_site_opened,
)

INDEX = Service(
    name="treatment_plan",
    grpc_services=("saguaro.treatment_plan.v1.TreatmentPlanService",),
    events_module="saguaro.treatment_plan.v1.events_pb2",
    metadata=tables.metadata,
    migrations="treatment_plan.migrations",
    required_revision="0006",
    commands=(
        publish_protocol.COMMAND,
        draft_plan.COMMAND,
        sign_plan.COMMAND,
        revise_plan.COMMAND,
        suspend_plan.COMMAND,
        issue_order.COMMAND,
        revoke_order.COMMAND,
        mark_session_ready.COMMAND,
        authorise_start.COMMAND,
        close_session.COMMAND,
        record_adverse_event.COMMAND,
    ),
    queries=queries.QUERIES,
    events_in=(
        EventIn(intake_events.PatientCleared, on_patient_cleared.react),
        EventIn(intake_events.PatientDeclined, on_patient_declined.react),
        EventIn(intake_events.ConsentGranted, on_consent_granted.react),
        EventIn(intake_events.ConsentWithdrawn, on_consent_withdrawn.react),
        EventIn(intake_events.SafetyFlagRaised, on_safety_flag_raised.react),
        EventIn(intake_events.SafetyFlagCleared, on_safety_flag_cleared.react),
        EventIn(intake_events.PractitionerRecorded, on_practitioner_recorded.react),
        EventIn(scheduling_events.SiteOpened, on_site_opened.react),
        EventIn(scheduling_events.SessionBooked, on_session_booked.react),
        EventIn(scheduling_events.SessionCancelled, on_session_cancelled.react),
        EventIn(scheduling_events.NoShowRecorded, on_no_show_recorded.react),
        EventIn(device_events.InfusionStarted, on_infusion_started.react),
        EventIn(device_events.InfusionCompleted, on_infusion_completed.react),
        EventIn(device_events.InfusionAborted, on_infusion_aborted.react),
    ),
    constraints={
        "treatment_order_one_live": AlreadyExists(
            "ORDER_LIVE", field="session_id", rule="a session has one order in force at a time"
        ),
    },
)
