"""A reviewer's decisions about rules that are not met: which rules may be let pass, by whom, and with which reasons."""

from collections.abc import Sequence
from uuid import UUID

from chassis.errors import Finding as FieldFinding
from chassis.errors import InvalidArgument, PermissionDenied
from chassis.unit_of_work import UnitOfWork
from intake import policy
from intake.domain.eligibility import Finding, Rule
from intake.practitioners import standing
from saguaro.intake.v1 import types_pb2 as types

REASONS = "eligibility.decision"


def checked_decisions(
    uow: UnitOfWork,
    decisions: Sequence[types.RuleDecision],
    findings: Sequence[Finding],
    rules: Sequence[Rule],
    site_id: UUID,
) -> dict[str, tuple[bool, str]]:
    """Rule code -> (accepted, reason code).

    InvalidArgument for a rule that is met or warns only, one decided twice, or a reason outside the closed list. PermissionDenied
    OVERRIDE_NOT_ALLOWED where the policy lets nobody of the caller's licence type accept it: a hard rule is never let pass.
    """
    open_rules = {finding.code for finding in findings if not finding.met and finding.level != "warn"}
    reasons = policy.reasons(uow, REASONS, site_id) if decisions else []
    made: dict[str, tuple[bool, str]] = {}
    broken = []
    for number, decision in enumerate(decisions):
        if decision.code not in open_rules:
            broken.append(FieldFinding(f"decisions[{number}].code", "must be a rule that is not met and declines"))
        if decision.code in made:
            broken.append(FieldFinding(f"decisions[{number}].code", "each rule is decided once"))
        if decision.reason_code not in reasons:
            broken.append(FieldFinding(f"decisions[{number}].reason_code", f"must be one of: {', '.join(reasons)}"))
        made[decision.code] = (decision.accepted, decision.reason_code)
    if broken:
        raise InvalidArgument(broken[0].field, broken[0].rule, findings=broken)
    _refuse_overreach(uow, {code for code, (accepted, _) in made.items() if accepted}, rules, site_id)
    return made


def _refuse_overreach(uow: UnitOfWork, accepted: set[str], rules: Sequence[Rule], site_id: UUID) -> None:
    if not accepted:
        return
    who = standing(uow, UUID(str(uow.context.actor_id)), site_id)
    licence_type = who.licence_type if who else ""
    refused = [
        FieldFinding(rule.code, f"may be let pass by: {', '.join(rule.may_override) or 'nobody'}")
        for rule in rules
        if rule.code in accepted and licence_type not in rule.may_override
    ]
    if refused:
        rule = "; ".join(f"{finding.field} {finding.rule}" for finding in refused)
        raise PermissionDenied("OVERRIDE_NOT_ALLOWED", field="decisions", rule=rule, findings=refused)
