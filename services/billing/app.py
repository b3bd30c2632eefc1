"""The table of contents of billing: commands, queries, events in, events out, policy."""

from billing import money_tables, policy_tables, queries, tables
from billing.commands import (
    adjust_invoice,
    apply_credit,
    create_estimate,
    issue_invoice,
    publish_price_list,
    record_payment,
    refund_package,
    refund_payment,
    reject_charge,
    release_charge,
    sell_package,
    void_invoice,
)
from billing.policies import POLICIES
from billing.printing import rpcs as printing
from billing.reactions import (
    on_evaluation_recorded,
    on_instrument_completed,
    on_patient_registered,
    on_session_closed,
    on_site_opened,
)
from billing.schema import metadata
from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

# Every module that adds tables to the metadata.
TABLES = (tables, policy_tables, money_tables)

INDEX = Service(
    name="billing",
    grpc_services=("saguaro.billing.v1.BillingService",),
    events_module="saguaro.billing.v1.events_pb2",
    metadata=metadata,
    migrations="billing.migrations",
    required_revision="0004",
    commands=(
        publish_price_list.COMMAND,
        issue_invoice.COMMAND,
        record_payment.COMMAND,
        release_charge.COMMAND,
        reject_charge.COMMAND,
        create_estimate.COMMAND,
        apply_credit.COMMAND,
        refund_payment.COMMAND,
        adjust_invoice.COMMAND,
        void_invoice.COMMAND,
        sell_package.COMMAND,
        refund_package.COMMAND,
    ),
    queries=(
        queries.GET_CHARGE_SET,
        queries.LIST_CHARGE_SETS,
        queries.LIST_HELD_CHARGES,
        queries.GET_INVOICE,
        queries.GET_LEDGER_BALANCE,
        queries.GET_ESTIMATE,
        queries.GET_PACKAGE,
        queries.GET_STATEMENT,
        printing.PRINT_ESTIMATE,
        printing.PRINT_STATEMENT,
    ),
    events_in=(
        EventIn(scheduling_events.SiteOpened, on_site_opened.react),
        EventIn(intake_events.PatientRegistered, on_patient_registered.react),
        EventIn(intake_events.EvaluationRecorded, on_evaluation_recorded.react),
        EventIn(intake_events.InstrumentCompleted, on_instrument_completed.react),
        EventIn(plan_events.SessionClosed, on_session_closed.react),
    ),
    constraints={
        "price_list_one_a_day": AlreadyExists(
            "PRICE_LIST_EXISTS", field="effective_from", rule="a site has one price list from a day on"
        ),
    },
    policies=POLICIES,
)
