"""Clearance and start: rules as data, facts as values, and every rule named in the answer, met or not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

BLOCK = "block"
REVIEW = "review"

AGE = "age.minimum"
CONSENT = "consent.ketamine.in_force"
PHQ9 = "phq9.done"
CSSRS = "cssrs.done"
NO_BLOCKING_FLAG = "flag.blocking.none_open"
DIAGNOSIS = "diagnosis.for_indication"
CLEARANCE = "clearance.in_force"


@dataclass(frozen=True)
class Rule:
    """A rule of the policy data. One of level `block` declines when it is not met; one of level `review` is only named."""

    code: str
    level: str
    source: str


@dataclass(frozen=True)
class Finding:
    """What a rule found."""

    code: str
    met: bool
    level: str
    source: str


def absent(contraindication: str) -> str:
    """The code of the rule that a contraindication is absent."""
    return f"contraindication.{contraindication}.absent"


def judge(rules: Sequence[Rule], facts: Mapping[str, bool]) -> list[Finding]:
    """One finding for each rule, in order. KeyError when a rule of the policy data has no fact: such a rule must never pass unseen."""
    return [Finding(rule.code, facts[rule.code], rule.level, rule.source) for rule in rules]


def passes(findings: Sequence[Finding]) -> bool:
    """True when every rule of level block is met."""
    return all(finding.met for finding in findings if finding.level == BLOCK)


def supports(diagnosis_codes: Sequence[str], groups: Sequence[str]) -> bool:
    """True when a diagnosis lies in one of the code groups: the group is the code itself or its beginning ("F33", "F31.3")."""
    return any(code.startswith(group) for code in diagnosis_codes for group in groups)


def in_force(granted_at: datetime, ends_at: datetime, withdrawn_at: datetime | None, at: datetime) -> bool:
    """From the grant on, up to but not at the end or the withdrawal."""
    return granted_at <= at < ends_at and (withdrawn_at is None or at < withdrawn_at)
