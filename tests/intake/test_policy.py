"""Policy data are effective-dated: the row that holds at the clinic time of a command is the one that counts."""

from datetime import datetime, timedelta

from sqlalchemy import text

from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import types_pb2 as types

from .conftest import NOW, Desk

CHANGE = NOW + timedelta(days=10)


def supersede(desk: Desk, table: str, where: str, changed: str) -> None:
    """Closes a row at CHANGE and begins a changed one, as a later revision would."""
    with desk.harness.database.engine.begin() as connection:
        columns = list(connection.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys())
        assert changed.split(" AS ")[1] in columns
        name = changed.split(" AS ")[1]
        values = [changed.split(" AS ", maxsplit=1)[0] if column == name else column for column in columns]
        values = [
            ":change" if column == "effective_from" else value for column, value in zip(columns, values, strict=True)
        ]
        connection.execute(
            text(f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE {where}"),
            {"change": CHANGE},
        )
        closing = f"UPDATE {table} SET effective_until = :change WHERE {where} AND effective_from < :change"
        assert connection.execute(text(closing), {"change": CHANGE}).rowcount == 1


def test_a_due_time_changes_with_its_row(desk: Desk) -> None:
    supersede(desk, "flag_policy", "reason_code = 'cssrs.high'", "30 AS due_minutes")
    person_id = desk.person()

    def due(at: datetime) -> timedelta:
        desk.screen(person_id, "4", at=at)
        raised = desk.harness.events(events.SafetyFlagRaised)[-1]
        return raised.due_at.ToDatetime() - raised.raised_at.ToDatetime()

    assert due(CHANGE - timedelta(seconds=1)) == timedelta(minutes=15)
    assert due(CHANGE) == timedelta(minutes=30)
    # A command that arrives late is judged by its own time.
    assert due(NOW) == timedelta(minutes=15)


def test_a_band_changes_with_its_rows_and_what_was_scored_stays(desk: Desk) -> None:
    supersede(desk, "instrument_band", "instrument = 'PHQ-9' AND code = 'mild'", "6 AS lowest")
    supersede(desk, "instrument_band", "instrument = 'PHQ-9' AND code = 'minimal'", "5 AS highest")
    person_id, five = desk.person(), [1, 1, 1, 1, 1, 0, 0, 0, 0]
    assert desk.phq9(person_id, five, at=NOW).band == "mild"
    assert desk.phq9(person_id, five, at=CHANGE).band == "minimal"
    assert [event.band for event in desk.harness.events(events.InstrumentCompleted)] == ["mild", "minimal"]


def test_a_contraindication_that_was_lowered_to_a_warning_no_longer_declines(desk: Desk) -> None:
    supersede(desk, "contraindication", "code = 'lactation' AND asked_of = 'can_be_pregnant'", "'warn' AS level")
    person_id = desk.ready()
    assert desk.decide(person_id, "lactation", at=NOW).outcome == types.ELIGIBILITY_OUTCOME_DECLINED
    assert desk.decide(person_id, "lactation", at=CHANGE).outcome == types.ELIGIBILITY_OUTCOME_CLEARED


def test_the_threshold_of_likeness_is_policy(desk: Desk) -> None:
    supersede(desk, "policy_number", "policy_code = 'match.threshold'", "1.1 AS value")
    desk.register()
    assert desk.register(at=CHANGE - timedelta(days=1)).candidates
    assert desk.register(at=CHANGE).person_id
