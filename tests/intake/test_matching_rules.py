"""How identities are compared: properties that hold for any two of them."""

from dataclasses import replace

import jellyfish
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler

from intake.domain.identity import Identity, age_years, day_of, normalised
from intake.domain.likeness import FIELDS, likeness, near_birth_dates
from intake.domain.match_keys import record_number_token, tokens
from intake.people import phone_is_valid

KEY = bytes(range(32))
WEIGHTS = {"family_name": 0.3, "given_name": 0.25, "birth_date": 0.3, "phone": 0.05, "email": 0.05, "postal_code": 0.05}

names = st.text(min_size=1, max_size=20)
identities = st.builds(
    Identity,
    given_name=names,
    family_name=names,
    birth_date=st.dates().map(str),
    administrative_sex=st.just("ADMINISTRATIVE_SEX_OTHER"),
    phone=st.sampled_from(["", "+16025550101", "+15205550102"]),
    email=st.sampled_from(["", "a@example.org"]),
    address_line=st.just("1 Street"),
    city=st.just("Mesa"),
    state=st.just("AZ"),
    postal_code=st.from_regex(r"[0-9]{5}", fullmatch=True),
)


@given(identities, identities)
def test_likeness_is_from_0_to_1_and_the_same_both_ways(one: Identity, other: Identity) -> None:
    there, back = (likeness(*pair, WEIGHTS, JaroWinkler.similarity) for pair in ((one, other), (other, one)))
    assert 0.0 <= there <= 1.0 + 1e-9
    assert abs(there - back) < 1e-9


@given(identities)
def test_everybody_is_wholly_like_themselves_and_shares_every_token(one: Identity) -> None:
    assert abs(likeness(one, one, WEIGHTS, JaroWinkler.similarity) - 1.0) < 1e-9
    shouted = replace(one, email=one.email.upper())
    assert tokens(shouted, jellyfish.metaphone, KEY) == tokens(one, jellyfish.metaphone, KEY)


@given(identities)
def test_no_two_combinations_share_a_token_and_none_is_made_of_nothing(one: Identity) -> None:
    found = tokens(one, jellyfish.metaphone, KEY)
    assert len(set(found.values())) == len(found)
    assert all(len(token) == 32 for token in found.values())
    assert ("phone" in found) == bool(one.phone)
    assert ("email" in found) == bool(one.email)
    assert tokens(one, jellyfish.metaphone, KEY[::-1]).items().isdisjoint(found.items())


@given(st.text(max_size=30))
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_weights_are_for_every_field_that_is_compared() -> None:
    assert set(WEIGHTS) == set(FIELDS)


def test_near_birth_dates_are_one_slip_apart() -> None:
    assert near_birth_dates("1984-03-07", "1984-07-03")
    assert near_birth_dates("1984-03-07", "1984-03-17")
    assert not near_birth_dates("1984-03-07", "1984-04-17")
    assert not near_birth_dates("1984-03-07", "1985-07-03")


def test_a_day_of_the_calendar_only() -> None:
    assert day_of("2026-02-29") is None
    assert day_of("20260228") is None
    assert day_of("2024-02-29") is not None


def test_age_changes_on_the_birthday_and_for_the_29th_of_february_on_1_march() -> None:
    born, leap = day_of("2008-07-16"), day_of("2008-02-29")
    assert born is not None
    assert leap is not None
    days = {text: day_of(text) for text in ("2026-07-15", "2026-07-16", "2026-02-28", "2026-03-01")}
    ages = {text: (age_years(born, day), age_years(leap, day)) for text, day in days.items() if day is not None}
    assert (ages["2026-07-15"][0], ages["2026-07-16"][0]) == (17, 18)
    assert (ages["2026-02-28"][1], ages["2026-03-01"][1]) == (17, 18)


def test_phones_are_in_e164_and_of_the_plan() -> None:
    assert phone_is_valid("+16025550147")
    for wrong in ("", "6025550147", "+1 602 555 0147", "+1602555014", "+10005550147", "+999123456"):
        assert not phone_is_valid(wrong)


def test_record_numbers_are_of_one_site_and_blind_to_case_and_blanks() -> None:
    assert record_number_token(KEY, "a", "PHX-1") == record_number_token(KEY, "a", " phx -1")
    assert record_number_token(KEY, "a", "PHX-1") != record_number_token(KEY, "b", "PHX-1")
    assert record_number_token(KEY, "a", "PHX-1") != record_number_token(KEY, "a", "PHX-2")
