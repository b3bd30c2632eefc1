"""The arithmetic of a visit, and the proof that one claim of the person holds the whole rule."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scheduling.domain import words
from scheduling.domain.policy import BookingPolicy
from scheduling.domain.spans import Busy, Covered, merged
from scheduling.domain.visit import Span, Visit, plan_visit

T0 = datetime(2026, 7, 15, tzinfo=UTC)
# As they ship.
PHASES = {
    words.CHAIR: (words.ARRIVAL, words.CLEANING_END),
    words.PUMP: (words.ARRIVAL, words.INFUSION_END),
    words.MONITOR: (words.ARRIVAL, words.VISIT_END),
    words.NURSE: (words.ARRIVAL, words.VISIT_END),
    words.PERSON: (words.INFUSION_START, words.INTERVAL_END),
}
minutes = st.integers(0, 5000)
spans = st.builds(
    lambda start, length: Span(T0 + timedelta(minutes=start), T0 + timedelta(minutes=start + length)),
    minutes,
    st.integers(1, 600),
)


# Within the bounds that the policy table enforces.
policies = st.builds(
    BookingPolicy,
    preparation_min=st.integers(0, 120),
    recovery_min=st.integers(0, 240),
    first_recovery_min=st.integers(0, 240),
    pain_recovery_min=st.integers(0, 240),
    infusion_interval_min=st.integers(360, 3000),
    soft_interval_min=st.just(3000),
    cleaning_min=st.integers(0, 120),
    grid_min=st.just(5),
    search_max_days=st.just(31),
)
visits = st.tuples(minutes, st.integers(1, 600), st.integers(1, 6), st.booleans(), policies)


def _visit(drawn: tuple[int, int, int, bool, BookingPolicy], interval_min: int) -> Visit:
    start, infusion_min, ordinal, for_pain, policy = drawn
    policy = BookingPolicy(**(policy.__dict__ | {"infusion_interval_min": interval_min}))
    recovery = policy.recovery_of(ordinal=ordinal, for_pain=for_pain)
    return plan_visit(T0 + timedelta(minutes=start), infusion_min, recovery, policy, PHASES)


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


@given(visits, visits, st.integers(360, 3000))
def test_persons_claims_overlap_exactly_when_infusions_are_too_near(
    one: tuple[int, int, int, bool, BookingPolicy], other: tuple[int, int, int, bool, BookingPolicy], interval: int
) -> None:
    first, second = sorted((_visit(one, interval), _visit(other, interval)), key=lambda v: v.infusion_starts_at)
    too_near = second.infusion_starts_at - first.infusion_ends_at < timedelta(minutes=interval)
    assert _overlap(first.span_of(words.PERSON), second.span_of(words.PERSON)) == too_near
    if not too_near:
        # And the visits themselves are then apart, whatever the policies of the two days say.
        assert not _overlap(first.span_of(words.NURSE), second.span_of(words.NURSE))


@given(st.lists(spans), spans)
def test_free_and_covered_agree_with_looking_at_every_minute(taken: list[Span], wanted: Span) -> None:
    length = int((wanted.end - wanted.start) / timedelta(minutes=1))
    inside = [wanted.start + timedelta(minutes=n) for n in range(length)]
    hit = [any(span.start <= minute < span.end for span in taken) for minute in inside]
    assert Busy(taken).free(wanted) == (not any(hit))
    assert Covered(taken).covers(wanted) == all(hit)
    assert all(left.end < right.start for left, right in zip(merged(taken), merged(taken)[1:], strict=False))


@given(visits, visits, st.integers(360, 3000), st.integers(0, 3000))
def test_a_claim_in_the_near_stretch_is_an_infusion_within_the_soft_interval(
    one: tuple[int, int, int, bool, BookingPolicy],
    other: tuple[int, int, int, bool, BookingPolicy],
    interval: int,
    more: int,
) -> None:
    first, second = sorted((_visit(one, interval), _visit(other, interval)), key=lambda v: v.infusion_starts_at)
    soft = interval + more
    within = second.infusion_starts_at - first.infusion_ends_at < timedelta(minutes=soft)
    assert _overlap(second.near(soft), first.span_of(words.PERSON)) == within
    assert _overlap(first.near(soft), second.span_of(words.PERSON)) == within
