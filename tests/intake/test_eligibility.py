"""Clearance, refusal and the check at the start: every rule by itself, and all of them named."""

from datetime import UTC, datetime, timedelta

import pytest

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from intake.domain.eligibility import supports
from intake.migrations import first_policy
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types

from .conftest import NOW, PHOENIX, WINDOW_ROCK, Desk

CLEARED, DECLINED = types.ELIGIBILITY_OUTCOME_CLEARED, types.ELIGIBILITY_OUTCOME_DECLINED
GATE = [
    "age.minimum",
    "consent.ketamine.in_force",
    "phq9.done",
    "cssrs.done",
    "flag.blocking.none_open",
    "diagnosis.for_indication",
]


def test_everything_in_order_clears_and_names_every_rule(desk: Desk) -> None:
    person_id = desk.ready()
    answer = desk.decide(person_id)
    assert answer.outcome == CLEARED
    assert [rule.code for rule in answer.rules][: len(GATE)] == GATE
    assert len(answer.rules) > len(GATE) + 10
    assert all(rule.met and rule.source for rule in answer.rules)
    (event,) = desk.harness.events(events.PatientCleared)
    assert (event.clearance_id, event.person_id, event.indication) == (answer.clearance_id, person_id, "depression")
    assert list(event.rules) == list(answer.rules)
    assert event.expires_at.ToDatetime(tzinfo=UTC) == NOW + timedelta(days=180)


@pytest.mark.parametrize(
    ("missing", "rule"),
    [
        ("consent", "consent.ketamine.in_force"),
        ("phq9", "phq9.done"),
        ("screen", "cssrs.done"),
        ("diagnose", "diagnosis.for_indication"),
    ],
)
def test_one_thing_missing_declines_by_that_rule_alone(desk: Desk, missing: str, rule: str) -> None:
    person_id = desk.person()
    steps = {
        "consent": lambda: desk.consent(person_id),
        "phq9": lambda: desk.phq9(person_id, [2] * 8 + [0]),
        "screen": lambda: desk.screen(person_id),
        "diagnose": lambda: desk.diagnose(person_id),
    }
    for name, step in steps.items():
        if name != missing:
            step()
    answer = desk.decide(person_id)
    assert answer.outcome == DECLINED
    assert desk.unmet(answer) == {rule}
    (event,) = desk.harness.events(events.PatientDeclined)
    assert list(event.rules) == list(answer.rules)
    assert desk.harness.events(events.PatientCleared) == []


def test_consent_for_another_site_does_not_count(desk: Desk) -> None:
    person_id = desk.person()
    desk.phq9(person_id, [1] * 8 + [0])
    desk.screen(person_id)
    desk.diagnose(person_id)
    who = desk.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).identity
    assert desk.register(who, site_id=WINDOW_ROCK, same_as_person_id=person_id).person_id == person_id
    desk.consent(person_id, site_id=WINDOW_ROCK)
    assert desk.unmet(desk.decide(person_id)) == {"consent.ketamine.in_force"}
    assert desk.decide(person_id, site_id=WINDOW_ROCK).outcome == CLEARED


@pytest.mark.parametrize(("birth_date", "site", "met"), [
    # 2026-07-16 01:00Z is still the 15th in Arizona, and in Window Rock.
    ("2008-07-15", PHOENIX, True),
    ("2008-07-16", PHOENIX, False),
    ("2008-07-16", WINDOW_ROCK, False),
])  # fmt: skip
def test_eighteen_at_the_sites_own_date(desk: Desk, birth_date: str, site: str, met: bool) -> None:
    """A person under 18 at the site's date: blocked."""
    evening = datetime(2026, 7, 16, 1, 0, tzinfo=UTC)
    person_id = desk.person(birth_date=birth_date)
    if site == WINDOW_ROCK:
        who = desk.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).identity
        desk.register(who, site_id=site, same_as_person_id=person_id)
    answer = desk.decide(person_id, site_id=site, at=evening)
    assert ("age.minimum" not in desk.unmet(answer)) is met


def test_daylight_saving_decides_the_day(desk: Desk) -> None:
    """06:30Z in July is 23:30 of the day before in Phoenix, and 00:30 of the day in Window Rock."""
    moment = datetime(2026, 7, 16, 6, 30, tzinfo=UTC)
    person_id = desk.person(birth_date="2008-07-16")
    who = desk.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).identity
    desk.register(who, site_id=WINDOW_ROCK, same_as_person_id=person_id)
    assert "age.minimum" in desk.unmet(desk.decide(person_id, at=moment))
    assert "age.minimum" not in desk.unmet(desk.decide(person_id, site_id=WINDOW_ROCK, at=moment))


def test_a_contraindication_that_blocks_declines_and_is_named(desk: Desk) -> None:
    person_id = desk.ready()
    answer = desk.decide(person_id, "aneurysm_or_avm")
    assert answer.outcome == DECLINED
    assert desk.unmet(answer) == {"contraindication.aneurysm_or_avm.absent"}


def test_an_interaction_that_warns_is_named_and_does_not_decline(desk: Desk) -> None:
    person_id = desk.ready()
    answer = desk.decide(person_id, "mao_inhibitor")
    assert answer.outcome == CLEARED
    assert desk.unmet(answer) == {"contraindication.mao_inhibitor.absent"}


def test_an_unknown_contraindication_is_refused_and_nothing_is_decided(desk: Desk) -> None:
    person_id = desk.ready()
    with pytest.raises(InvalidArgument) as refused:
        desk.decide(person_id, "aneurysm_or_avm", "ketamine_allergy")
    assert refused.value.field == "contraindication_codes[1]"
    assert "ketamine_hypersensitivity" in refused.value.rule
    assert "ketamine_allergy" not in refused.value.rule
    assert desk.harness.events(events.PatientDeclined) == []


@pytest.mark.parametrize(("code", "indication", "supported"), [
    ("F33.2", "depression", True), ("F32.A", "depression", True), ("F34.1", "depression", True), ("F33.2", "anxiety", False),
    ("F41.1", "anxiety", True), ("F43.12", "ptsd", True), ("F43.81", "ptsd", True), ("F42.2", "ocd", True),
    ("G90.511", "pain", True), ("M79.7", "pain", True), ("R45.851", "depression", False), ("F32.81", "depression", False),
])  # fmt: skip
def test_a_diagnosis_supports_its_indication_only(code: str, indication: str, supported: bool) -> None:
    assert supports([code], first_policy.GROUPS[indication]) is supported


def test_a_diagnosis_for_another_indication_declines(desk: Desk) -> None:
    person_id = desk.ready()
    assert desk.unmet(desk.decide(person_id, indication="anxiety")) == {"diagnosis.for_indication"}
    desk.diagnose(person_id, "F41.1")
    assert desk.decide(person_id, indication="anxiety").outcome == CLEARED


def test_screening_grows_old(desk: Desk) -> None:
    person_id = desk.ready()
    assert desk.decide(person_id, at=NOW + timedelta(days=30)).outcome == CLEARED
    late = desk.decide(person_id, at=NOW + timedelta(days=30, seconds=1))
    assert desk.unmet(late) == {"phq9.done", "cssrs.done"}


def test_a_later_unscorable_form_does_not_hide_behind_an_older_good_one(desk: Desk) -> None:
    person_id = desk.ready()
    desk.phq9(person_id, [1, None, None, None, 1, 1, 1, 1, 0], at=NOW + timedelta(hours=1))
    assert desk.unmet(desk.decide(person_id, at=NOW + timedelta(hours=2))) == {"phq9.done"}


def test_start_is_allowed_by_consent_flags_and_clearance(desk: Desk) -> None:
    person_id = desk.ready()
    before = desk.check_start(person_id)
    assert not before.allowed
    assert desk.unmet(before) == {"clearance.in_force"}
    desk.decide(person_id)
    after = desk.check_start(person_id)
    assert after.allowed
    assert [(rule.code, rule.met) for rule in after.rules] == [
        ("consent.ketamine.in_force", True), ("flag.blocking.none_open", True), ("clearance.in_force", True),
        ("age.minimum", True), ("pregnancy.absent_at_clearance", True), ("consent.ketamine.for_series", True),
        ("flag.review.none_overdue", True), ("privilege.administer", True),
    ]  # fmt: skip


def test_start_is_refused_once_consent_is_withdrawn_or_over(desk: Desk) -> None:
    person_id = desk.ready()
    desk.decide(person_id)
    consent_id = desk.consent(person_id, days=10)
    assert desk.check_start(person_id, at=NOW + timedelta(days=89)).allowed
    assert desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=90))) == {"consent.ketamine.in_force"}
    assert desk.unmet(desk.check_start(person_id, site_id=WINDOW_ROCK)) == {"consent.ketamine.in_force"}
    withdraw = pb.WithdrawConsentRequest(person_id=person_id, consent_id=consent_id)
    desk.call("WithdrawConsent", withdraw, at=NOW + timedelta(days=1))
    # The other consent of the same kind is still in force.
    assert desk.check_start(person_id, at=NOW + timedelta(days=2)).allowed


def test_a_withdrawn_consent_counts_until_it_was_withdrawn_and_is_withdrawn_once(desk: Desk) -> None:
    person_id = desk.person()
    consent_id = desk.consent(person_id)
    withdraw = pb.WithdrawConsentRequest(person_id=person_id, consent_id=consent_id)
    desk.call("WithdrawConsent", withdraw, at=NOW + timedelta(days=1))
    assert "consent.ketamine.in_force" not in desk.unmet(desk.check_start(person_id, at=NOW + timedelta(hours=23)))
    assert "consent.ketamine.in_force" in desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=1)))
    with pytest.raises(FailedPrecondition, match="CONSENT_WITHDRAWN"):
        desk.call("WithdrawConsent", withdraw, at=NOW + timedelta(days=2))
    (event,) = desk.harness.events(events.ConsentWithdrawn)
    assert (event.consent_id, event.site_id, event.kind) == (consent_id, PHOENIX, types.CONSENT_KIND_KETAMINE_TREATMENT)


def test_somebody_elses_consent_cannot_be_withdrawn(desk: Desk) -> None:
    consent_id = desk.consent(desk.person())
    with pytest.raises(NotFound) as refused:
        desk.call("WithdrawConsent", pb.WithdrawConsentRequest(person_id=desk.person(), consent_id=consent_id))
    assert refused.value.field == "consent_id"
    assert desk.harness.events(events.ConsentWithdrawn) == []


def test_a_consent_that_is_over_before_it_begins_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidArgument) as refused:
        desk.consent(desk.person(), days=0)
    assert refused.value.field == "expires_at"


def test_a_clearance_expires_and_a_later_refusal_takes_it_back(desk: Desk) -> None:
    person_id = desk.ready()
    desk.decide(person_id)
    assert "clearance.in_force" not in desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=179)))
    assert "clearance.in_force" in desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=180)))
    desk.decide(person_id, "pregnancy", at=NOW + timedelta(days=2))
    assert desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=3))) == {"clearance.in_force"}


def test_only_those_who_may_decide_do(desk: Desk) -> None:
    person_id = desk.ready()
    request = desk.asked(person_id)
    for role in ("nurse", "intake_clerk", "operator"):
        with pytest.raises(PermissionDenied):
            desk.call("DecideEligibility", request, role)
    assert desk.call("DecideEligibility", request, "prescriber").outcome == CLEARED


def test_nobody_and_a_person_of_another_site_are_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.check_start("018f0000-0000-7000-8000-000000000000")
    with pytest.raises(FailedPrecondition, match="NOT_REGISTERED_AT_SITE"):
        desk.decide(desk.person(), site_id=WINDOW_ROCK)
