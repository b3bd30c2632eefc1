"""What the gates rest on, gathered: the questions that must be asked of a person, and the facts of clearance and start."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date
from intake import facts, policy
from intake.domain import cssrs, eligibility, phq9
from intake.domain.eligibility import CAN_BE_PREGNANT, Rule, supports
from intake.domain.identity import age_years
from intake.record import zone_of
from intake.rule_tables import pregnancy_question
from intake.sex import administrative_sex


@dataclass(frozen=True)
class Questions:
    """The contraindications of the policy, those that this person must be asked, and whether a pregnancy test is needed."""

    known: dict[str, Rule]
    asked: dict[str, Rule]
    pregnancy_test_needed: bool


def age_at(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> int:
    """Full years at the site's date."""
    return age_years(facts.birth_date(uow, person_id), site_date(uow.clinic_time, zone_of(uow, site_id)))


def old_enough(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> bool:
    """At least the age of the policy at the site's date."""
    return age_at(uow, person_id, site_id) >= policy.number(uow, "age.minimum_years", site_id)


def can_be_pregnant(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> bool:
    """By administrative sex and age, as the policy says (Spravato label; house policy for sexes other than female and male)."""
    sex = administrative_sex(uow, person_id)
    row = policy.rows(uow, pregnancy_question, ("administrative_sex",), site_id, administrative_sex=sex)
    first = policy.number(uow, "pregnancy.asked_from_years", site_id)
    last = policy.number(uow, "pregnancy.asked_until_years", site_id)
    asked = not row or bool(row[0].asked)
    return asked and first <= age_at(uow, person_id, site_id) <= last


def questions_of(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> Questions:
    """What must be asked of this person at this site now."""
    known, pregnant = policy.contraindications(uow, site_id), can_be_pregnant(uow, person_id, site_id)
    asked = {code: rule for code, rule in known.items() if pregnant or rule.asked_of != CAN_BE_PREGNANT}
    needed = pregnant and any(
        rule.code == eligibility.PREGNANCY_TEST for rule in policy.gate(uow, "clearance", site_id)
    )
    return Questions(known, asked, needed)


def clearance_facts(uow: UnitOfWork, person_id: UUID, site_id: UUID, indication: str) -> dict[str, bool]:
    """Rule code -> whether it is met, as of the clinic time; without what was said and tested."""
    at: datetime = uow.clinic_time
    valid_days = int(policy.number(uow, "clearance.screening_valid_days", site_id))
    codes, groups = facts.diagnosis_codes(uow, person_id, at), policy.diagnosis_groups(uow, indication, site_id)
    return {
        eligibility.AGE: old_enough(uow, person_id, site_id),
        eligibility.CONSENT: facts.consent_in_force(uow, person_id, site_id, "ketamine_treatment", at),
        eligibility.PHQ9: facts.screened(uow, person_id, phq9.INSTRUMENT, at, valid_days),
        eligibility.CSSRS: facts.screened(uow, person_id, cssrs.INSTRUMENT, at, valid_days),
        eligibility.NO_BLOCKING_FLAG: facts.no_blocking_flag(uow, person_id),
        eligibility.NO_OVERDUE_FLAG: facts.no_overdue_flag(uow, person_id, at),
        eligibility.DIAGNOSIS: supports(codes, groups),
    }


def start_facts(uow: UnitOfWork, person_id: UUID, site_id: UUID) -> dict[str, bool]:
    """Rule code -> whether it is met, as of the clinic time; without the caller's own privilege."""
    at: datetime = uow.clinic_time
    consented = facts.consent_in_force(uow, person_id, site_id, "ketamine_treatment", at)
    signed_again = not consented or facts.consent_for_series(uow, person_id, site_id, "ketamine_treatment", at)
    return {
        eligibility.CONSENT: consented,
        # Where no consent is in force at all, that alone is the finding.
        eligibility.CONSENT_FOR_SERIES: signed_again,
        eligibility.NO_BLOCKING_FLAG: facts.no_blocking_flag(uow, person_id),
        eligibility.NO_OVERDUE_FLAG: facts.no_overdue_flag(uow, person_id, at),
        eligibility.CLEARANCE: facts.clearance_in_force(uow, person_id, at),
        eligibility.NOT_PREGNANT: facts.not_pregnant_at_clearance(uow, person_id, at),
        eligibility.AGE: old_enough(uow, person_id, site_id),
    }
