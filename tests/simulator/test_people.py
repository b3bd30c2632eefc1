"""Synthetic people: the same seed gives the same ones, and no value of theirs occurs by chance."""

import re
from datetime import date

import phonenumbers
import pytest

from simulator.day import SCREENING_DAY
from simulator.people import person, seeded_identities


def test_the_same_seed_gives_the_same_people() -> None:
    assert person(7, 3) == person(7, 3)
    assert person(7, 3) != person(8, 3)


def test_more_patients_do_not_change_the_first_ones() -> None:
    assert set(seeded_identities(7, 10)) < set(seeded_identities(7, 40))


def test_no_two_patients_share_a_name_a_phone_or_a_record_number() -> None:
    everybody = [person(1, index) for index in range(200)]
    for values in zip(*((one.family_name, one.phone, one.email, one.record_number) for one in everybody), strict=True):
        assert len(set(values)) == len(everybody)


@pytest.mark.parametrize("index", range(0, 60, 7))
def test_a_person_keeps_the_rules_that_a_written_identity_has(index: int) -> None:
    drawn = person(99, index, town=index)
    number = phonenumbers.parse(drawn.phone, None)
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == drawn.phone
    assert re.fullmatch(r"[0-9]{5}", drawn.postal_code)
    assert drawn.state == "AZ"
    born = date.fromisoformat(drawn.birth_date)
    assert 18 <= (SCREENING_DAY - born).days / 365.25 < 81


def test_phones_and_mail_are_of_fiction() -> None:
    for index in range(50):
        drawn = person(5, index)
        assert re.fullmatch(r"\+1[0-9]{3}55501[0-9]{2}", drawn.phone)
        assert drawn.email.endswith(".example")


def test_every_exported_value_is_long_enough_to_be_searched_for() -> None:
    values = seeded_identities(3, 40)
    assert values == sorted(set(values))
    assert min(len(value) for value in values) >= 7
    assert {"Phoenix", "AZ", "85004"}.isdisjoint(values)


def test_exported_values_hold_what_is_sent() -> None:
    drawn = person(3, 0, town=2, mark="0A1B2C3D")
    exported = seeded_identities(3, 1)
    sent = drawn.identity()
    for field in ("given_name", "family_name", "birth_date", "phone", "address_line"):
        assert getattr(sent, field) in exported
    assert any(sent.email.startswith(f"{value}+0a1b2c3d@") for value in exported)
    assert drawn.record_number in exported
    assert drawn.note in exported
