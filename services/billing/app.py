"""The table of contents of billing: commands, queries, events in, events out."""

from billing import queries, tables
from billing.commands import issue_invoice, publish_price_list, record_payment
from billing.reactions import on_patient_registered, on_session_closed, on_site_opened
from chassis.errors import AlreadyExists
from chassis.index import EventIn, Service
from saguaro.intake.v1 import events_pb2 as intake_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

INDEX = Service(
    name="billing",
    grpc_services=("saguaro.billing.v1.BillingService",),
    events_module="saguaro.billing.v1.events_pb2",
    metadata=tables.metadata,
    migrations="billing.migrations",
    required_revision="0001",
    commands=(publish_price_list.COMMAND, issue_invoice.COMMAND, record_payment.COMMAND),
    queries=(
        queries.GET_CHARGE_SET,
        queries.LIST_CHARGE_SETS,
        queries.GET_INVOICE,
        queries.GET_LEDGER_BALANCE,
    ),
    events_in=(
        EventIn(scheduling_events.SiteOpened, on_site_opened.react),
        EventIn(intake_events.PatientRegistered, on_patient_registered.react),
        EventIn(plan_events.SessionClosed, on_session_closed.react),
    ),
    constraints={
        "price_list_one_a_day": AlreadyExists(
            "PRICE_LIST_EXISTS", field="effective_from", rule="a site has one price list from a day on"
        ),
    },
)
