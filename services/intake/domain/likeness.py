"""How alike two opened identities are, from 0 to 1: the weighted mean over the fields that both have."""

from collections.abc import Callable, Mapping

from intake.domain.identity import Identity, normalised

# How alike two normalised texts are, 0 to 1.
Similarity = Callable[[str, str], float]
# Day and month written the wrong way round, or one digit wrong: common slips, so not a plain no.
NEAR_BIRTH_DATE = 0.7

FIELDS = ("family_name", "given_name", "birth_date", "phone", "email", "postal_code")


def likeness(one: Identity, other: Identity, weights: Mapping[str, float], similar: Similarity) -> float:
    """0 to 1. `weights` has a positive number for each of FIELDS; a field that one of them lacks is left out of the mean."""
    total = alike = 0.0
    for field in FIELDS:
        left, right = comparable(one, field), comparable(other, field)
        if left and right:
            total += weights[field]
            alike += weights[field] * _field_likeness(field, left, right, similar)
    return alike / total if total else 0.0


def comparable(identity: Identity, field: str) -> str:
    """The text of a field as it is compared."""
    text = str(getattr(identity, field))
    if field == "postal_code":
        return text[:5]
    return text.strip().casefold() if field in ("phone", "email", "birth_date") else normalised(text)


def _field_likeness(field: str, left: str, right: str, similar: Similarity) -> float:
    if field in ("family_name", "given_name"):
        return similar(left, right)
    if left == right:
        return 1.0
    return NEAR_BIRTH_DATE if field == "birth_date" and near_birth_dates(left, right) else 0.0


def near_birth_dates(left: str, right: str) -> bool:
    """Two different YYYY-MM-DD one slip apart: month and day exchanged, or one digit different."""
    if len(left) != 10 or len(right) != 10:
        return False
    exchanged = left[:4] == right[:4] and left[5:7] == right[8:10] and left[8:10] == right[5:7]
    return exchanged or sum(a != b for a, b in zip(left, right, strict=True)) == 1
