"""The table of contents of intake."""

from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service
from intake import (
    eligibility_queries,
    flag_queries,
    instrument_policies,
    instrument_queries,
    policies,
    practitioner_queries,
    queries,
    tables,
)
from intake.commands import (
    assign_safety_flag,
    clear_safety_flag,
    complete_follow_up,
    complete_instrument,
    decide_eligibility,
    grant_consent,
    record_diagnosis,
    record_evaluation,
    record_practitioner,
    register_person,
    withdraw_consent,
)
from intake.reactions import on_infusion_started, on_plan_signed, on_session_closed, on_site_opened
from saguaro.device_telemetry.v1 import events_pb2 as infusion_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

INDEX = Service(
    name="intake",
    grpc_services=("saguaro.intake.v1.IntakeService",),
    events_module="saguaro.intake.v1.events_pb2",
    metadata=tables.metadata,
    migrations="intake.migrations",
    required_revision="0004",
    commands=(
        register_person.COMMAND,
        grant_consent.COMMAND,
        withdraw_consent.COMMAND,
        complete_instrument.COMMAND,
        record_diagnosis.COMMAND,
        clear_safety_flag.COMMAND,
        decide_eligibility.COMMAND,
        record_practitioner.COMMAND,
        record_evaluation.COMMAND,
        assign_safety_flag.COMMAND,
        complete_follow_up.COMMAND,
    ),
    queries=(
        eligibility_queries.LIST_QUESTIONS,
        flag_queries.LIST_SAFETY_FLAGS,
        flag_queries.LIST_FOLLOW_UPS,
        queries.GET_PERSON,
        queries.GET_PATIENT_STATUS,
        queries.LIST_PATIENTS,
        eligibility_queries.CHECK_START,
        instrument_queries.LIST_INSTRUMENT_RESULTS,
        instrument_queries.LIST_INSTRUMENT_FORMS,
        instrument_queries.GET_INSTRUMENT_FORM,
        practitioner_queries.GET_PRACTITIONER,
        practitioner_queries.LIST_PRACTITIONERS,
        practitioner_queries.CHECK_PRIVILEGE,
    ),
    events_in=(
        EventIn(scheduling_events.SiteOpened, on_site_opened.react),
        EventIn(plan_events.PlanSigned, on_plan_signed.react),
        EventIn(infusion_events.InfusionStarted, on_infusion_started.react),
        EventIn(plan_events.SessionClosed, on_session_closed.react),
    ),
    policies=(*policies.POLICIES, *instrument_policies.POLICIES),
    constraints={
        "practitioner_npi": AlreadyExists("NPI_TAKEN", field="npi", rule="an NPI names one practitioner"),
        "registration_record_number": AlreadyExists(
            "RECORD_NUMBER_TAKEN", field="medical_record_number", rule="a site gives each record number once"
        ),
        "registration_pk": AlreadyExists(
            "PERSON_AT_SITE", field="same_as_person_id", rule="a person is registered at a site once"
        ),
    },
)
