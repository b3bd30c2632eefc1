"""Page tokens: opaque, of use for the same filter only, never forged."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis import paging
from chassis.errors import InvalidArgument
from chassis.paging import make_token, read_token
from saguaro.scheduling.v1 import service_pb2 as pb

SITE, OTHER_SITE = "018f4d3c-5a1e-7c00-8000-000000000002", "018f4d3c-5a1e-7c00-8000-000000000009"


def token_after(*key: object) -> str:
    return make_token(read_token(pb.ListBookingsRequest(site_id=SITE)), key)


@given(st.lists(st.text(max_size=30), max_size=4).map(tuple))
def test_a_token_brings_the_key_back(key: tuple[str, ...]) -> None:
    token = token_after(*key)
    assert read_token(pb.ListBookingsRequest(site_id=SITE, page_token=token)).after == key


@given(st.text(max_size=80))
def test_a_made_up_token_is_refused(token: str) -> None:
    if not token:
        return
    with pytest.raises(InvalidArgument) as raised:
        read_token(pb.ListBookingsRequest(site_id=SITE, page_token=token))
    assert raised.value.field == "page_token"


@given(st.data())
def test_a_changed_token_is_refused(data: st.DataObject) -> None:
    sealed = bytearray(base64.urlsafe_b64decode(token_after("2026-03-02", "b") + "=="))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidArgument):
        read_token(
            pb.ListBookingsRequest(site_id=SITE, page_token=base64.urlsafe_b64encode(sealed).decode().rstrip("="))
        )


def test_first_page_default_size_and_last_page() -> None:
    page = read_token(pb.ListBookingsRequest(site_id=SITE))
    assert (page.size, page.after) == (50, None)
    assert make_token(page, None) == ""


def test_another_page_size_may_be_asked_with_the_same_token() -> None:
    page = read_token(pb.ListBookingsRequest(site_id=SITE, page_size=7, page_token=token_after("a")))
    assert (page.size, page.after) == (7, ("a",))


@pytest.mark.parametrize(
    "request_with",
    [
        lambda token: pb.ListBookingsRequest(site_id=OTHER_SITE, page_token=token),
        lambda token: pb.FindFreeTimesRequest(site_id=SITE, page_token=token),
    ],
    ids=["another filter", "another rpc"],
)
def test_a_token_of_another_request_is_refused(request_with: object) -> None:
    assert callable(request_with)
    with pytest.raises(InvalidArgument, match="same filter"):
        read_token(request_with(token_after("a")))


def test_a_token_of_another_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_after("a")
    monkeypatch.setattr(paging._Key, "secret", paging._Key.secret)
    paging.use_key(bytes(32))
    with pytest.raises(InvalidArgument):
        read_token(pb.ListBookingsRequest(site_id=SITE, page_token=token))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        paging.use_key(b"short")
