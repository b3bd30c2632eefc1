"""The toy's index: plans arrive on one topic, the orders that need them on another."""

from sqlalchemy import BigInteger, Column, Identity, MetaData, Table, Text, insert, select

from chassis.errors import Early
from chassis.index import Command, EventIn, Ids, Service
from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.billing.v1 import events_pb2 as billing_events
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

metadata = MetaData()
heard = Table(
    "heard",
    metadata,
    Column("n", BigInteger, Identity(), primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("what", Text, nullable=False),
)

# What the toy cannot stomach; a test mends it by taking the word out.
POISONOUS: set[str] = set()


def _keep(uow: UnitOfWork, kind: str, key: str, what: str) -> None:
    uow.execute(insert(heard).values(kind=kind, key=key, what=what))
    # After the write: what a failing reaction wrote has to go with it.
    if what in POISONOUS:
        raise ValueError("the toy cannot stomach it")


def on_plan_signed(uow: UnitOfWork, event: plan_events.PlanSigned) -> None:
    """Keeps the plan and lets its orders go on."""
    _keep(uow, "plan", event.person_id, event.plan_id)
    uow.arrived(f"plan:{event.plan_id}")


def on_order_issued(uow: UnitOfWork, event: plan_events.OrderIssued) -> None:
    """Keeps the order; early when its plan is not known."""
    known = uow.execute(select(heard.c.n).where(heard.c.kind == "plan", heard.c.what == event.plan_id)).first()
    if known is None:
        uow.execute(insert(heard).values(kind="trace of an early one", key="", what=""))
        raise Early(f"plan:{event.plan_id}")
    _keep(uow, "order", event.person_id, event.order_id)


def pay(uow: UnitOfWork, request: billing.RecordPaymentRequest) -> Ids:
    """A command that emits an event."""
    uow.execute(insert(heard).values(kind="payment", key=request.invoice_id, what=request.amount_usd))
    uow.emit(
        billing_events.PaymentReceived(
            payment_id=request.invoice_id,
            invoice_id=request.invoice_id,
            person_id=request.invoice_id,
            site_id=request.invoice_id,
            amount_usd=request.amount_usd,
            received_at=to_timestamp(uow.clinic_time),
        )
    )
    return {"payment_id": request.invoice_id}


def paid(_uow: UnitOfWork, ids: Ids) -> billing.RecordPaymentResponse:
    """The answer from its ids."""
    return billing.RecordPaymentResponse(payment_id=ids["payment_id"])


INDEX = Service(
    name="toy",
    grpc_services=(),
    events_module="saguaro.billing.v1.events_pb2",
    metadata=metadata,
    migrations="tests.chassis.toy.migrations",
    required_revision="0001",
    commands=(Command("RecordPayment", billing.RecordPaymentRequest, pay, paid, roles=frozenset({"biller"})),),
    events_in=(
        EventIn(plan_events.PlanSigned, on_plan_signed),
        EventIn(plan_events.OrderIssued, on_order_issued),
    ),
)
