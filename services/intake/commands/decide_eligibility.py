"""Clears a person for an indication, or declines, from what is on record; every rule that was looked at is named, met or not."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import Finding as FieldFinding
from chassis.errors import InvalidArgument
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date, to_timestamp
from intake import facts, policy, roles
from intake.contract import OUTCOME_OF, rule_messages
from intake.domain import cssrs, eligibility, phq9
from intake.domain.eligibility import Finding, judge, passes, supports
from intake.domain.identity import age_years
from intake.record import lock_person_at, zone_of
from intake.tables import clearance, clearance_rule
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb


def handle(uow: UnitOfWork, request: pb.DecideEligibilityRequest) -> Ids:
    """InvalidArgument for a contraindication that the policy does not know: what cannot be judged must not pass."""
    known = policy.contraindications(uow)
    _refuse_unknown(request.contraindication_codes, set(known))
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    zone = zone_of(uow, site_id)
    lock_person_at(uow, person_id, site_id)
    looked_at = _facts(uow, person_id, site_id, zone, request.indication)
    looked_at |= {rule.code: code not in request.contraindication_codes for code, rule in known.items()}
    findings = judge([*policy.gate(uow, "clearance"), *known.values()], looked_at)
    return _record(uow, person_id, site_id, request.indication, findings)


def _refuse_unknown(codes: Sequence[str], known: set[str]) -> None:
    rule = f"must be one of: {', '.join(sorted(known))}"
    findings = [
        FieldFinding(f"contraindication_codes[{place}]", rule) for place, code in enumerate(codes) if code not in known
    ]
    if findings:
        raise InvalidArgument(findings[0].field, rule, findings=findings)


def _facts(uow: UnitOfWork, person_id: UUID, site_id: UUID, zone: str, indication: str) -> dict[str, bool]:
    at = uow.clinic_time
    age = age_years(facts.birth_date(uow, person_id), site_date(at, zone))
    valid_days = int(policy.number(uow, "clearance.screening_valid_days"))
    codes, groups = facts.diagnosis_codes(uow, person_id, at), policy.diagnosis_groups(uow, indication)
    return {
        eligibility.AGE: age >= policy.number(uow, "age.minimum_years"),
        eligibility.CONSENT: facts.consent_in_force(uow, person_id, site_id, "ketamine_treatment", at),
        eligibility.PHQ9: facts.screened(uow, person_id, phq9.INSTRUMENT, at, valid_days),
        eligibility.CSSRS: facts.screened(uow, person_id, cssrs.INSTRUMENT, at, valid_days),
        eligibility.NO_BLOCKING_FLAG: facts.no_blocking_flag(uow, person_id),
        eligibility.DIAGNOSIS: supports(codes, groups),
    }


def _record(uow: UnitOfWork, person_id: UUID, site_id: UUID, indication: str, findings: list[Finding]) -> Ids:
    clearance_id, at, cleared = uow.new_id(), uow.clinic_time, passes(findings)
    expires_at = at + timedelta(days=int(policy.number(uow, "clearance.valid_days"))) if cleared else None
    place = {"clearance_id": clearance_id, "person_id": person_id, "site_id": site_id}
    decision = {"outcome": "cleared" if cleared else "declined", "expires_at": expires_at}
    uow.execute(
        insert(clearance).values(
            **place, indication=indication, decided_at=at, decided_by=uow.context.actor_id, **decision
        )
    )
    rows = [
        {**place, "position": number, "code": rule.code, "level": rule.level, "met": rule.met, "source": rule.source}
        for number, rule in enumerate(findings, 1)
    ]
    uow.execute(insert(clearance_rule), rows)
    said = {
        "clearance_id": str(clearance_id),
        "person_id": str(person_id),
        "site_id": str(site_id),
        "indication": indication,
    }
    rules = rule_messages(findings)
    if expires_at is None:
        uow.emit(events.PatientDeclined(**said, rules=rules, declined_at=to_timestamp(at)))
    else:
        uow.emit(
            events.PatientCleared(**said, rules=rules, cleared_at=to_timestamp(at), expires_at=to_timestamp(expires_at))
        )
    return {"clearance_id": str(clearance_id)}


def answer(uow: UnitOfWork, ids: Ids) -> pb.DecideEligibilityResponse:
    """The decision as it was recorded."""
    mine = UUID(ids["clearance_id"])
    outcome = uow.execute(select(clearance.c.outcome).where(clearance.c.clearance_id == mine)).scalar_one()
    rows = uow.execute(
        select(clearance_rule).where(clearance_rule.c.clearance_id == mine).order_by(clearance_rule.c.position)
    )
    rules = rule_messages(Finding(row.code, row.met, row.level, row.source) for row in rows)
    return pb.DecideEligibilityResponse(clearance_id=ids["clearance_id"], outcome=OUTCOME_OF[outcome], rules=rules)


COMMAND = Command("DecideEligibility", pb.DecideEligibilityRequest, handle, answer, roles=roles.DECIDES)
