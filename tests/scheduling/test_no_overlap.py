"""No sequence of bookings, cancellations and misses leaves two active claims of one resource on one moment."""

from datetime import timedelta
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.errors import AlreadyExists
from saguaro.scheduling.v1 import service_pb2 as pb
from tests.scheduling.clinic import NINE, Clinic

# (act, person, quarter hours after nine, infusion minutes, which chair, pump, monitor, nurse)
step = st.tuples(
    st.sampled_from(["book", "book", "book", "cancel", "miss"]),
    st.integers(0, 2),
    st.integers(0, 40),
    st.sampled_from([20, 40, 240]),
    st.tuples(*[st.integers(0, 1)] * 4),
)

_OVERLAPS = text("""
SELECT count(*) FROM claim a JOIN claim b ON a.resource_id = b.resource_id AND a.during && b.during
WHERE a.active AND b.active AND a.session_id < b.session_id
""")
# Every booking that stands holds five claims, every other one none.
_TORN = text("""
SELECT count(*) FROM (
    SELECT booking.state IN ('booked', 'arrived', 'fulfilled') AS stands, count(*) FILTER (WHERE claim.active) AS held
    FROM booking JOIN claim USING (session_id) GROUP BY session_id, booking.state
) AS one WHERE held <> CASE WHEN stands THEN 5 ELSE 0 END
""")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(step, min_size=4, max_size=14))
def test_active_claims_never_overlap(
    clinic: Clinic, steps: list[tuple[str, int, int, int, tuple[int, int, int, int]]]
) -> None:
    place = clinic.open(sets=2)
    people = [str(uuid4()) for _ in range(3)]
    plans = [clinic.plan(person, sessions=40) for person in people]
    standing: list[str] = []
    unnamed: list[AlreadyExists] = []
    for number, (act, who, quarters, infusion_min, choice) in enumerate(steps):
        starts_at = NINE + timedelta(minutes=15 * quarters)
        chosen = {
            f"{kind}_id": place.resources[kind][which] for kind, which in zip(place.resources, choice, strict=True)
        }
        if act == "book":
            request = clinic.request(
                place,
                people[who],
                plans[who],
                ordinal=number + 1,
                starts_at=starts_at,
                infusion_min=infusion_min,
                **chosen,
            )
            try:
                standing.append(clinic.book(request).session_id)
            except AlreadyExists as refused:
                unnamed += [refused] if not any(name.endswith("held_by_session_id") for name in refused.ids) else []
        elif standing:
            session = standing.pop(quarters % len(standing))
            _give_up(clinic, act, session)
    assert unnamed == []
    with clinic.harness.database.engine.connect() as connection:
        assert connection.execute(_OVERLAPS).scalar() == 0
        assert connection.execute(_TORN).scalar() == 0


def _give_up(clinic: Clinic, act: str, session_id: str) -> None:
    if act == "cancel":
        request = pb.CancelSessionRequest(session_id=session_id, reason_code="person.asked")
        clinic.harness.call("CancelSession", request, role="scheduler", at=NINE)
        return
    late = NINE + timedelta(days=1)
    clinic.harness.call("RecordNoShow", pb.RecordNoShowRequest(session_id=session_id), role="nurse", at=late)
