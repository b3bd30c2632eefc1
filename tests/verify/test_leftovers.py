"""What is left over, and what ought to be sealed, is found in every database."""

from __future__ import annotations

import itertools

import pytest

from network.roles import SERVICES
from tests.verify.conftest import Day

_EVENT = "gen_random_uuid(), 'saguaro.intake.person', 'a-key', 1"
_OUTBOX = f"INSERT INTO outbox (event_id, topic, key, sequence, headers, value) VALUES ({_EVENT}, '{{}}', '')"
_REFUSED = (
    "INSERT INTO outbox_refused (id, event_id, topic, key, sequence, headers, value, recorded_at, rule)"
    f" VALUES (1, {_EVENT}, '{{}}', '', now(), 'too large')"
)
_SEALED = "'\\x01' || decode(repeat('f7', 40), 'hex')"


def _parked(headers: str = "{}", sealed: str = _SEALED) -> str:
    return (
        "INSERT INTO parked (topic, partition, record_offset, key, sequence, event_id, type, headers, value_sealed, reason, rule)"
        f" VALUES ('saguaro.intake.person', 0, 7, 'a-key', 1, 'an-id', 'a.type', '{headers}', {sealed}, 'poison', 'a rule')"
    )


def _idempotency(result: str, digest: str = "sha256('x')") -> str:
    return (
        "INSERT INTO idempotency (actor_id, request_id, rpc, body_sha256, result_ids)"
        f" VALUES (gen_random_uuid(), gen_random_uuid(), 'RegisterPerson', {digest}, '{result}')"
    )


def _quarantine(source_id: str, sealed: str = _SEALED) -> str:
    return (
        "INSERT INTO quarantine (quarantine_id, source, source_id, rule, content_sealed)"
        f" VALUES (gen_random_uuid(), 'hl7', '{source_id}', 'a rule', {sealed})"
    )


# check, statement, what is found.
LEFTOVERS = [
    ("plumbing.outbox_empty", _OUTBOX, "is not sent"),
    ("plumbing.none_refused", _REFUSED, "is refused: too large"),
    (
        "plumbing.none_parked",
        _parked(),
        "event an-id of saguaro.intake.person a-key (a.type) is parked, poison: a rule",
    ),
    ("sealed.columns", _parked(sealed="'plainly readable text that is long enough'"), "parked.value_sealed: 1 values"),
    (
        "sealed.columns",
        _quarantine("id", "convert_to(chr(1) || 'plainly readable text after a version', 'UTF8')"),
        "quarantine.content_sealed",
    ),
    ("sealed.plumbing", _idempotency('{"person_id": "Rosalinda Quintero"}'), "holds more than a digest and ids"),
    ("sealed.plumbing", _idempotency('{"found": "[{\\"name\\": \\"Rosalinda Q\\"}]"}'), "holds more than"),
    ("sealed.plumbing", _idempotency("{}", "'a body'"), "holds more than a digest and ids"),
    ("sealed.plumbing", _parked('{"ce_id": "1", "x-patient": "y"}'), "has a header that the envelope does not know"),
    ("sealed.plumbing", _quarantine("Rosalinda Quintero"), "says where it came from with more than an id"),
]


@pytest.mark.parametrize(
    ("service", "name", "statement", "finding"),
    [(service, *row) for service, row in zip(itertools.cycle(SERVICES), LEFTOVERS, strict=False)],
)
def test_it_is_found(day: Day, service: str, name: str, statement: str, finding: str) -> None:
    day.break_in(service, statement)
    result = day.check(name)
    assert not result["ok"]
    assert len(result["found"]) == 1
    assert result["found"][0].startswith(f"{service}: ")
    assert finding in result["found"][0]
    assert "Rosalinda" not in result["found"][0]


def test_parked_is_found_in_every_database(day: Day) -> None:
    for service in SERVICES:
        day.break_in(service, _parked())
    assert [text.split(":")[0] for text in day.check("plumbing.none_parked")["found"]] == sorted(SERVICES)


def test_ids_in_a_result_and_sealed_content_are_no_breach(day: Day) -> None:
    nested = '{"outcome": "3", "candidates": "[{\\"person_id\\": \\"0198\\", \\"likeness\\": 0.91, \\"agreed_on\\": [\\"a+b\\"]}]"}'
    day.break_in("intake", _idempotency(nested), _quarantine("0198-7"))
    assert day.check("sealed.plumbing")["ok"]
    assert day.check("sealed.columns")["ok"]


def test_a_sealed_column_of_a_services_own_is_looked_at(day: Day) -> None:
    day.break_in("intake", "UPDATE note SET text_sealed = 'she said that she sleeps better now'")
    assert day.check("sealed.columns")["found"] == ["intake: note.text_sealed: 1 values are not sealed"]
