"""A model of a session against the real service: commands, device reports, duplicates, delays and the passing of time in any sequence.

Whatever is tried, an infusion is authorised only under a signed, unexpired, unused and unrevoked order behind a closed gate, an order is
used once, a person goes home once, the drug is accounted for once, and the state is what the reports that arrived give.
"""

from datetime import timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from chassis.errors import SaguaroError
from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as device_events
from saguaro.scheduling.v1 import events_pb2 as scheduling_events
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, SITE, Treatment, Ward
from treatment_plan.domain.session_state import Progress, state_reported
from treatment_plan.session_tables import session_discharge
from treatment_plan.tables import (
    plan,
    pump_totals,
    session_closure,
    session_readiness,
    session_record,
    treatment_order,
)

REPORTS = ("started", "paused", "resumed", "completed", "aborted")
AUTHORISED = ("authorised", "infusing", "paused", "recovering", "discharged", "closed")


class SessionMachine(RuleBasedStateMachine):
    """One session of one person; every rule is tried in every state, and may be refused."""

    ward: ClassVar[Ward]

    @initialize(steps=st.integers(0, 4))
    def book(self, steps: int = 0) -> None:
        """A signed plan with a booked session, so many steps along its usual way."""
        self.now = NOW
        signed = self.ward.signed_plan()
        self.treatment = Treatment(self.ward, signed, self.ward.booked(signed), pb.IssueOrderResponse())
        self.progress = Progress()
        self.reports: list[tuple[Any, UUID]] = []
        self.last: tuple[str, Any] | None = None
        self.flags: list[str] = []
        self.consents: list[str] = []
        self.flag_at_start = False
        for _step in range(steps):
            self.along()

    def attempt(self, rpc: str, request: Any, role: str = "nurse", actor: UUID | None = None) -> Any:
        """Calls; a refusal is an answer too. Returns None when refused."""
        try:
            return self.ward.call(rpc, request, role=role, at=self.now, actor=actor)
        except SaguaroError:
            return None

    # --- commands -----------------------------------------------------------------------------------------------------

    @rule()
    def issue(self) -> None:
        """The prescriber orders."""
        order = self.attempt("IssueOrder", pb.IssueOrderRequest(session_id=self.treatment.session_id), "prescriber")
        self.treatment.order = order or self.treatment.order

    def revoke(self) -> None:
        """The prescriber takes the order back."""
        order_id = self.treatment.order.order_id or str(uuid4())
        self.attempt("RevokeOrder", pb.RevokeOrderRequest(order_id=order_id, reason_code="changed.mind"), "prescriber")

    @rule(left_out=st.sampled_from(["", "", "", "screening", "identity", "arrival", "baseline", "bag"]))
    def prepare(self, left_out: str) -> None:
        """Everything before the gate, but for one thing now and then."""
        treatment = self.treatment
        steps = {
            "screening": treatment.screened,
            "identity": treatment.identified,
            "arrival": treatment.arrived,
            "baseline": treatment.baseline,
            "bag": treatment.bagged,
        }
        for name, step in steps.items():
            if name != left_out:
                try:
                    step(self.now)
                except SaguaroError:
                    continue

    @rule()
    def close_gate(self) -> None:
        """The nurse marks the session ready."""
        self.attempt("MarkSessionReady", self.treatment.ready_request())

    @rule(
        rate=st.sampled_from(["60", "60", "60.0", "60.1"]), age=st.sampled_from([10, 10, 120, 180]), again=st.booleans()
    )
    def start(self, rate: str, age: int, again: bool) -> None:
        """device-telemetry asks; perhaps the same question twice."""
        request = self.treatment.start_request(self.now, rate_ml_per_h=rate)
        request.order_id = request.order_id or str(uuid4())
        request.echoed_at.CopyFrom(to_timestamp(self.now - timedelta(seconds=age)))
        if again and self.last is not None and self.last[0] == "AuthoriseStart":
            request = self.last[1]
        answered = self.attempt("AuthoriseStart", request, "service")
        if answered is not None and self.last != ("AuthoriseStart", request):
            self.flag_at_start = self.flag_at_start or bool(self.flags)
            # The question itself was whole, fresh and of the order.
            assert rate != "60.1"
            assert age <= 120
        self.last = ("AuthoriseStart", request)

    @rule(wasted=st.sampled_from(["460", "460", "461"]))
    def account(self, wasted: str) -> None:
        """The drug is accounted for."""
        request = self.treatment.close_request(wasted_mg=wasted)
        if self.attempt("CloseSession", request) is not None:
            assert wasted == "460"
            self.attempt("CloseSession", request)

    @rule()
    def recover(self) -> None:
        """The recovery is charted, a quarter of an hour apart, and instructions are given."""
        try:
            self.treatment.recovered(self.now).instructed(self.now)
        except SaguaroError:
            return

    @rule(driver=st.booleans())
    def go_home(self, driver: bool) -> None:
        """The nurse lets the person go."""
        answered = self.attempt("DischargeSession", self.treatment.discharge_request(driver_present=driver))
        assert answered is None or (driver and not self.flags)

    @rule(minutes=st.sampled_from([1, 15, 40, 150]))
    def wait(self, minutes: int) -> None:
        """Clinic time passes: an order may run out, a baseline grow old."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def onward(self) -> None:
        """Once more the usual way, so that examples get far."""
        self.along()

    @precondition(lambda self: self.row().state == "ready")
    @rule(minutes=st.sampled_from([200, 1600]))
    def start_late(self, minutes: int) -> None:
        """Everything is ready, and nobody starts for hours, or for more than a day."""
        self.now += timedelta(minutes=minutes)
        self.start("60", 10, again=False)

    @rule()
    def along(self) -> None:
        """The usual way: whatever comes next for a session in its state."""
        state = self.row().state
        if state in ("planned", "prepared"):
            self.issue()
            self.prepare("")
            self.close_gate()
        elif state == "ready":
            self.start("60", 10, again=False)
        elif state == "authorised":
            self.report("started")
        elif state in ("infusing", "paused"):
            self.wait(40)
            self.report("completed")
        elif state in ("recovering", "discharged"):
            self.account("460")
            self.wait(150)
            self.recover()
            self.go_home(driver=True)

    # --- what others tell ---------------------------------------------------------------------------------------------

    @rule(first=st.integers(0, 30), second=st.integers(0, 30), third=st.integers(0, 30))
    def pauses(self, first: int, second: int, third: int) -> None:
        """Two pauses and a resume, told in any order of their times."""
        self.report("paused", first)
        self.report("resumed", second)
        self.report("paused", third)

    @rule(kind=st.sampled_from(REPORTS), ago=st.sampled_from([0, 0, 5]))
    def report(self, kind: str, ago: int = 0) -> None:
        """The pump reports something of so many minutes ago, whether or not it was let to."""
        about: dict[str, Any] = {
            "session_id": self.treatment.session_id,
            "person_id": self.treatment.plan.person_id,
            "site_id": SITE,
        }
        order_id = self.treatment.order.order_id or str(uuid4())
        now = to_timestamp(self.now - timedelta(minutes=ago))
        if kind == "started":
            message: Any = device_events.InfusionStarted(
                **about, order_id=order_id, pump_id=str(uuid4()), started_at=now, start_total_ml="0"
            )
        elif kind == "paused":
            message = device_events.InfusionPaused(**about, paused_at=now)
        elif kind == "resumed":
            message = device_events.InfusionResumed(**about, resumed_at=now)
        else:
            ended = device_events.InfusionCompleted if kind == "completed" else device_events.InfusionAborted
            message = self.treatment.ended_event(ended, order_id=order_id, started_at=now, stopped_at=now)
            if kind == "aborted":
                message.reason_code = "wish.of.person"
        self.tell(message, uuid4())

    @rule(which=st.integers(0, 20))
    def report_again(self, which: int) -> None:
        """An earlier report comes again, or late: as the same event, or told anew."""
        if self.reports:
            message, event_id = self.reports[which % len(self.reports)]
            self.tell(message, event_id if which % 2 else uuid4())

    def tell(self, message: Any, event_id: UUID) -> None:
        """Delivers a report; the model keeps what was taken."""
        self.reports.append((message, event_id))
        if self.harness_takes(message, event_id) == "applied":
            self.progress = followed(self.progress, message)

    def harness_takes(self, message: Any, event_id: UUID) -> str:
        """What became of a report. One that is poison would hold those behind it, so that it is taken out as an operator does."""
        result = self.ward.harness.deliver(message, at=self.now, event_id=event_id)
        if result in ("poison", "follower"):
            with self.ward.harness.database.engine.begin() as connection:
                connection.exec_driver_sql("DELETE FROM parked")
        return result

    def flag(self) -> None:
        """A safety flag is raised, or the open one cleared."""
        person_id = self.treatment.plan.person_id
        if self.flags:
            self.ward.flag_cleared(person_id, self.flags.pop())
        else:
            self.flags.append(self.ward.flag_raised(person_id))

    def consent(self) -> None:
        """Consent is given, or taken back."""
        person_id = self.treatment.plan.person_id
        if self.consents:
            self.ward.consent_withdrawn(person_id, self.consents.pop())
        else:
            self.consents.append(self.ward.consent_granted(person_id))

    def cancel(self) -> None:
        """scheduling calls the session off."""
        message = scheduling_events.SessionCancelled(
            session_id=self.treatment.session_id,
            person_id=self.treatment.plan.person_id,
            site_id=SITE,
            cancelled_at=to_timestamp(self.now),
        )
        assert self.ward.harness.deliver(message, at=self.now) == "applied"

    @rule(kind=st.sampled_from(["flag", "flag", "consent", "consent", "revoke", "revoke", "cancel"]))
    def disturb(self, kind: str) -> None:
        """Something comes between."""
        getattr(self, kind)()

    # --- what must hold -----------------------------------------------------------------------------------------------

    def rows(self, table: Any) -> list[Any]:
        """The session's rows of a table."""
        with self.ward.harness.database.engine.connect() as connection:
            mine = table.c.session_id == UUID(self.treatment.session_id)
            return list(connection.execute(select(table).where(mine)).all())

    def row(self) -> Any:
        """The session."""
        return self.rows(session_record)[0]

    @invariant()
    def drug_flows_only_under_an_order(self) -> None:
        """No sequence reaches infusing-authorised without a signed, unexpired, unused order behind a closed gate."""
        used = [order for order in self.rows(treatment_order) if order.used_at is not None]
        assert len(used) <= 1
        assert not self.flag_at_start
        if self.row().state in AUTHORISED:
            (order,) = used
            assert order.revoked_at is None
            assert order.issued_at <= order.used_at < order.expires_at
            (ready,) = [row for row in self.rows(session_readiness) if row.order_id == order.order_id]
            assert ready.ready_at <= order.used_at
            with self.ward.harness.database.engine.connect() as connection:
                signed = connection.execute(select(plan).where(plan.c.plan_id == order.plan_id)).one()
            assert signed.signed_at is not None
            assert signed.signed_at <= order.issued_at
        if not used:
            assert not self.rows(pump_totals)

    @invariant()
    def the_state_is_what_was_told(self) -> None:
        """Reports in any order, twice or late, give the state of all that were taken."""
        gone, accounted = self.rows(session_discharge), self.rows(session_closure)
        assert len(gone) <= 1
        assert len(accounted) <= 1
        told = state_reported(
            Progress(
                self.progress.started_at,
                self.progress.last_paused_at,
                self.progress.last_resumed_at,
                self.progress.ended,
                bool(gone),
                bool(accounted),
            )
        )
        state = self.row().state
        if told is not None and state != "cancelled":
            assert state == told
        if state == "closed":
            assert gone
            assert accounted

    def teardown(self) -> None:
        """What others were told: used once, discharged once, closed once."""
        if not hasattr(self, "treatment"):
            return
        session_id = self.treatment.session_id
        for kind in (events.OrderUsed, events.SessionDischarged, events.SessionClosed):
            assert len(self.ward.told(kind, session_id)) <= 1
        assert len(self.ward.told(events.SessionClosed, session_id)) == len(self.rows(session_closure))


def followed(progress: Progress, message: Any) -> Progress:
    """The model's progress after a report was taken: the latest time of each kind."""
    times = {"started_at": progress.started_at, "last_paused_at": progress.last_paused_at}
    times["last_resumed_at"] = progress.last_resumed_at
    ended = progress.ended
    for field, name in (
        ("started_at", "started_at"),
        ("paused_at", "last_paused_at"),
        ("resumed_at", "last_resumed_at"),
    ):
        if field in message.DESCRIPTOR.fields_by_name and message.HasField(field):
            moment = getattr(message, field).ToDatetime(tzinfo=NOW.tzinfo)
            before = times[name]
            times[name] = moment if before is None else max(before, moment)
    if isinstance(message, device_events.InfusionCompleted | device_events.InfusionAborted):
        ended = True
    return Progress(times["started_at"], times["last_paused_at"], times["last_resumed_at"], ended)


def test_no_sequence_reaches_an_infusion_without_an_order_nor_closes_twice(shared_ward: Ward) -> None:
    """no sequence of commands, device reports, duplicates and delays reaches a state in which drug flowed without a signed, unexpired,
    unused order
    """
    SessionMachine.ward = shared_ward
    run_state_machine_as_test(
        SessionMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize(
    "reports", [("started", "completed"), ("paused", "started", "completed"), ("completed", "paused")]
)
def test_the_usual_way_reaches_the_end(shared_ward: Ward, reports: tuple[str, ...]) -> None:
    """The model is no empty one: along its usual way a session is closed, whatever the order of the reports."""
    SessionMachine.ward = shared_ward
    machine = SessionMachine()
    machine.book()
    machine.along()
    machine.along()
    for kind in reports:
        machine.report(kind)
        machine.the_state_is_what_was_told()
    machine.along()
    assert machine.row().state == "closed"
    machine.drug_flows_only_under_an_order()
    assert isinstance(machine.treatment.plan, types.Plan)


@pytest.mark.parametrize("disturbance", ["nothing", "flag", "revoke", "cancel"])
def test_what_is_ready_does_not_start_a_day_later_nor_against_a_disturbance(
    shared_ward: Ward, disturbance: str
) -> None:
    """The walks that matter most are taken each time, whatever the examples are."""
    SessionMachine.ward = shared_ward
    machine = SessionMachine()
    machine.book(steps=1)
    assert machine.row().state == "ready"
    if disturbance == "nothing":
        machine.start_late(1600)
    else:
        machine.disturb(disturbance)
        machine.start("60", 10, again=False)
    machine.drug_flows_only_under_an_order()
    assert machine.row().state not in AUTHORISED
