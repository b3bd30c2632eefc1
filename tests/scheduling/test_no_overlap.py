"""No sequence of bookings, holds, moves, answers, refusals, cancellations and misses puts two on one resource or person."""

from datetime import timedelta
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument
from saguaro.scheduling.v1 import service_pb2 as pb
from tests.scheduling.clinic import NINE, NOW, PRIVILEGED, Clinic, setting_aside

ACTS = ["book", "book", "book", "hold", "confirm", "release", "move", "move", "answer", "refuse", "cancel", "miss"]
# (act, person, quarter hours after nine, infusion minutes, which chair, pump, monitor, nurse)
step = st.tuples(
    st.sampled_from(ACTS),
    st.integers(0, 2),
    st.integers(0, 40),
    st.sampled_from([20, 40, 240]),
    st.tuples(*[st.integers(0, 1)] * 4),
)

_OVERLAPS = text("""
SELECT count(*) FROM claim a JOIN claim b ON a.resource_id = b.resource_id AND a.during && b.during
WHERE a.active AND b.active AND (a.session_id, a.kind) < (b.session_id, b.kind)
""")
# Every booking that stands and every hold that is held has five claims, every other one none.
_TORN = text("""
SELECT count(*) FROM (
    SELECT booking.state IN ('booked', 'arrived', 'fulfilled') AS stands, count(*) FILTER (WHERE claim.active) AS held
    FROM booking JOIN claim USING (session_id) GROUP BY session_id, booking.state
    UNION ALL
    SELECT hold.state = 'held', count(*) FILTER (WHERE claim.active)
    FROM hold JOIN claim ON claim.session_id = hold_id WHERE hold.state <> 'confirmed' GROUP BY hold_id
) AS one WHERE held <> CASE WHEN stands THEN 5 ELSE 0 END
""")
# What no booking, no hold and no open change accounts for.
_LEFT_OVER = text("""
SELECT count(*) FROM claim WHERE active
AND NOT EXISTS (SELECT 1 FROM booking WHERE booking.session_id = claim.session_id)
AND NOT EXISTS (SELECT 1 FROM hold WHERE hold_id = claim.session_id AND state = 'held')
AND NOT EXISTS (SELECT 1 FROM session_change c WHERE c.state = 'proposed'
                AND claim.session_id IN (c.earlier_hold_id, c.later_hold_id))
""")
# Between two infusions of a person lie 24 hours, read from the bookings themselves.
_TOO_NEAR = text("""
SELECT count(*) FROM booking a JOIN booking b ON a.person_id = b.person_id AND a.session_id < b.session_id
WHERE a.state IN ('booked', 'arrived', 'fulfilled') AND b.state IN ('booked', 'arrived', 'fulfilled')
AND tstzrange(a.infusion_starts_at, a.infusion_ends_at + interval '24 hours')
    && tstzrange(b.infusion_starts_at, b.infusion_ends_at + interval '24 hours')
""")
_SOFT = setting_aside("interval.soft")

Step = tuple[str, int, int, int, tuple[int, int, int, int]]


class Day:
    """Does one step after another and keeps what stands; a refusal is an answer like any other."""

    def __init__(self, clinic: Clinic) -> None:
        self.clinic = clinic
        self.place = clinic.open(sets=2)
        self.people = [str(uuid4()) for _ in range(3)]
        self.plans = [clinic.plan(person, sessions=40) for person in self.people]
        self.sessions: list[str] = []
        self.holds: list[str] = []
        self.changes: list[str] = []
        self.unnamed: list[AlreadyExists] = []

    def do(self, number: int, one: Step) -> None:
        act, quarters, choice = one[0], one[2], one[4]
        try:
            if act in ("book", "hold"):
                self._take(number, one)
            elif act in ("confirm", "release") and self.holds:
                self._end_hold(act, self.holds.pop(quarters % len(self.holds)))
            elif act == "move" and self.sessions:
                self._move(self.sessions[quarters % len(self.sessions)], quarters, choice)
            elif act in ("answer", "refuse") and self.changes:
                self._answer(act == "answer", self.changes.pop(quarters % len(self.changes)))
            elif act in ("cancel", "miss") and self.sessions:
                self._give_up(act, self.sessions[quarters % len(self.sessions)])
        except AlreadyExists as refused:
            if not any(name.endswith("held_by_session_id") for name in refused.ids):
                self.unnamed.append(refused)
        except (FailedPrecondition, InvalidArgument) as refused:
            if refused.reason not in ("CHANGE_PENDING", "BOOKING_STATE", "INVALID_ARGUMENT"):
                raise

    def _chosen(self, choice: tuple[int, int, int, int]) -> dict[str, str]:
        resources = self.place.resources
        return {f"{kind}_id": resources[kind][which] for kind, which in zip(resources, choice, strict=True)}

    def _take(self, number: int, one: Step) -> None:
        act, who, quarters, infusion_min, choice = one
        request = self.clinic.request(
            self.place,
            self.people[who],
            self.plans[who],
            ordinal=number + 1,
            starts_at=NINE + timedelta(minutes=15 * quarters),
            infusion_min=infusion_min,
            override=_SOFT,
            **self._chosen(choice),
        )
        if act == "book":
            self.sessions.append(self.clinic.book(request, PRIVILEGED).session_id)
        else:
            held = pb.HoldTimeRequest.FromString(request.SerializeToString())
            self.holds.append(self.clinic.call("HoldTime", held, PRIVILEGED).hold_id)

    def _end_hold(self, act: str, hold_id: str) -> None:
        if act == "confirm":
            self.sessions.append(self.clinic.call("ConfirmHold", pb.ConfirmHoldRequest(hold_id=hold_id)).session_id)
        else:
            self.clinic.call("ReleaseHold", pb.ReleaseHoldRequest(hold_id=hold_id))

    def _move(self, session: str, quarters: int, choice: tuple[int, int, int, int]) -> None:
        start = NINE + timedelta(minutes=15 * quarters)
        self.changes.append(self.clinic.move(session, start, role=PRIVILEGED, override=_SOFT, **self._chosen(choice)))

    def _answer(self, yes: bool, change: str) -> None:
        for event in (self.clinic.plan_says(change), self.clinic.devices_say(change, yes, "devices.infusing")):
            assert self.clinic.harness.deliver(event, at=NOW) == "applied"

    def _give_up(self, act: str, session: str) -> None:
        if act == "cancel":
            self.changes.append(self.clinic.cancel(session))
            return
        late = NINE + timedelta(days=1)
        self.clinic.call("RecordNoShow", pb.RecordNoShowRequest(session_id=session), "nurse", late)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, min_size=4, max_size=16))
def test_active_claims_never_overlap(clinic: Clinic, steps: list[Step]) -> None:
    day = Day(clinic)
    for number, one in enumerate(steps):
        day.do(number, one)
    assert day.unnamed == []
    with clinic.harness.database.engine.connect() as connection:
        for question in (_OVERLAPS, _TORN, _LEFT_OVER, _TOO_NEAR):
            assert connection.execute(question).scalar() == 0, question
