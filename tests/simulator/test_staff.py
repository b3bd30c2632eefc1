"""Papers of simulated practitioners are right by their check digits, and belong to a post's privileges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.staff import POSTS, Post, papers_of


def luhn_ok(number: str) -> bool:
    doubled = [int(digit) * (2 if place % 2 else 1) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


@given(practitioner_id=st.uuids().map(str), post=st.sampled_from(POSTS))
def test_numbers_have_their_check_digits(practitioner_id: str, post: Post) -> None:
    papers = papers_of(post, practitioner_id)
    assert len(papers.npi) == 10
    assert luhn_ok(f"80840{papers.npi}")
    assert bool(papers.dea_number) == bool(papers.dea_expires_on) == post.signs
    if papers.dea_number:
        digits = [int(digit) for digit in papers.dea_number[2:]]
        assert (sum(digits[0:6:2]) + 2 * sum(digits[1:6:2])) % 10 == digits[6]
    assert papers == papers_of(post, practitioner_id)


@pytest.mark.parametrize("privilege", ["diagnose", "clear", "sign", "administer"])
def test_somebody_at_each_site_holds_every_privilege(privilege: str) -> None:
    assert any(privilege in post.privileges for post in POSTS)
    assert all(post.privileges == ("administer",) for post in POSTS if post.licence_type == "RN")
