"""A leak that is put in on purpose is found in every form; what only looks like one is not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saguaro.intake.v1 import types_pb2 as intake
from verify.leaks import Leak, Source, find_leaks

PERSON = {
    "given_name": "Rosalinda",
    "family_name": "Quiñones",
    "birth_date": "1984-03-07",
    "phone": "+1 602 555 0142",
    "email": "rosalinda.q@synthetic.example",
    "address_line": "4711 E Ocotillo Blossom Trl",
    "city": "Phoenix",
    "state": "AZ",
    "postal_code": "85004",
    "medical_record_number": "MRN-K7Q2XA-0001",
}


def _fields(content: str | bytes) -> set[str]:
    return {leak.field for leak in find_leaks([PERSON], [Source("somewhere", content)])}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ('{"event": "saved", "who": "Rosalinda"}', "given_name"),
        ("ROSALINDA was here", "given_name"),
        ("family_name=quiñones", "family_name"),
        ("Quinones", "family_name"),
        ("Quin\u0303ones".encode(), "family_name"),
        ("born 1984-03-07T00:00:00Z", "birth_date"),
        ("19840307", "birth_date"),
        ("DOB 3/7/1984", "birth_date"),
        ("|03/07/1984|", "birth_date"),
        ("tel:+16025550142", "phone"),
        ("call (602) 555-0142 now", "phone"),
        ("6025550142", "phone"),
        ("to rosalinda.q@synthetic.example", "email"),
        ("PID|||||||4711 e ocotillo blossom trl^^PHOENIX", "address_line"),
        ("record mrn-k7q2xa-0001-2", "medical_record_number"),
        ("a\tRosalinda\tb", "given_name"),
    ],
)
def test_each_form_of_a_value_is_found(content: str | bytes, field: str) -> None:
    assert field in _fields(content)


def test_it_is_found_in_a_protobuf_whatever_stands_before_it() -> None:
    identity = intake.PersonIdentity(given_name="Rosalinda", address_line="4711 E Ocotillo Blossom Trl")
    value = b"\x7bABCD" + identity.SerializeToString() + b"xyz"
    assert {"given_name", "address_line"} <= _fields(value)
    assert "address_line" in _fields(b"C4711 E Ocotillo Blossom TrlD")


@pytest.mark.parametrize(
    "content",
    [
        "rosalinda_marker",
        "Phoenix AZ 85004",
        "1984-03-08",
        "0198f7a2-1984-7307-8000-000000000000",
        "16025550143",
        "",
        b"\x00\xff\xfe" * 100,
    ],
)
def test_what_only_looks_like_it_is_no_leak(content: str | bytes) -> None:
    assert _fields(content) == set()


def test_a_leak_says_where_and_which_field_and_never_the_value() -> None:
    found = find_leaks([PERSON], [Source("log a", "fine"), Source("log b", "Rosalinda and Rosalinda")])
    assert found == [Leak("log b", "given_name")]
    assert "Rosalinda" not in str(found[0])


def test_bare_values_and_dates_are_looked_for_too() -> None:
    sources = [Source("log", "19840307 Rosalinda 602-555-0142")]
    found = find_leaks(["1984-03-07", "Rosalinda", "+16025550142"], sources)
    assert {leak.field for leak in found} == {"birth_date", "identifying value", "phone"}
    assert find_leaks([{"birth_date": date(1984, 3, 7)}], sources) == [Leak("log", "birth_date")]


def test_nested_fields_are_looked_for_too() -> None:
    assert find_leaks([{"identity": PERSON, "site_id": "x"}], [Source("log", "Rosalinda")])


def test_a_search_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        find_leaks([{"city": "Phoenix", "person_id": "7"}], [Source("log", "anything")])


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_name_between_other_words_is_always_found(before: str, after: str) -> None:
    assert "given_name" in _fields(f"{before} Rosalinda {after}")
