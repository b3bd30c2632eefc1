"""Private by default: who a person is lies sealed, and nowhere else."""

from collections.abc import Callable

import pytest
from sqlalchemy import inspect, text

from chassis.database import Database
from chassis.errors import PermissionDenied
from chassis.sealed import SealBroken
from chassis.testing import ServiceHarness
from intake.app import INDEX
from saguaro.intake.v1 import service_pb2 as pb

from .conftest import PHOENIX, WINDOW_ROCK, Desk, identity

WHO = identity()
RECORD_NUMBER = "PHX-7719-Q"
NOTE = "Marisol says her brother Anselmo will stay with her tonight."
SEEDED = [
    WHO.given_name, WHO.family_name, WHO.birth_date, WHO.phone, WHO.phone[2:], WHO.email, WHO.address_line, WHO.postal_code,
    RECORD_NUMBER, "Anselmo", "19840307", "quintanillazepeda",
]  # fmt: skip


def everything(database: Database) -> dict[str, bytes]:
    """Each table's whole content: every column as PostgreSQL writes it, and bytes as they are."""
    found: dict[str, bytes] = {}
    with database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            rows = connection.execute(text(f'SELECT * FROM "{table}"')).all()
            cells = [
                bytes(cell) if isinstance(cell, (bytes, memoryview)) else str(cell).encode()
                for row in rows
                for cell in row
            ]
            found[table] = b"\n".join(cells).lower()
    return found


def leaks(database: Database) -> list[tuple[str, str]]:
    """(table, seeded value) of every value that lies open."""
    return [
        (table, value)
        for table, content in everything(database).items()
        for value in SEEDED
        if value.lower().encode() in content
    ]


def whole_way(desk: Desk) -> str:
    person_id = desk.register(WHO, medical_record_number=RECORD_NUMBER).person_id
    assert desk.register(WHO, site_id=WINDOW_ROCK).candidates
    desk.register(WHO, site_id=WINDOW_ROCK, medical_record_number=f"{RECORD_NUMBER}-2", same_as_person_id=person_id)
    desk.consent(person_id)
    desk.clear_flag(desk.screen(person_id, "2", "4").flag_ids[0], note=NOTE)
    desk.decide(person_id)
    return str(person_id)


def test_no_seeded_value_lies_in_any_column_of_any_table(desk: Desk) -> None:
    whole_way(desk)
    content = everything(desk.harness.database)
    assert {"outbox", "idempotency", "registration", "note", "match_token"} <= {
        name for name, rows in content.items() if rows
    }
    assert leaks(desk.harness.database) == []


def test_the_search_finds_a_leak_that_is_put_in_on_purpose(desk: Desk) -> None:
    person_id = whole_way(desk)
    with desk.harness.database.engine.begin() as connection:
        connection.execute(
            text("UPDATE match_decision SET reason_code = 'born_1984-03-07' WHERE person_id = :person"),
            {"person": person_id},
        )
    assert leaks(desk.harness.database) == [("match_decision", "1984-03-07")]


def test_the_note_opens_for_its_person_only(desk: Desk) -> None:
    person_id, other = whole_way(desk), desk.person()
    with desk.harness.database.unit_of_work(desk.harness.context()) as uow:
        sealed = uow.connection.execute(text("SELECT text_sealed FROM note")).scalar_one()
        assert uow.open(person_id, sealed) == NOTE
        with pytest.raises(SealBroken):
            uow.open(other, sealed)


def test_tokens_are_keyed(desk: Desk, database_of: Callable[..., Database]) -> None:
    """The same person under another key has other tokens, so that a stolen table cannot be searched by guessing."""

    def tokens(database: Database) -> set[bytes]:
        with database.engine.connect() as connection:
            return {bytes(token) for token in connection.execute(text("SELECT token FROM match_token")).scalars()}

    desk.register(WHO)
    other = database_of("intake")
    other.secrets = {"match_token_key": bytes(32)}
    with desk.harness.database.engine.connect() as source, other.engine.begin() as target:
        target.execute(text("INSERT INTO site VALUES (:site_id, :site_code, :time_zone, :opened_at)"), [
            dict(row) for row in source.execute(text("SELECT * FROM site")).mappings()
        ])  # fmt: skip
    Desk(ServiceHarness(INDEX, other)).register(WHO)
    ours, theirs = tokens(desk.harness.database), tokens(other)
    assert len(ours) == len(theirs) >= 6
    assert not ours & theirs


def test_few_may_see_who_a_person_is(desk: Desk) -> None:
    person_id = desk.register(WHO, medical_record_number=RECORD_NUMBER).person_id
    request = pb.GetPersonRequest(person_id=person_id)
    for role in ("operator", "scheduler", "service", "billing_admin"):
        with pytest.raises(PermissionDenied):
            desk.call("GetPerson", request, role)
    answer = desk.call("GetPerson", request, "nurse")
    assert answer.identity == WHO
    assert [(number.site_id, number.medical_record_number) for number in answer.record_numbers] == [
        (PHOENIX, RECORD_NUMBER)
    ]


def test_events_and_headers_hold_nothing_identifying(desk: Desk) -> None:
    whole_way(desk)
    published = desk.harness.published()
    assert len(published) >= 6
    for event in published:
        said = f"{event.message}{event.key}{dict(event.headers)}".lower()
        assert not [value for value in SEEDED if value.lower() in said]
