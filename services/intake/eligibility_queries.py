"""What must be asked before a clearance, and whether a start is allowed right now."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select

from chassis.errors import NotFound
from chassis.index import Query
from chassis.unit_of_work import UnitOfWork
from intake import policy, roles
from intake.contract import rule_messages
from intake.domain import eligibility
from intake.domain.eligibility import Finding, Rule, judge, passes
from intake.domain.practitioner import ADMINISTER
from intake.eligibility import questions_of, start_facts
from intake.practitioners import missing
from intake.record import require_registered_at
from intake.tables import person
from saguaro.intake.v1 import service_pb2 as pb


def list_questions(uow: UnitOfWork, request: pb.ListEligibilityQuestionsRequest) -> pb.ListEligibilityQuestionsResponse:
    """What must be asked of this person at this site now, and what a yes leads to."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    require_registered_at(uow, person_id, site_id)
    found = questions_of(uow, person_id, site_id)
    return pb.ListEligibilityQuestionsResponse(
        questions=[_question(code, rule) for code, rule in found.asked.items()],
        pregnancy_test_needed=found.pregnancy_test_needed,
    )


def _question(code: str, rule: Rule) -> pb.EligibilityQuestion:
    return pb.EligibilityQuestion(
        code=code,
        level=rule.level,
        source=rule.source,
        may_override=rule.may_override,
        monitoring_codes=rule.monitoring,
    )


def check_start(uow: UnitOfWork, request: pb.CheckStartRequest) -> pb.CheckStartResponse:
    """Every rule of the gate `start`, each as of the clinic time of the call; the privilege is that of the caller."""
    person_id, site_id = UUID(request.person_id), UUID(request.site_id)
    if uow.execute(select(person.c.person_id).where(person.c.person_id == person_id)).one_or_none() is None:
        raise NotFound("person_id", "must be a person on record")
    lacks = missing(uow, UUID(str(uow.context.actor_id)), site_id, ADMINISTER)
    found = start_facts(uow, person_id, site_id) | {eligibility.MAY_ADMINISTER: not lacks}
    findings = judge(policy.gate(uow, "start", site_id), found)
    named = [one for finding in findings for one in _each(finding, [lack.field for lack in lacks])]
    return pb.CheckStartResponse(allowed=passes(findings), rules=rule_messages(named))


def _each(finding: Finding, lacks: list[str]) -> list[Finding]:
    """What the caller lacks is named one by one: "privilege.administer.licence_expired"."""
    if finding.met or finding.code != eligibility.MAY_ADMINISTER:
        return [finding]
    return [replace(finding, code=f"{finding.code}.{code.lower()}") for code in lacks]


LIST_QUESTIONS = Query(
    "ListEligibilityQuestions", pb.ListEligibilityQuestionsRequest, list_questions, roles=roles.SCREENS
)
CHECK_START = Query("CheckStart", pb.CheckStartRequest, check_start, roles=roles.READS)
