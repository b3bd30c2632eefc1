"""Registration: a duplicate is not made by accident, a link not by mistake, and a repeated call tells the same."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb

from .conftest import NOW, PHOENIX, WINDOW_ROCK, Desk, identity

REGISTERED = pb.RegisterPersonResponse.OUTCOME_REGISTERED
LINKED = pb.RegisterPersonResponse.OUTCOME_LINKED
CANDIDATES = pb.RegisterPersonResponse.OUTCOME_CANDIDATES_FOUND


def rows(desk: Desk, table: str) -> int:
    with desk.harness.database.engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_the_first_of_a_kind_is_registered(desk: Desk) -> None:
    answer = desk.register()
    assert answer.outcome == REGISTERED
    (event,) = desk.harness.events(events.PatientRegistered)
    assert event == events.PatientRegistered(
        person_id=answer.person_id, site_id=PHOENIX, registered_at=event.registered_at, synthetic=True
    )
    assert event.registered_at.ToDatetime(tzinfo=UTC) == NOW


def test_the_same_person_at_another_site_is_a_candidate_and_nothing_is_written(desk: Desk) -> None:
    first = desk.register()
    before = [rows(desk, table) for table in ("person", "registration", "match_token", "match_decision", "sealing_key")]
    answer = desk.register(site_id=WINDOW_ROCK)
    assert answer.outcome == CANDIDATES
    assert answer.person_id == ""
    (candidate,) = answer.candidates
    assert (candidate.person_id, list(candidate.site_ids), candidate.likeness) == (first.person_id, [PHOENIX], 1.0)
    assert "family_name+birth_date" in candidate.agreed_on
    assert "phone" in candidate.agreed_on
    assert [
        rows(desk, table) for table in ("person", "registration", "match_token", "match_decision", "sealing_key")
    ] == before
    assert len(desk.harness.events(events.PatientRegistered)) == 1
    assert desk.harness.events(events.PatientLinked) == []


SLIPS: list[dict[str, Any]] = [
    {"family_name": "Quintanila Zepeda"},
    {"family_name": "QUINTANILLA ZEPEDA", "given_name": "marisól"},
    {"given_name": "Mary", "phone": ""},
    {"birth_date": "1984-07-03"},
    {"birth_date": "1984-03-17"},
    {"phone": "+16025550199", "email": "", "address_line": "1 Elsewhere", "postal_code": "86001"},
    {"email": "other@example.org", "phone": "", "family_name": "Quintanilla"},
]


def test_a_slip_of_the_pen_still_finds_the_person(desk: Desk) -> None:
    first = desk.register()
    for slip in SLIPS:
        answer = desk.register(identity(**slip), site_id=WINDOW_ROCK)
        assert answer.outcome == CANDIDATES, slip
        assert [candidate.person_id for candidate in answer.candidates] == [first.person_id]
        assert 0.8 <= answer.candidates[0].likeness <= 1.0
    assert rows(desk, "person") == 1


STRANGERS: list[dict[str, Any]] = [
    # A household shares name, telephone and address; a stranger shares a birthday and a street.
    {"given_name": "Bartholomew", "birth_date": "2001-11-30", "email": "b@example.org"},
    {"given_name": "Olga", "family_name": "Brzezinski", "phone": "", "email": ""},
    {"given_name": "Kim", "family_name": "Ng", "birth_date": "1950-01-01", "email": ""},
]


def test_somebody_else_is_registered_without_a_question(desk: Desk) -> None:
    desk.register()
    for stranger in STRANGERS:
        assert desk.register(identity(**stranger)).outcome == REGISTERED, stranger


def test_a_link_adds_the_site_and_seals_its_record_number(desk: Desk) -> None:
    first = desk.register(medical_record_number="PHX-001")
    moved = identity(phone="+19285550123", address_line="12 Navajo Route 64", city="Window Rock", postal_code="86515")
    linked = desk.register(
        moved, site_id=WINDOW_ROCK, medical_record_number="WRK-77", same_as_person_id=first.person_id
    )
    assert (linked.outcome, linked.person_id) == (LINKED, first.person_id)
    (event,) = desk.harness.events(events.PatientLinked)
    assert (event.person_id, event.site_id) == (first.person_id, WINDOW_ROCK)
    answer = desk.call("GetPerson", pb.GetPersonRequest(person_id=first.person_id))
    assert {(number.site_id, number.medical_record_number) for number in answer.record_numbers} == {
        (PHOENIX, "PHX-001"), (WINDOW_ROCK, "WRK-77"),
    }  # fmt: skip
    assert len(desk.harness.events(events.PatientRegistered)) == 1
    # What was stated at the second site finds the person as well.
    assert desk.register(moved).candidates[0].person_id == first.person_id


def test_a_link_to_somebody_who_is_not_alike_to_nobody_or_twice_is_refused(desk: Desk) -> None:
    first, other = desk.register(), desk.person()
    for who, error, reason in (
        (other, FailedPrecondition, "NOT_A_CANDIDATE"),
        (str(uuid4()), NotFound, "NOT_FOUND"),
        (first.person_id, AlreadyExists, "PERSON_AT_SITE"),
    ):
        site_id = PHOENIX if reason == "PERSON_AT_SITE" else WINDOW_ROCK
        with pytest.raises(error, match=reason) as refused:
            desk.register(site_id=site_id, same_as_person_id=who)
        assert refused.value.field == "same_as_person_id"
    assert desk.harness.events(events.PatientLinked) == []


def test_not_the_same_registers_and_keeps_why(desk: Desk) -> None:
    first = desk.register()
    other = desk.register(site_id=WINDOW_ROCK, not_same_reason_code="different_identity_document")
    assert other.outcome == REGISTERED
    assert other.person_id != first.person_id
    with desk.harness.database.engine.connect() as connection:
        row = connection.execute(text("SELECT * FROM match_decision")).one()
    assert (str(row.person_id), str(row.candidate_person_id)) == (other.person_id, first.person_id)
    assert (row.decision, row.reason_code) == ("not_same", "different_identity_document")


def test_drawn_people_never_meet_real_ones(desk: Desk) -> None:
    desk.register(synthetic=True)
    assert desk.register(synthetic=False, site_id=WINDOW_ROCK).outcome == REGISTERED


def test_a_repeated_call_tells_the_same_and_has_one_effect(desk: Desk) -> None:
    request = pb.RegisterPersonRequest(
        request_id=str(uuid4()), site_id=PHOENIX, identity=identity(), medical_record_number="M-1", synthetic=True
    )
    first = desk.call("RegisterPerson", request, "intake_clerk")
    assert desk.call("RegisterPerson", request, "intake_clerk") == first
    assert rows(desk, "person") == 1
    asked = pb.RegisterPersonRequest(
        request_id=str(uuid4()), site_id=WINDOW_ROCK, identity=identity(), medical_record_number="W-1", synthetic=True
    )
    found = desk.call("RegisterPerson", asked, "intake_clerk")
    assert found.outcome == CANDIDATES
    assert desk.call("RegisterPerson", asked, "intake_clerk") == found
    asked.same_as_person_id = first.person_id
    with pytest.raises(FailedPrecondition, match="REQUEST_ID_REUSED"):
        desk.call("RegisterPerson", asked, "intake_clerk")
    asked.request_id = str(uuid4())
    linked = desk.call("RegisterPerson", asked, "intake_clerk")
    assert linked.outcome == LINKED
    assert desk.call("RegisterPerson", asked, "intake_clerk") == linked
    assert len(desk.harness.events(events.PatientLinked)) == 1


def test_a_site_gives_a_record_number_once(desk: Desk) -> None:
    first = desk.register(medical_record_number="PHX-001")
    stranger = identity(given_name="Olga", family_name="Brzezinski", birth_date="1950-01-01", phone="", email="")
    for number in ("PHX-001", " phx-001 ", "PHX -001"):
        with pytest.raises(AlreadyExists, match="RECORD_NUMBER_TAKEN") as refused:
            desk.register(stranger, medical_record_number=number)
        assert refused.value.ids == {"person_id": first.person_id}
    assert desk.register(stranger, medical_record_number="PHX-001", site_id=WINDOW_ROCK).outcome == REGISTERED


def test_eight_clerks_who_enter_one_person_at_once_make_one_record(desk: Desk) -> None:
    def enter(number: int) -> Any:
        return desk.register(site_id=(PHOENIX, WINDOW_ROCK)[number % 2], medical_record_number=f"N-{number}")

    with ThreadPoolExecutor(8) as clerks:
        answers = list(clerks.map(enter, range(8)))
    assert sorted(answer.outcome for answer in answers) == [REGISTERED] + [CANDIDATES] * 7
    assert rows(desk, "person") == 1


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"birth_date": "2026-07-16"}, "birth_date"),
    ({"birth_date": "2026-02-30"}, "birth_date"),
    ({"birth_date": "1884-03-07"}, "birth_date"),
    ({"state": "ZZ"}, "state"),
    ({"phone": "6025550147"}, "phone"),
    ({"phone": "+1 602 555 0147"}, "phone"),
    ({"phone": "+16025"}, "phone"),
    ({"email": "marisol at example"}, "email"),
    ({"family_name": "---"}, "family_name"),
    ({"postal_code": "8525"}, "postal_code"),
    ({"given_name": ""}, "given_name"),
]


def test_a_wrong_identity_is_refused_by_field_and_rule_without_its_value(desk: Desk) -> None:
    for wrong, field in BROKEN:
        with pytest.raises(InvalidArgument) as refused:
            desk.register(identity(**wrong))
        assert refused.value.field == f"identity.{field}", wrong
        assert refused.value.rule
        value = str(wrong[field])
        assert not value or value not in str(refused.value)
    assert rows(desk, "person") == 0


def test_born_today_at_the_site_is_no_future(desk: Desk) -> None:
    """2026-07-16 02:00Z is the 15th at the site."""
    evening = datetime(2026, 7, 16, 2, 0, tzinfo=UTC)
    assert desk.register(identity(birth_date="2026-07-15"), at=evening).outcome == REGISTERED
    with pytest.raises(InvalidArgument):
        desk.register(identity(birth_date="2026-07-16"), at=evening)


def test_every_finding_is_named_at_once(desk: Desk) -> None:
    with pytest.raises(InvalidArgument) as refused:
        desk.register(identity(birth_date="2030-01-01", state="ZZ", phone="5"))
    assert [finding.field for finding in refused.value.findings] == [
        "identity.birth_date",
        "identity.state",
        "identity.phone",
    ]


def test_an_unknown_site_and_a_blank_record_number_are_refused(desk: Desk) -> None:
    with pytest.raises(FailedPrecondition, match="SITE_UNKNOWN"):
        desk.register(site_id=str(uuid4()))
    with pytest.raises(InvalidArgument) as refused:
        desk.register(medical_record_number="   ")
    assert refused.value.field == "medical_record_number"


def test_only_the_front_desk_registers(desk: Desk) -> None:
    for role in ("operator", "prescriber", "service"):
        with pytest.raises(PermissionDenied):
            desk.register(role=role)
