"""Finds people's names, numbers, addresses and birth dates where none may be.

What is looked for is known (the seeded identities of a run), so that a hit is a leak and not a guess. A hit says where and which field,
never the value.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

# Fields by name, or one bare value.
Identity = Mapping[str, object] | str

# A word is a run of letters and underscores (grant_consent is no Grant); a number is a run of digits, whatever stands beside it.
_TOKEN = re.compile(r"[^\W\d]+|\d+")
_DATE = r"\d{4}-\d{2}-\d{2}"
# Half of a country shares these, so that they identify nobody alone; and flags and sexes name nobody.
_SHARED = frozenset({"city", "state", "postal_code", "administrative_sex", "synthetic", "time_zone"})
# A shorter number alone comes about by chance in ids; with the words around it, it is found at any length.
_SHORTEST_WORD, _SHORTEST_NUMBER = 3, 7
# In bytes a string may stand right behind a length that reads as a letter. Long ones are looked for anywhere: no chance brings them.
_ANYWHERE_BYTES = 8


@dataclass(frozen=True)
class Leak:
    """Where an identity's field was found, and which."""

    place: str
    field: str

    def __str__(self) -> str:
        return f"{self.place}: holds a {self.field}"


@dataclass(frozen=True)
class Source:
    """Something that was written during a run: where, and what it holds."""

    place: str
    content: str | bytes


class Needles:
    """Every form in which the values of the identities could be written."""

    def __init__(self, identities: Iterable[Identity]) -> None:
        self._by_first: dict[str, set[tuple[tuple[str, ...], str]]] = {}
        self._bytes: dict[bytes, str] = {}
        for identity in identities:
            for name, value in _fields(identity):
                for form in _forms(name, value):
                    self._add(name, form)

    def __len__(self) -> int:
        return sum(len(items) for items in self._by_first.values())

    def _add(self, name: str, form: str) -> None:
        tokens = tuple(_TOKEN.findall(form.casefold()))
        if not tokens or (len(tokens) == 1 and len(tokens[0]) < _least(tokens[0])):
            return
        self._by_first.setdefault(tokens[0], set()).add((tokens, name))
        raw = form.casefold().encode()
        if len(raw) >= _ANYWHERE_BYTES:
            self._bytes[raw] = name

    def fields_in(self, content: str | bytes) -> set[str]:
        """The names of the fields of which a value stands in the content."""
        found = set()
        if isinstance(content, bytes):
            # Lower case by byte: what is no ASCII keeps its bytes and is found by its words.
            lowered = content.lower()
            found |= {name for raw, name in self._bytes.items() if raw in lowered}
            content = content.decode("utf-8", "replace")
        tokens = _TOKEN.findall(content.casefold())
        for position, token in enumerate(tokens):
            for wanted, name in self._by_first.get(token, ()):
                if tuple(tokens[position : position + len(wanted)]) == wanted:
                    found.add(name)
        return found


def _least(token: str) -> int:
    return _SHORTEST_NUMBER if token.isdigit() else _SHORTEST_WORD


def _fields(identity: Identity) -> Iterator[tuple[str, str]]:
    """The identifying fields with a value, at any depth. A bare value is named by its form."""
    if isinstance(identity, str):
        if identity:
            yield _named(identity), identity
        return
    for name, value in identity.items():
        if isinstance(value, Mapping):
            yield from _fields(value)
        elif name not in _SHARED and not name.endswith("_id") and value not in (None, "", False, True):
            yield name, value.isoformat() if isinstance(value, date) else str(value)


def _named(value: str) -> str:
    if re.fullmatch(_DATE, value):
        return "birth_date"
    return "phone" if re.fullmatch(r"\+[\d ().-]{7,}", value) else "identifying value"


def _forms(name: str, value: str) -> set[str]:
    """The value as it is, without accents, and as dates and numbers are also written."""
    plain = "".join(item for item in unicodedata.normalize("NFKD", value) if not unicodedata.combining(item))
    forms = {value, unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value), plain}
    if re.fullmatch(_DATE, value):
        year, month, day = value.split("-")
        forms |= {f"{year}{month}{day}", f"{month}/{day}/{year}", f"{int(month)}/{int(day)}/{year}"}
    elif name in ("phone", "medical_record_number", "mrn") or "number" in name:
        digits = re.sub(r"\D", "", value)
        forms |= {digits} if len(digits) >= _SHORTEST_NUMBER else set()
        if name == "phone" and len(digits) >= 10:
            # North American numbers: with and without the country code, and as people write them.
            last = digits[-10:]
            forms |= {last, f"{last[:3]}-{last[3:6]}-{last[6:]}", f"1{last}"}
    return forms


def find_leaks(identities: Iterable[Identity], sources: Iterable[Source]) -> list[Leak]:
    """Every place and field at which a value of an identity stands, in the order of the sources, each once.

    `identities` are the fields of people by name (as in intake's PersonIdentity, and medical_record_number) or bare values. Raises
    ValueError when they hold nothing to look for: such a search would always be clean.
    """
    needles = Needles(identities)
    if not len(needles):
        raise ValueError("there is nothing to look for: the identities hold no identifying value")
    found: dict[Leak, None] = {}
    for source in sources:
        for name in sorted(needles.fields_in(source.content)):
            found[Leak(source.place, name)] = None
    return list(found)
