"""A clinic's front desk on a real database: two sites, and short words for what it does all day."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from chassis.database import Database
from chassis.testing import ServiceHarness
from chassis.values import to_timestamp
from intake.app import INDEX
from intake.domain.practitioner import npi_is_valid
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from saguaro.scheduling.v1 import events_pb2 as scheduling_events

NOW = datetime(2026, 7, 15, 16, 0, tzinfo=UTC)
# Fixed: they name parametrised tests, which every process of a run must name alike.
PHOENIX, WINDOW_ROCK = str(UUID(int=0xA1)), str(UUID(int=0xA2))
NO, YES = types.CONTRAINDICATION_ANSWER_VALUE_NO, types.CONTRAINDICATION_ANSWER_VALUE_YES
EVERYTHING = ("diagnose", "clear", "sign", "administer")
PHQ9, PHQ9_VERSION = "PHQ-9", "2001"
SCREENER, LIFETIME_RECENT, SINCE_LAST_VISIT = "C-SSRS-SCREENER", "lifetime-recent", "since-last-visit"


def identity(**other: Any) -> types.PersonIdentity:
    """Somebody who does not exist."""
    return types.PersonIdentity(
        **{
            "given_name": "Marisol",
            "family_name": "Quintanilla-Zepeda",
            "birth_date": "1984-03-07",
            "administrative_sex": types.ADMINISTRATIVE_SEX_FEMALE,
            "phone": "+16025550147",
            "email": "marisol.qz@example.org",
            "address_line": "4417 East Ironwood Wren Lane",
            "city": "Scottsdale",
            "state": "AZ",
            "postal_code": "85251",
            **other,
        }
    )


@dataclass
class Desk:
    """Short words over the harness."""

    harness: ServiceHarness

    def call(self, rpc: str, request: Any, role: str = "clinician", at: datetime = NOW) -> Any:
        return self.harness.call(rpc, request, role=role, at=at)

    def register(
        self, who: types.PersonIdentity | None = None, *, at: datetime = NOW, role: str = "intake_clerk", **other: Any
    ) -> Any:
        values = {"site_id": PHOENIX, "medical_record_number": f"MRN-{uuid4().hex[:8]}", "synthetic": True, **other}
        return self.call("RegisterPerson", pb.RegisterPersonRequest(identity=who or identity(), **values), role, at)

    def person(self, **other: Any) -> str:
        """Registers somebody like nobody else and returns the id."""
        letters = "".join(chr(ord("a") + int(digit, 16)) for digit in uuid4().hex[:10])
        who = identity(family_name=letters, given_name=letters[::-1], phone="", email="", **other)
        answer = self.register(who)
        assert answer.outcome == pb.RegisterPersonResponse.OUTCOME_REGISTERED
        return str(answer.person_id)

    def consent(self, person_id: str, *, site_id: str = PHOENIX, days: int = 90, at: datetime = NOW) -> str:
        expires_at = to_timestamp(at + timedelta(days=days))
        kind = types.CONSENT_KIND_KETAMINE_TREATMENT
        request = pb.GrantConsentRequest(person_id=person_id, site_id=site_id, kind=kind, expires_at=expires_at)
        return str(self.call("GrantConsent", request, at=at).consent_id)

    def fill_in(
        self,
        person_id: str,
        instrument: str,
        version: str,
        answers: dict[str, int],
        *,
        site_id: str = PHOENIX,
        at: datetime = NOW,
    ) -> Any:
        given = [types.Answer(item=item, value=value) for item, value in answers.items()]
        request = pb.CompleteInstrumentRequest(
            person_id=person_id, site_id=site_id, instrument=instrument, instrument_version=version, answers=given
        )
        return self.call("CompleteInstrument", request, at=at)

    def phq9(self, person_id: str, values: Sequence[int | None], **where: Any) -> Any:
        answers = {str(number): value for number, value in enumerate(values, 1) if value is not None}
        return self.fill_in(person_id, PHQ9, PHQ9_VERSION, answers, **where)

    def screen(self, person_id: str, *yes: str, **where: Any) -> Any:
        """The screener with a yes to these items and a no to all others."""
        items = ("1", "2", "3", "4", "5", "6.lifetime", "6.3months")
        return self.fill_in(person_id, SCREENER, LIFETIME_RECENT, {item: int(item in yes) for item in items}, **where)

    def diagnose(self, person_id: str, code: str = "F33.2", *, site_id: str = PHOENIX) -> Any:
        return self.call(
            "RecordDiagnosis", pb.RecordDiagnosisRequest(person_id=person_id, site_id=site_id, icd10cm_code=code)
        )

    def decide(
        self,
        person_id: str,
        *contraindications: str,
        indication: str = "depression",
        site_id: str = PHOENIX,
        decisions: Sequence[types.RuleDecision] = (),
        at: datetime = NOW,
    ) -> Any:
        request = self.asked(
            person_id, *contraindications, indication=indication, site_id=site_id, decisions=decisions, at=at
        )
        return self.call("DecideEligibility", request, at=at)

    def asked(
        self,
        person_id: str,
        *yes: str,
        indication: str = "depression",
        site_id: str = PHOENIX,
        decisions: Sequence[types.RuleDecision] = (),
        at: datetime = NOW,
    ) -> pb.DecideEligibilityRequest:
        """Every question answered: yes to these codes, no to all others; and a negative test where one is needed."""
        question = pb.ListEligibilityQuestionsRequest(person_id=person_id, site_id=site_id)
        found = self.call("ListEligibilityQuestions", question, at=at)
        answers = [
            types.ContraindicationAnswer(code=one.code, answer=NO) for one in found.questions if one.code not in yes
        ]
        request = pb.DecideEligibilityRequest(
            person_id=person_id,
            site_id=site_id,
            indication=indication,
            contraindication_codes=yes,
            answers=answers,
            decisions=decisions,
        )
        if found.pregnancy_test_needed:
            request.pregnancy_test.result = types.PREGNANCY_TEST_RESULT_NEGATIVE
            request.pregnancy_test.tested_at.CopyFrom(to_timestamp(at))
        return request

    def check_start(self, person_id: str, *, site_id: str = PHOENIX, at: datetime = NOW) -> Any:
        return self.call("CheckStart", pb.CheckStartRequest(person_id=person_id, site_id=site_id), "nurse", at)

    def practitioner(
        self,
        practitioner_id: UUID | str | None = None,
        licence_type: str = "MD",
        privileges: Sequence[str] = EVERYTHING,
        *,
        site_ids: Sequence[str] = (PHOENIX, WINDOW_ROCK),
        expires_on: str = "2030-12-31",
        dea_expires_on: str = "2030-06-30",
        at: datetime = NOW,
    ) -> str:
        """Records a practitioner whose numbers belong to nobody and returns the id. A DEA number only for those who sign."""
        who = str(practitioner_id or uuid4())
        signs = "sign" in privileges and dea_expires_on
        sites = [
            types.SitePractice(
                site_id=site_id,
                privileges=privileges,
                dea_number="FS1234563" if signs else "",
                dea_expires_on=dea_expires_on if signs else "",
            )
            for site_id in site_ids
        ]
        request = pb.RecordPractitionerRequest(
            practitioner_id=who,
            licence_type=licence_type,
            licence_state="AZ",
            licence_number="R-48213",
            licence_expires_on=expires_on,
            npi=npi_of(who),
            sites=sites,
        )
        self.call("RecordPractitioner", request, "operator", at)
        return who

    def as_actor(
        self, practitioner_id: str, rpc: str, request: Any, role: str = "clinician", at: datetime = NOW
    ) -> Any:
        """A call by somebody else than the desk's own clinician."""
        return self.harness.call(rpc, request, role=role, at=at, actor_id=UUID(practitioner_id))

    def clear_flag(self, flag_id: str, note: str = "Seen in person; safety plan made.", role: str = "clinician") -> Any:
        return self.call("ClearSafetyFlag", pb.ClearSafetyFlagRequest(flag_id=flag_id, note=note), role)

    def ready(self, **other: Any) -> str:
        """Somebody with everything that clearance asks for."""
        person_id = self.person(**other)
        self.consent(person_id)
        self.phq9(person_id, [2] * 8 + [0])
        self.screen(person_id)
        self.diagnose(person_id)
        return person_id

    def unmet(self, answer: Any) -> set[str]:
        """Codes of the rules that are not met."""
        return {rule.code for rule in answer.rules if not rule.met}


def npi_of(practitioner_id: str) -> str:
    """A valid NPI that follows from an id."""
    nine = "1" + str(UUID(practitioner_id).int)[-8:]
    return next(f"{nine}{digit}" for digit in range(10) if npi_is_valid(f"{nine}{digit}"))


def opened(site_id: str, code: str, zone: str) -> scheduling_events.SiteOpened:
    """Scheduling's word that a site has opened."""
    return scheduling_events.SiteOpened(site_id=site_id, site_code=code, time_zone=zone, opened_at=to_timestamp(NOW))


@pytest.fixture
def harness(database_of: Callable[..., Database]) -> ServiceHarness:
    """Intake with two open sites: one without and one with daylight saving time."""
    harness = ServiceHarness(INDEX, database_of("intake"))
    assert harness.deliver(opened(PHOENIX, "PHX", "America/Phoenix")) == "applied"
    assert harness.deliver(opened(WINDOW_ROCK, "WRK", "America/Denver")) == "applied"
    # Whoever the tests call as may do everything at both sites.
    Desk(harness).practitioner(harness.actor_id)
    return harness


@pytest.fixture
def desk(harness: ServiceHarness) -> Desk:
    """The front desk of that network."""
    return Desk(harness)
