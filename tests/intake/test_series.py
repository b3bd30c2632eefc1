"""Results against the baseline of their series, whatever becomes known first."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from chassis.values import to_timestamp
from saguaro.device_telemetry.v1 import events_pb2 as infusion_events
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

from .conftest import NOW, PHOENIX, Desk
from .forms import PCL5, PEG, YBOCS, YBOCS_II, adding_up_to, form_of

DAY = timedelta(days=1)


class Course:
    """One person's plans, infusions and questionnaires; days are counted from NOW."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.person_id = desk.person()
        self.place: dict[str, Any] = {"person_id": self.person_id, "site_id": PHOENIX}

    def phq9(self, total: int, day: float) -> Any:
        values = [min(3, max(0, total - 3 * place)) for place in range(8)]
        assert sum(values) == total
        return self.desk.phq9(self.person_id, [*values, 0], at=NOW + day * DAY)

    def fill_in(self, which: tuple[str, str], total: int, day: float) -> Any:
        return self.desk.fill_in(self.person_id, *which, adding_up_to(total, form_of(which)), at=NOW + day * DAY)

    def sign(self, day: float, plan_id: str = "") -> str:
        plan_id = plan_id or str(uuid4())
        signed = plan_events.PlanSigned(plan_id=plan_id, signed_at=stamp(day), **self.place)
        assert self.desk.harness.deliver(signed) == "applied"
        return plan_id

    def start(self, day: float, session_id: str = "") -> str:
        session_id = session_id or str(uuid4())
        started = infusion_events.InfusionStarted(session_id=session_id, started_at=stamp(day), **self.place)
        assert self.desk.harness.deliver(started) == "applied"
        return session_id

    def close(self, day: float, plan_id: str, session_id: str = "") -> None:
        closed = plan_events.SessionClosed(
            session_id=session_id or str(uuid4()),
            plan_id=plan_id,
            started_at=stamp(day),
            stopped_at=stamp(day + 0.02),
            closed_at=stamp(day + 0.05),
            **self.place,
        )
        assert self.desk.harness.deliver(closed) == "applied"

    def results(self, instrument: str = "") -> list[Any]:
        request = pb.ListInstrumentResultsRequest(person_id=self.person_id, instrument=instrument)
        return list(self.desk.call("ListInstrumentResults", request).results)

    def revised(self) -> list[events.InstrumentOutcomeRevised]:
        return self.desk.harness.events(events.InstrumentOutcomeRevised)


def stamp(day: float) -> Any:
    return to_timestamp(NOW + day * DAY)


def at(day: float) -> datetime:
    return NOW + day * DAY


@pytest.fixture
def course(desk: Desk) -> Course:
    """Somebody who comes in for a series."""
    return Course(desk)


def test_a_result_in_a_series_is_judged_against_the_last_one_before_its_first_infusion(course: Course) -> None:
    course.phq9(24, 0)
    baseline = course.phq9(20, 2)
    course.sign(3)
    course.start(4)
    answer = course.phq9(10, 5)
    assert (answer.baseline_result_id, answer.baseline_total) == (baseline.result_id, 20)
    assert (answer.improvement_percent, list(answer.outcome_codes)) == ("50.0", ["response", "reliable_change"])
    done = course.desk.harness.events(events.InstrumentCompleted)[-1]
    assert (done.result_id, done.score, done.baseline_result_id) == (answer.result_id, "10", baseline.result_id)
    assert (done.baseline_total, done.improvement_percent) == (20, "50.0")
    assert list(done.outcome_codes) == ["response", "reliable_change"]
    assert list(done.finding_codes) == ["cut_positive"]
    assert course.revised() == []


def test_before_the_first_infusion_there_is_no_baseline(course: Course) -> None:
    course.phq9(20, 0)
    course.sign(1)
    answer = course.phq9(10, 2)
    assert not answer.HasField("baseline_total")
    assert (answer.baseline_result_id, answer.improvement_percent, list(answer.outcome_codes)) == ("", "", [])
    # On the day of the first infusion, before it: the baseline and nothing to be judged.
    course.start(3)
    assert not course.phq9(12, 2.99).HasField("baseline_total")
    assert course.phq9(6, 3.01).baseline_total == 12


def test_a_result_that_cannot_be_scored_is_no_baseline_and_has_none(course: Course) -> None:
    course.phq9(20, 0)
    course.desk.phq9(course.person_id, [3, 3, None, None, None, 0, 0, 0, 0], at=at(1))
    course.sign(2)
    course.start(3)
    assert course.phq9(8, 4).baseline_total == 20
    unscorable = course.desk.phq9(course.person_id, [3, 3, None, None, None, 0, 0, 0, 0], at=at(5))
    assert unscorable.band == "not_scorable"
    assert not unscorable.HasField("baseline_total")


def test_a_prorated_total_is_compared_like_any_other(course: Course) -> None:
    course.desk.phq9(course.person_id, [3, 3, 3, 2, 2, 0, 0, None, 0], at=at(0))
    course.sign(1)
    course.start(2)
    assert course.phq9(7, 3).baseline_total == 15


def test_instruments_and_versions_are_never_mixed(course: Course) -> None:
    """Y-BOCS-II is 0-50 (items 0-5) with different bands 0-14/15-21/22-34/35-50: **never mix versions**"""
    course.fill_in(YBOCS, 30, 0)
    course.fill_in(PCL5, 50, 0)
    course.sign(1)
    course.start(2)
    second_edition = course.fill_in(YBOCS_II, 19, 3)
    assert not second_edition.HasField("baseline_total")
    assert second_edition.band == "mild"
    first_edition = course.fill_in(YBOCS, 19, 3)
    assert (first_edition.baseline_total, list(first_edition.outcome_codes)) == (30, ["response"])
    assert list(course.fill_in(PCL5, 35, 3).outcome_codes) == ["reliable_change"]


def test_peg_is_compared_by_its_sums(course: Course) -> None:
    """store the sum, compare sums, show one decimal (from 6.7 to 4.7 would wrongly read 29.85 % for sums 20 to 14 = 30 %)"""
    before = course.fill_in(PEG, 20, 0)
    course.sign(1)
    course.start(2)
    after = course.fill_in(PEG, 14, 3)
    assert (before.total, before.score, after.total, after.score) == (20, "6.7", 14, "4.7")
    assert (after.improvement_percent, list(after.outcome_codes)) == ("30.0", ["response"])


def test_another_plan_begins_another_series(course: Course) -> None:
    course.phq9(20, 0)
    course.close(2, course.sign(1))
    assert course.phq9(10, 3).baseline_total == 20
    maintenance = course.sign(20)
    # Signed and not begun: what is answered now may become its baseline.
    between = course.phq9(8, 21)
    assert not between.HasField("baseline_total")
    course.close(22, maintenance)
    assert course.phq9(4, 23).baseline_result_id == between.result_id
    # What was judged in the first series stays.
    assert [result.baseline_total for result in course.results()] == [0, 20, 0, 8]


def test_later_infusions_of_the_plan_do_not_move_the_baseline(course: Course) -> None:
    course.phq9(20, 0)
    plan_id = course.sign(1)
    for session in range(3):
        course.close(2 + 3 * session, plan_id)
        assert course.phq9(18 - 4 * session, 3 + 3 * session).baseline_total == 20


def test_an_infusion_that_becomes_known_late_is_told_of_the_results_since(course: Course) -> None:
    baseline = course.phq9(20, 0)
    plan_id = course.sign(1)
    early = course.phq9(9, 3)
    assert not early.HasField("baseline_total")
    course.close(2, plan_id)
    (revised,) = course.revised()
    assert (revised.result_id, revised.baseline_result_id, revised.baseline_total) == (
        early.result_id,
        baseline.result_id,
        20,
    )
    assert (revised.instrument, revised.improvement_percent) == ("PHQ-9", "55.0")
    assert list(revised.outcome_codes) == ["response", "reliable_change"]
    assert revised.completed_at == stamp(3)
    shown = course.results()[1]
    assert (shown.baseline_total, shown.improvement_percent) == (20, "55.0")
    assert list(shown.outcome_codes) == ["response", "reliable_change"]


def test_the_order_in_which_plan_and_infusion_become_known_does_not_matter(course: Course) -> None:
    course.phq9(20, 0)
    session_id, plan_id = str(uuid4()), str(uuid4())
    course.start(2, session_id)
    later = course.phq9(10, 3)
    assert not later.HasField("baseline_total")
    course.close(2, plan_id, session_id)
    assert course.results()[1].baseline_total == 20
    course.sign(1, plan_id)
    assert course.results()[1].baseline_total == 20
    assert len(course.revised()) == 1


def test_a_plan_that_becomes_known_late_takes_the_baseline_away_again(course: Course) -> None:
    course.phq9(20, 0)
    course.close(2, course.sign(1))
    judged = course.phq9(10, 9)
    assert judged.baseline_total == 20
    course.sign(8)
    (revised,) = course.revised()
    assert (revised.result_id, revised.baseline_result_id, list(revised.outcome_codes)) == (judged.result_id, "", [])
    assert not course.results()[1].HasField("baseline_total")


def test_said_twice_changes_nothing(course: Course) -> None:
    course.phq9(20, 0)
    plan_id = course.sign(1)
    course.close(2, plan_id)
    course.phq9(10, 3)
    course.sign(1, plan_id)
    course.close(2, plan_id)
    assert course.revised() == []
    assert len(course.results()) == 2


def test_a_session_that_never_began_begins_no_series(course: Course) -> None:
    course.phq9(20, 0)
    plan_id = course.sign(1)
    closed = plan_events.SessionClosed(session_id=str(uuid4()), plan_id=plan_id, closed_at=stamp(2), **course.place)
    assert course.desk.harness.deliver(closed) == "applied"
    assert not course.phq9(10, 3).HasField("baseline_total")


def test_a_form_that_is_entered_late_becomes_the_baseline_of_what_came_after(course: Course) -> None:
    course.close(2, course.sign(1))
    first = course.phq9(10, 3)
    assert not first.HasField("baseline_total")
    course.phq9(20, 1.5)
    (revised,) = course.revised()
    assert (revised.result_id, revised.baseline_total) == (first.result_id, 20)


def test_a_repeated_call_is_told_the_same(course: Course) -> None:
    course.phq9(20, 0)
    course.sign(1)
    course.start(2)
    answers = [types.Answer(item=str(number), value=1) for number in range(1, 10)]
    request = pb.CompleteInstrumentRequest(
        request_id=str(uuid4()), **course.place, instrument="PHQ-9", instrument_version="2001", answers=answers
    )
    first = course.desk.call("CompleteInstrument", request, at=at(3))
    assert course.desk.call("CompleteInstrument", request, at=at(3)) == first
    assert first.baseline_total == 20
    assert len(course.results()) == 2


def test_a_result_waits_for_an_infusion_that_is_being_taken_down(course: Course) -> None:
    """Both take the person's lock: a result that is completed meanwhile sees the infusion once it is on record."""
    course.phq9(20, 0)
    course.sign(1)
    engine = course.desk.harness.database.engine
    values = {"session": uuid4(), "person": UUID(course.person_id), "site": UUID(PHOENIX), "at": at(2)}
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as reaction:
            reaction.execute(text("INSERT INTO begun_infusion VALUES (:session, :person, :site, NULL, :at)"), values)
            reaction.execute(text("SELECT 1 FROM person WHERE person_id = :person FOR NO KEY UPDATE"), values)
            answer = pool.submit(course.phq9, 10, 3)
            while not answer.done() and not waits(engine):
                pass
            assert not answer.done()
        assert answer.result().baseline_total == 20


def waits(engine: Engine) -> bool:
    """Whether somebody waits for a lock in this database."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with engine.connect() as connection:
        return bool(connection.execute(text(asked)).scalar_one())
