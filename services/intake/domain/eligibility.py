"""Clearance and start: rules as data, facts as values, and every rule named in the answer, met or not.

A rule of level block or review that is not met declines, unless somebody whose licence the policy names let it pass with a reason.
A rule of level warn never declines: it gives advice on what to watch (house policy).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chassis.errors import FailedPrecondition

BLOCK = "block"
REVIEW = "review"
WARN = "warn"

AGE = "age.minimum"
CONSENT = "consent.ketamine.in_force"
CONSENT_FOR_SERIES = "consent.ketamine.for_series"
PHQ9 = "phq9.done"
CSSRS = "cssrs.done"
NO_BLOCKING_FLAG = "flag.blocking.none_open"
NO_OVERDUE_FLAG = "flag.review.none_overdue"
DIAGNOSIS = "diagnosis.for_indication"
CLEARANCE = "clearance.in_force"
PREGNANCY_TEST = "pregnancy.test.negative"
NOT_PREGNANT = "pregnancy.absent_at_clearance"
MAY_ADMINISTER = "privilege.administer"

EVERYONE = "everyone"
CAN_BE_PREGNANT = "can_be_pregnant"


@dataclass(frozen=True)
class Rule:
    """A rule of the policy data. `may_override`: licence types that may let it pass; `monitoring`: what to watch when it is not met."""

    code: str
    level: str
    source: str
    may_override: tuple[str, ...] = ()
    monitoring: tuple[str, ...] = ()
    asked_of: str = EVERYONE


@dataclass(frozen=True)
class Finding:
    """What a rule found, what the person said, and what a reviewer decided: `accepted` None where nobody did."""

    code: str
    met: bool
    level: str
    source: str
    answer: str = ""
    accepted: bool | None = None
    reason_code: str = ""


def absent(contraindication: str) -> str:
    """The code of the rule that a contraindication is absent."""
    return f"contraindication.{contraindication}.absent"


def judge(rules: Sequence[Rule], facts: Mapping[str, bool]) -> list[Finding]:
    """One finding for each rule, in order. RULE_WITHOUT_FACT when the policy data hold a rule that nobody here can tell: it must never
    pass unseen."""
    unknown = [rule.code for rule in rules if rule.code not in facts]
    if unknown:
        named = ", ".join(unknown)
        raise FailedPrecondition(
            "RULE_WITHOUT_FACT", rule=f"the policy of this gate holds rules that are unknown: {named}"
        )
    return [Finding(rule.code, facts[rule.code], rule.level, rule.source) for rule in rules]


def stands(finding: Finding) -> bool:
    """True when a finding declines: it is not met, not only a warning, and nobody let it pass."""
    return not finding.met and finding.level != WARN and finding.accepted is not True


def passes(findings: Sequence[Finding]) -> bool:
    """True when nothing stands against it."""
    return not any(stands(finding) for finding in findings)


def decided(findings: Sequence[Finding], decisions: Mapping[str, tuple[bool, str]]) -> list[Finding]:
    """The findings with what a reviewer decided about them: rule code -> (accepted, reason code)."""
    return [
        replace(finding, accepted=decisions[finding.code][0], reason_code=decisions[finding.code][1])
        if finding.code in decisions
        else finding
        for finding in findings
    ]


def undecided_reviews(findings: Sequence[Finding]) -> list[str]:
    """Codes that still need a reviewer's decision. None while a rule that blocks stands: the answer is no whatever is decided."""
    if any(stands(finding) and (finding.level == BLOCK or finding.accepted is False) for finding in findings):
        return []
    return [finding.code for finding in findings if stands(finding) and finding.level == REVIEW]


def monitoring_codes(findings: Sequence[Finding], rules: Sequence[Rule]) -> list[str]:
    """What to watch: the advice of every rule that is not met, each once, in order."""
    advice = {rule.code: rule.monitoring for rule in rules}
    found = [code for finding in findings if not finding.met for code in advice.get(finding.code, ())]
    return list(dict.fromkeys(found))


def supports(diagnosis_codes: Sequence[str], groups: Collection[str]) -> bool:
    """True when a diagnosis lies in one of the code groups: the group is the code itself or its beginning ("F33", "F31.3")."""
    return any(code.startswith(group) for code in diagnosis_codes for group in groups)


def in_force(granted_at: datetime, ends_at: datetime, withdrawn_at: datetime | None, at: datetime) -> bool:
    """From the grant on, up to but not at the end or the withdrawal."""
    return granted_at <= at < ends_at and (withdrawn_at is None or at < withdrawn_at)
