"""Page tokens: where the next page begins, opaque to the caller and of use for the same request only.

A token is base64 of the last key and an HMAC over that key and the request's filter (every field but page_size and
page_token). A token that was forged, or given for another filter, is refused.
"""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, cast

from google.protobuf.message import Message

from chassis.errors import InvalidArgument

DEFAULT_PAGE_SIZE: Final = 50
_TAG_BYTES: Final = 16
_MAX_TOKEN: Final = 1_000
_FOREIGN: Final = "must be the next_page_token of a request with the same filter, or empty"


class _Key:
    """The process's key. Random until the settings give the one that all processes of the service share."""

    secret = secrets.token_bytes(32)


def use_key(secret: bytes) -> None:
    """Sets the key at start. Every api process of one service needs the same, or they refuse each other's tokens."""
    if len(secret) < 32:
        raise ValueError("the key of page tokens needs 32 bytes")
    _Key.secret = hashlib.sha256(b"saguaro page token" + secret).digest()


class PagedRequest(Protocol):
    """A request message with AIP-158 paging."""

    page_size: int
    page_token: str


@dataclass(frozen=True)
class Page:
    """What the request asks for: at most `size` rows after the key `after` (None for the first page)."""

    size: int
    after: tuple[str, ...] | None
    filter_digest: bytes


def read_token(request: PagedRequest) -> Page:
    """The page that is asked for; a size of 0 means 50. InvalidArgument (page_token) for a forged or foreign token."""
    digest = _filter_digest(cast(Message, request))
    after = _unseal(request.page_token, digest) if request.page_token else None
    return Page(request.page_size or DEFAULT_PAGE_SIZE, after, digest)


def make_token(page: Page, last_key: Sequence[object] | None) -> str:
    """The token of the page after `last_key` (ordering columns of the last row, as text); "" when there is no more."""
    if last_key is None:
        return ""
    key = json.dumps([str(part) for part in last_key], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_tag(key, page.filter_digest) + key).decode().rstrip("=")


def _unseal(token: str, digest: bytes) -> tuple[str, ...]:
    if len(token) > _MAX_TOKEN:
        raise InvalidArgument("page_token", _FOREIGN)
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidArgument("page_token", _FOREIGN) from None
    tag, key = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, digest)):
        raise InvalidArgument("page_token", _FOREIGN)
    return tuple(json.loads(key))


def _tag(key: bytes, digest: bytes) -> bytes:
    return hmac.digest(_Key.secret, digest + key, "sha256")[:_TAG_BYTES]


def _filter_digest(request: Message) -> bytes:
    plain = type(request)()
    plain.CopyFrom(request)
    plain.ClearField("page_size")
    plain.ClearField("page_token")
    body = plain.SerializeToString(deterministic=True)
    return hashlib.sha256(request.DESCRIPTOR.full_name.encode() + b"\0" + body).digest()
