"""Soft rules, and who may set which of them aside. A hard rule cannot be set aside by anybody.

Source: house policy. An override is never silent: it has a reason and is kept with who, in which role and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.errors import FailedPrecondition, Finding, PermissionDenied
from scheduling.domain import words

PRIVILEGED: Final = frozenset({"charge_nurse", "medical_director"})
MAY_SET_ASIDE: Final = {
    words.SOFT_INTERVAL: PRIVILEGED,
    words.CLOSED: PRIVILEGED,
    words.CLEANING: PRIVILEGED,
    words.CHECKLIST: PRIVILEGED | {"nurse"},
}


@dataclass(frozen=True)
class Asked:
    """The rules that a caller sets aside, and why."""

    rules: frozenset[str] = frozenset()
    reason_code: str = ""


NOTHING: Final = Asked()


@dataclass(frozen=True)
class Broken:
    """A soft rule that does not hold: its stable reason, the field it is about and what must hold."""

    rule: str
    reason: str
    field: str
    says: str


SOFT_INTERVAL: Final = Broken(
    words.SOFT_INTERVAL,
    "INTERVAL_TOO_SHORT",
    "starts_at",
    "between two infusions of a person must lie the soft interval of the policy",
)
CLOSED: Final = Broken(words.CLOSED, "SITE_CLOSED", "starts_at", "the whole visit must lie in the site's opening hours")


def require_privilege(asked: Asked, role: str) -> None:
    """PermissionDenied OVERRIDE_ROLE when the role may not set aside every one of these rules."""
    for rule in sorted(asked.rules):
        if role not in MAY_SET_ASIDE[rule]:
            raise PermissionDenied(
                "OVERRIDE_ROLE", field="override", rule="this rule is set aside by a charge nurse or a medical director"
            )


def settle(broken: Sequence[Broken], asked: Asked) -> list[str]:
    """The rules that the override was needed for. FailedPrecondition names every other broken one."""
    left = [one for one in broken if one.rule not in asked.rules]
    if left:
        raise FailedPrecondition(
            left[0].reason if len(left) == 1 else "SOFT_RULES_BROKEN",
            field=left[0].field,
            rule=left[0].says,
            findings=[Finding(one.field, f"{one.reason}: {one.says}") for one in left],
        )
    return [one.rule for one in broken]
