"""Combinations by which two entries of the same person meet, although one of them holds a slip of the pen.

A keyed digest of each combination is kept as a token (Schnell, Bachteler, Reiher 2009, BMC Med Inform Decis Mak 9:41, on why plain
digests are not enough); the combination itself is never kept. Wide enough to find, not to decide: what is found is scored afterwards.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from hmac import new as new_hmac

from intake.domain.identity import Identity, normalised

# How a name sounds, as a code; empty when it cannot tell.
SoundsLike = Callable[[str], str]


def combinations(identity: Identity, sounds_like: SoundsLike) -> dict[str, str]:
    """Combination name -> its normalised text, of those whose parts are all there."""
    family, given = normalised(identity.family_name), normalised(identity.given_name)
    born, zip5 = identity.birth_date, identity.postal_code[:5]
    parts: dict[str, Sequence[str]] = {
        "family_name+birth_date": (family, born),
        "family_name_sound+given_initial+birth_date": (sounds_like(family), given[:1], born),
        "given_name+birth_date+postal_code": (given, born, zip5),
        "family_name+given_name+postal_code": (family, given, zip5),
        "phone": (identity.phone,),
        "email": (identity.email.strip().casefold(),),
    }
    return {name: "\x1f".join(values) for name, values in parts.items() if all(values)}


def tokens(identity: Identity, sounds_like: SoundsLike, key: bytes) -> dict[str, bytes]:
    """Combination name -> HMAC-SHA-256 of name and text, 32 bytes. The name is part of it: a phone never meets an e-mail."""
    return {name: token(key, name, text) for name, text in combinations(identity, sounds_like).items()}


def token(key: bytes, name: str, text: str) -> bytes:
    """Keyed digest of a text under a name; without the key it can neither be guessed nor compared."""
    return new_hmac(key, f"{name}\x1e{text}".encode(), sha256).digest()


def record_number_token(key: bytes, site_id: str, record_number: str) -> bytes:
    """Keyed digest of a site's record number, blind to case and spaces."""
    return token(key, "record_number", f"{site_id}\x1f{''.join(record_number.split()).casefold()}")
