"""Clears a person for an indication, or declines, from what is on record and what they said; every rule that was looked at is named."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from sqlalchemy import insert, select

from chassis.errors import FailedPrecondition, InvalidArgument
from chassis.errors import Finding as FieldFinding
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, to_timestamp
from intake import policy, roles
from intake.contract import ANSWERS, OUTCOME_OF, rule_messages
from intake.decisions import checked_decisions
from intake.domain import answers as said_about
from intake.domain import eligibility
from intake.domain.eligibility import Finding, judge, monitoring_codes, passes, undecided_reviews
from intake.domain.practitioner import CLEAR
from intake.eligibility import Questions, clearance_facts, questions_of
from intake.practitioners import require_privilege
from intake.record import lock_person_at, zone_of
from intake.tables import clearance, clearance_rule
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types


def handle(uow: UnitOfWork, request: pb.DecideEligibilityRequest) -> Ids:
    """InvalidArgument for codes that the policy does not know, QUESTIONS_UNANSWERED; REVIEW_DECISION_MISSING; see `require_privilege`."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    zone_of(uow, site_id)
    lock_person_at(uow, person_id, site_id)
    require_privilege(uow, site_id, CLEAR)
    questions = questions_of(uow, person_id, site_id)
    given = _given(uow, request, questions, site_id)
    findings = _judged(uow, request, questions, given)
    rules = [*policy.gate(uow, "clearance", site_id), *questions.known.values()]
    findings = eligibility.decided(findings, checked_decisions(uow, request.decisions, findings, rules, site_id))
    _refuse_undecided(undecided_reviews(findings))
    return _record(uow, request, findings, monitoring_codes(findings, rules))


def _given(
    uow: UnitOfWork, request: pb.DecideEligibilityRequest, questions: Questions, site_id: UUID
) -> dict[str, str]:
    """Contraindication code -> what was said, and yes where a medication says so."""
    answers = [(item.code, ANSWERS[item.answer]) for item in request.answers]
    given = said_about.said(request.contraindication_codes, answers, questions.known)
    taken = [(item.code, item.daily_dose_mg) for item in request.medications]
    most = policy.number(uow, "benzodiazepine.review_over_lorazepam_mg", site_id)
    found = said_about.from_medications(taken, policy.drugs(uow, site_id), most)
    missing = [
        FieldFinding(f"answers[{code}]", "must be asked and answered: yes, no or unknown")
        for code in said_about.unasked(questions.asked, given)
    ]
    if questions.pregnancy_test_needed and not request.HasField("pregnancy_test"):
        missing.append(FieldFinding("pregnancy_test", "must be given for those who can be pregnant"))
    if missing:
        rule = "every question of ListEligibilityQuestions must be asked and answered; each missing one is a finding"
        raise InvalidArgument(missing[0].field, rule, reason="QUESTIONS_UNANSWERED", findings=missing)
    return given | {code: said_about.YES for code in sorted(found) if code in questions.known}


def _judged(
    uow: UnitOfWork, request: pb.DecideEligibilityRequest, questions: Questions, given: dict[str, str]
) -> list[Finding]:
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    found = clearance_facts(uow, person_id, site_id, request.indication)
    found[eligibility.PREGNANCY_TEST] = not questions.pregnancy_test_needed or _tested_negative(uow, request, site_id)
    # What is not ruled out is not absent.
    found |= {rule.code: given.get(code, said_about.NO) == said_about.NO for code, rule in questions.known.items()}
    answers = {rule.code: given.get(code, said_about.NOT_ASKED) for code, rule in questions.known.items()}
    findings = judge([*policy.gate(uow, "clearance", site_id), *questions.known.values()], found)
    return [replace(finding, answer=answers.get(finding.code, "")) for finding in findings]


def _tested_negative(uow: UnitOfWork, request: pb.DecideEligibilityRequest, site_id: UUID) -> bool:
    """InvalidArgument for a test of the future. One that is too old does not count."""
    tested_at = from_timestamp(request.pregnancy_test.tested_at)
    if tested_at > uow.clinic_time:
        raise InvalidArgument("pregnancy_test.tested_at", "must not be in the future")
    days = int(policy.number(uow, "pregnancy.test_valid_days", site_id))
    fresh = tested_at >= uow.clinic_time - timedelta(days=days)
    return fresh and request.pregnancy_test.result == types.PREGNANCY_TEST_RESULT_NEGATIVE


def _refuse_undecided(codes: Sequence[str]) -> None:
    if codes:
        rule = "a reviewer must decide, with a reason code: " + ", ".join(codes)
        findings = [FieldFinding(code, "must be decided by a reviewer, with a reason code") for code in codes]
        raise FailedPrecondition("REVIEW_DECISION_MISSING", field="decisions", rule=rule, findings=findings)


def _record(uow: UnitOfWork, request: pb.DecideEligibilityRequest, findings: list[Finding], watch: list[str]) -> Ids:
    clearance_id, at, cleared = uow.new_id(), uow.clinic_time, passes(findings)
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    days = int(policy.number(uow, "clearance.valid_days", site_id))
    expires_at = at + timedelta(days=days) if cleared else None
    place = {"clearance_id": clearance_id, "person_id": person_id, "site_id": site_id}
    decision = {"outcome": "cleared" if cleared else "declined", "expires_at": expires_at, "monitoring_codes": watch}
    uow.execute(
        insert(clearance).values(
            **place, indication=request.indication, decided_at=at, decided_by=uow.context.actor_id, **decision
        )
    )
    uow.execute(insert(clearance_rule), [{**place, **_row(n, finding)} for n, finding in enumerate(findings, 1)])
    said = {
        "clearance_id": str(clearance_id),
        "person_id": request.person_id,
        "site_id": request.site_id,
        "indication": request.indication,
    }
    rules = rule_messages(findings)
    if expires_at is None:
        uow.emit(events.PatientDeclined(**said, rules=rules, declined_at=to_timestamp(at)))
    else:
        ends = to_timestamp(expires_at)
        uow.emit(
            events.PatientCleared(
                **said, rules=rules, cleared_at=to_timestamp(at), expires_at=ends, monitoring_codes=watch
            )
        )
    return {"clearance_id": str(clearance_id)}


def _row(position: int, finding: Finding) -> dict[str, object]:
    return {
        "position": position,
        "code": finding.code,
        "level": finding.level,
        "met": finding.met,
        "source": finding.source,
        "answer": finding.answer or None,
        "accepted": finding.accepted,
        "decision_reason_code": finding.reason_code or None,
    }


def answer(uow: UnitOfWork, ids: Ids) -> pb.DecideEligibilityResponse:
    """The decision as it was recorded."""
    mine = UUID(ids["clearance_id"])
    made = uow.execute(select(clearance).where(clearance.c.clearance_id == mine)).one()
    rows = uow.execute(
        select(clearance_rule).where(clearance_rule.c.clearance_id == mine).order_by(clearance_rule.c.position)
    )
    found = (
        Finding(row.code, row.met, row.level, row.source, reason_code=row.decision_reason_code or "") for row in rows
    )
    return pb.DecideEligibilityResponse(
        clearance_id=ids["clearance_id"],
        outcome=OUTCOME_OF[made.outcome],
        rules=rule_messages(found),
        monitoring_codes=made.monitoring_codes or (),
    )


COMMAND = Command("DecideEligibility", pb.DecideEligibilityRequest, handle, answer, roles=roles.DECIDES)
