"""Every rule about a contraindication, an interaction or a gate, each alone: what it leads to, who may let it pass, what to watch."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import to_timestamp
from intake.domain.answers import BENZODIAZEPINES, Drug, from_medications
from intake.domain.eligibility import Finding, decided, passes, undecided_reviews
from intake.migrations import rule_rows
from saguaro.device_telemetry.v1 import events_pb2 as infusion_events
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types
from saguaro.treatment_plan.v1 import events_pb2 as plan_events

from .conftest import NO, NOW, PHOENIX, WINDOW_ROCK, YES, Desk

CLEARED, DECLINED = types.ELIGIBILITY_OUTCOME_CLEARED, types.ELIGIBILITY_OUTCOME_DECLINED
UNKNOWN = types.CONTRAINDICATION_ANSWER_VALUE_UNKNOWN
# The level of each rule, written down again: what the rule table says, and not what the rows happen to say.
BLOCKS = {
    "ketamine_hypersensitivity", "aneurysm_or_avm", "intracerebral_hemorrhage_history", "uncontrolled_hypertension",
    "blood_pressure_rise_hazard", "poorly_controlled_cardiovascular_disease", "active_psychosis", "schizophrenia",
    "poorly_controlled_psychosis", "severe_hepatic_impairment", "raised_intracranial_pressure", "raised_intraocular_pressure",
    "pregnancy", "lactation",
}  # fmt: skip
REVIEWS = {
    "active_substance_use_disorder", "bipolar_mania", "personality_disorder_primary", BENZODIAZEPINES,
    "untreated_hyperthyroidism", "sleep_apnea",
}  # fmt: skip
WARNS = {
    "moderate_hepatic_impairment": ["monitor.liver_function"],
    "mao_inhibitor": ["monitor.blood_pressure_closer"],
    "psychostimulant": ["monitor.blood_pressure_closer"],
    "cns_depressant": ["monitor.sedation_closer", "recovery.longer"],
    "opioid": ["monitor.sedation_closer", "recovery.longer"],
    "barbiturate": ["monitor.sedation_closer", "recovery.longer"],
    "alcohol": ["monitor.sedation_closer", "recovery.longer"],
    "theophylline_or_aminophylline": ["monitor.seizure_threshold"],
    "vasopressin_or_ergonovine": ["monitor.blood_pressure_closer"],
    "lamotrigine": ["effect.may_be_blunted"],
    "cystitis_symptoms": ["check.cystitis_every_sessions"],
}
HARD = {
    "ketamine_hypersensitivity", "aneurysm_or_avm", "intracerebral_hemorrhage_history", "severe_hepatic_impairment", "pregnancy",
    "lactation",
}  # fmt: skip


def rule_of(code: str) -> str:
    return f"contraindication.{code}.absent"


def accept(code: str, reason_code: str = "cleared_by_specialist", *, accepted: bool = True) -> types.RuleDecision:
    return types.RuleDecision(code=rule_of(code), accepted=accepted, reason_code=reason_code)


def test_the_rule_table_has_a_level_for_each_row_and_no_other() -> None:
    levels = {code: level for code, level, *_ in rule_rows.CONTRAINDICATIONS}
    expected = dict.fromkeys(BLOCKS, "block") | dict.fromkeys(REVIEWS, "review") | dict.fromkeys(WARNS, "warn")
    assert levels == expected
    assert {code for code, level, who, *_ in rule_rows.CONTRAINDICATIONS if level == "block" and not who} == HARD
    assert all(source for *_, source in rule_rows.CONTRAINDICATIONS)


def test_each_rule_alone_gives_its_level(desk: Desk) -> None:
    """One person, asked once for each rule: a block declines, a review waits for a decision, a warning gives its advice."""
    person_id = desk.ready()
    for code in sorted(BLOCKS):
        answer = desk.decide(person_id, code)
        assert (answer.outcome, desk.unmet(answer)) == (DECLINED, {rule_of(code)})
        (found,) = [rule for rule in answer.rules if not rule.met]
        assert found.level == "block"
        assert found.source
    for code in sorted(REVIEWS):
        with pytest.raises(FailedPrecondition) as refused:
            desk.decide(person_id, code)
        assert refused.value.reason == "REVIEW_DECISION_MISSING"
        assert [finding.field for finding in refused.value.findings] == [rule_of(code)]
    for code, advice in sorted(WARNS.items()):
        answer = desk.decide(person_id, code)
        assert (answer.outcome, desk.unmet(answer)) == (CLEARED, {rule_of(code)})
        assert list(answer.monitoring_codes) == advice
        assert list(desk.harness.events(events.PatientCleared)[-1].monitoring_codes) == advice


def test_an_unknown_answer_is_judged_like_a_yes_and_a_yes_may_be_said_in_either_list(desk: Desk) -> None:
    person_id = desk.ready()
    for value in (UNKNOWN, YES):
        request = desk.asked(person_id, "aneurysm_or_avm")
        del request.contraindication_codes[:]
        request.answers.add(code="aneurysm_or_avm", answer=value)
        answer = desk.call("DecideEligibility", request)
        assert (answer.outcome, desk.unmet(answer)) == (DECLINED, {rule_of("aneurysm_or_avm")})


def test_every_unanswered_question_is_named_and_nothing_is_decided(desk: Desk) -> None:
    person_id = desk.ready()
    request = desk.asked(person_id)
    left_out = {"opioid", "pregnancy"}
    kept = [item for item in request.answers if item.code not in left_out]
    del request.answers[:]
    request.answers.extend(kept)
    request.ClearField("pregnancy_test")
    with pytest.raises(InvalidArgument) as refused:
        desk.call("DecideEligibility", request)
    assert refused.value.reason == "QUESTIONS_UNANSWERED"
    assert [item.field for item in refused.value.findings] == [
        "answers[opioid]",
        "answers[pregnancy]",
        "pregnancy_test",
    ]
    assert desk.harness.events(events.PatientCleared) == desk.harness.events(events.PatientDeclined) == []


def test_answers_that_contradict_or_repeat_are_refused(desk: Desk) -> None:
    person_id = desk.ready()
    for code, values, field in (("opioid", [NO], ".answer"), ("lamotrigine", [NO, NO], ".code")):
        request = desk.asked(person_id, "opioid", "lamotrigine")
        if code == "lamotrigine":
            request.contraindication_codes.remove(code)
        first = len(request.answers)
        for value in values:
            request.answers.add(code=code, answer=value)
        with pytest.raises(InvalidArgument) as refused:
            desk.call("DecideEligibility", request)
        assert refused.value.field == f"answers[{first + len(values) - 1}]{field}"


def test_a_psychosis_is_let_pass_by_a_physician_with_a_reason_and_by_nobody_else(desk: Desk) -> None:
    person_id = desk.ready()
    decision = accept("active_psychosis", "psychiatrist_evaluated_stable")
    request = desk.asked(person_id, "active_psychosis", decisions=[decision])
    for licence_type in ("NP", "PA"):
        with pytest.raises(PermissionDenied) as refused:
            desk.as_actor(desk.practitioner(None, licence_type, ["clear"]), "DecideEligibility", request)
        assert refused.value.reason == "OVERRIDE_NOT_ALLOWED"
        assert [finding.field for finding in refused.value.findings] == [rule_of("active_psychosis")]
    answer = desk.as_actor(desk.practitioner(None, "DO", ["clear"]), "DecideEligibility", request)
    assert answer.outcome == CLEARED
    (found,) = [rule for rule in answer.rules if not rule.met]
    assert (found.code, found.decision_reason_code) == (rule_of("active_psychosis"), "psychiatrist_evaluated_stable")


def test_a_hard_rule_is_let_pass_by_nobody(desk: Desk) -> None:
    person_id = desk.ready()
    for code in sorted(HARD):
        with pytest.raises(PermissionDenied) as refused:
            desk.decide(person_id, code, decisions=[accept(code)])
        assert refused.value.reason == "OVERRIDE_NOT_ALLOWED"
    assert desk.harness.events(events.PatientCleared) == []


def test_a_review_is_decided_either_way(desk: Desk) -> None:
    person_id = desk.ready()
    against = accept("bipolar_mania", "risk_outweighs_benefit", accepted=False)
    assert desk.decide(person_id, "bipolar_mania", decisions=[against]).outcome == DECLINED
    for_it = accept("bipolar_mania", "in_remission")
    assert desk.decide(person_id, "bipolar_mania", decisions=[for_it]).outcome == CLEARED
    # Of two, both need a decision; where one says no, or a rule blocks, nothing else has to be decided.
    with pytest.raises(FailedPrecondition, match="REVIEW_DECISION_MISSING") as refused:
        desk.decide(person_id, "bipolar_mania", "sleep_apnea", decisions=[for_it])
    assert [finding.field for finding in refused.value.findings] == [rule_of("sleep_apnea")]
    assert desk.decide(person_id, "bipolar_mania", "sleep_apnea", decisions=[against]).outcome == DECLINED
    assert desk.decide(person_id, "bipolar_mania", "aneurysm_or_avm").outcome == DECLINED


@pytest.mark.parametrize(("decision", "field"), [
    (accept("opioid"), "decisions[0].code"),
    (accept("sleep_apnea"), "decisions[0].code"),
    (accept("bipolar_mania", "because_i_say_so"), "decisions[0].reason_code"),
])  # fmt: skip
def test_only_an_unmet_rule_that_declines_is_decided_and_only_with_a_listed_reason(
    desk: Desk, decision: types.RuleDecision, field: str
) -> None:
    with pytest.raises(InvalidArgument) as refused:
        desk.decide(desk.ready(), "bipolar_mania", "opioid", decisions=[decision])
    assert refused.value.findings[0].field == field


def test_medications_say_yes_for_the_interactions_that_they_stand_for(desk: Desk) -> None:
    person_id = desk.ready()
    request = desk.asked(person_id)
    for code in ("phenelzine", "oxycodone", "sertraline"):
        request.medications.add(code=code)
    answer = desk.call("DecideEligibility", request)
    assert desk.unmet(answer) == {rule_of("mao_inhibitor"), rule_of("opioid"), rule_of("cns_depressant")}
    assert answer.outcome == CLEARED
    assert list(answer.monitoring_codes) == [
        "monitor.sedation_closer", "recovery.longer", "monitor.blood_pressure_closer",
    ]  # fmt: skip


@pytest.mark.parametrize(("daily", "reviewed"), [("20", False), ("20.1", True)])
def test_more_than_2_mg_lorazepam_equivalent_needs_a_reviewer(desk: Desk, daily: str, reviewed: bool) -> None:
    """Benzodiazepine >2 mg/d lorazepam-eq. | prescriber review (may blunt effect). 10 mg diazepam equal 1 mg lorazepam."""
    request = desk.asked(desk.ready())
    request.medications.add(code="diazepam", daily_dose_mg=daily)
    if reviewed:
        with pytest.raises(FailedPrecondition, match="REVIEW_DECISION_MISSING"):
            desk.call("DecideEligibility", request)
        request.decisions.append(accept(BENZODIAZEPINES, "dose_reduced_or_tapered"))
    assert desk.call("DecideEligibility", request).outcome == CLEARED


@pytest.mark.parametrize(("code", "dose", "field"), [
    ("moonshine", "", "medications[0].code"), ("lorazepam", "", "medications[0].daily_dose_mg"),
    ("lorazepam", "-1", "medications[0].daily_dose_mg"), ("lorazepam", "NaN", "medications[0].daily_dose_mg"),
    ("sertraline", "much", "medications[0].daily_dose_mg"),
])  # fmt: skip
def test_an_unknown_medication_and_a_benzodiazepine_without_its_dose_are_refused(
    desk: Desk, code: str, dose: str, field: str
) -> None:
    request = desk.asked(desk.ready())
    request.medications.add(code=code, daily_dose_mg=dose)
    with pytest.raises(InvalidArgument) as refused:
        desk.call("DecideEligibility", request)
    assert refused.value.field == field


DRUGS = {"lorazepam": Drug((), Decimal(1)), "diazepam": Drug((), Decimal(10)), "alprazolam": Drug((), Decimal("0.5"))}


@given(st.lists(st.tuples(st.sampled_from(sorted(DRUGS)), st.integers(1, 4000))))
def test_equivalents_are_added_exactly(taken: list[tuple[str, int]]) -> None:
    doses = [(code, str(Decimal(hundredths) / 100)) for code, hundredths in taken]
    weight = {"lorazepam": 10, "diazepam": 1, "alprazolam": 20}
    exact = sum(weight[code] * hundredths for code, hundredths in taken) > 2 * 10 * 100
    assert (BENZODIAZEPINES in from_medications(doses, DRUGS, Decimal(2))) is exact


LEVELS = st.sampled_from(("block", "review", "warn"))
FINDINGS = st.lists(st.tuples(LEVELS, st.booleans(), st.sampled_from((None, True, False))), max_size=8)


@given(FINDINGS)
def test_a_clearance_never_passes_while_something_unmet_was_neither_accepted_nor_a_warning(
    drawn: list[tuple[str, bool, bool | None]],
) -> None:
    findings = [Finding(f"rule.{n}", met, level, "") for n, (level, met, _) in enumerate(drawn)]
    decisions = {f"rule.{n}": (said, "why") for n, (_, met, said) in enumerate(drawn) if said is not None and not met}
    found = decided(findings, decisions)
    stands = [level for level, met, said in drawn if not met and level != "warn" and said is not True]
    assert passes(found) is (not stands)
    if undecided_reviews(found):
        assert not passes(found)


@pytest.mark.parametrize(("sex", "born", "asked"), [
    (types.ADMINISTRATIVE_SEX_FEMALE, "1984-03-07", True), (types.ADMINISTRATIVE_SEX_MALE, "1984-03-07", False),
    (types.ADMINISTRATIVE_SEX_OTHER, "1984-03-07", True), (types.ADMINISTRATIVE_SEX_UNKNOWN, "1984-03-07", True),
    (types.ADMINISTRATIVE_SEX_FEMALE, "1970-07-16", True), (types.ADMINISTRATIVE_SEX_FEMALE, "1970-07-15", False),
])  # fmt: skip
def test_who_is_asked_about_pregnancy(
    desk: Desk, sex: "types.AdministrativeSex.ValueType", born: str, asked: bool
) -> None:
    """Pregnancy / lactation | block; pregnancy test for those who can be pregnant."""
    person_id = desk.ready(administrative_sex=sex, birth_date=born)
    question = pb.ListEligibilityQuestionsRequest(person_id=person_id, site_id=PHOENIX)
    found = desk.call("ListEligibilityQuestions", question)
    assert found.pregnancy_test_needed is asked
    assert ({"pregnancy", "lactation"} <= {one.code for one in found.questions}) is asked
    assert desk.decide(person_id).outcome == CLEARED


def test_a_positive_or_old_pregnancy_test_declines_unless_it_does_not_matter(desk: Desk) -> None:
    person_id = desk.ready()
    positive, old, future = (desk.asked(person_id) for _ in range(3))
    positive.pregnancy_test.result = types.PREGNANCY_TEST_RESULT_POSITIVE
    old.pregnancy_test.tested_at.CopyFrom(to_timestamp(NOW - timedelta(days=7, seconds=1)))
    for request in (positive, old):
        assert desk.unmet(desk.call("DecideEligibility", request)) == {"pregnancy.test.negative"}
    future.pregnancy_test.tested_at.CopyFrom(to_timestamp(NOW + timedelta(seconds=1)))
    with pytest.raises(InvalidArgument) as refused:
        desk.call("DecideEligibility", future)
    assert refused.value.field == "pregnancy_test.tested_at"
    reason = types.RuleDecision(code="pregnancy.test.negative", accepted=True, reason_code="cannot_be_pregnant")
    old.decisions.append(reason)
    assert desk.call("DecideEligibility", old).outcome == CLEARED
    assert desk.check_start(person_id).allowed


def test_the_start_looks_at_age_and_at_who_administers(desk: Desk) -> None:
    person_id = desk.ready(birth_date="2008-07-16")
    answer = desk.check_start(person_id)
    assert "age.minimum" in desk.unmet(answer)
    assert {rule.level for rule in answer.rules} == {"block"}
    person_id = desk.ready()
    desk.decide(person_id)
    request = pb.CheckStartRequest(person_id=person_id, site_id=PHOENIX)
    for who, missing in (
        (desk.practitioner(None, "RN", ["administer"]), set()),
        (desk.practitioner(None, "MD", ["diagnose", "clear", "sign"]), {"privilege_missing"}),
        (desk.practitioner(None, "RN", ["administer"], site_ids=[WINDOW_ROCK]), {"privilege_missing"}),
        (desk.practitioner(None, "RN", ["administer"], expires_on="2026-07-14"), {"licence_expired"}),
        (
            desk.practitioner(None, "RN", [], expires_on="2026-07-14"),
            {"licence_expired", "privilege_missing"},
        ),
        ("018f0000-0000-7000-8000-000000000000", {"practitioner_not_recorded"}),
    ):
        answer = desk.as_actor(who, "CheckStart", request, "nurse")
        assert desk.unmet(answer) == {f"privilege.administer.{code}" for code in missing}
        assert answer.allowed is (not missing)


def test_a_later_series_needs_a_consent_of_its_own(desk: Desk) -> None:
    """Signed before each series, by site."""
    person_id = desk.ready()
    desk.decide(person_id)

    def signed(number: int, days: int) -> None:
        plan = plan_events.PlanSigned(
            plan_id=f"00000000-0000-7000-8000-00000000000{number}",
            person_id=person_id,
            site_id=PHOENIX,
            signed_at=to_timestamp(NOW + timedelta(days=days)),
        )
        assert desk.harness.deliver(plan) == "applied"

    def infused(number: int, days: int) -> None:
        begun = infusion_events.InfusionStarted(
            session_id=f"00000000-0000-7000-9000-00000000000{number}",
            person_id=person_id,
            site_id=PHOENIX,
            started_at=to_timestamp(NOW + timedelta(days=days)),
        )
        assert desk.harness.deliver(begun) == "applied"

    signed(1, 1)
    infused(1, 2)
    assert desk.check_start(person_id, at=NOW + timedelta(days=5)).allowed
    infused(2, 5)
    signed(2, 20)
    assert desk.unmet(desk.check_start(person_id, at=NOW + timedelta(days=21))) == {"consent.ketamine.for_series"}
    desk.consent(person_id, at=NOW + timedelta(days=19))
    assert desk.check_start(person_id, at=NOW + timedelta(days=21)).allowed


def test_a_reason_for_somebody_else_comes_from_a_closed_list(desk: Desk) -> None:
    desk.register()
    for reason, synthetic in (("just_a_feeling", True), ("drawn_by_another_run", False)):
        with pytest.raises(InvalidArgument) as refused:
            desk.register(site_id=WINDOW_ROCK, not_same_reason_code=reason, synthetic=synthetic)
        assert refused.value.field == "not_same_reason_code"
    assert desk.register(site_id=WINDOW_ROCK, not_same_reason_code="drawn_by_another_run").person_id


def publish(desk: Desk, policy_set: str, key: dict[str, str], values: dict[str, str], site_id: str = "") -> None:
    row = policy_types.PolicyRow(
        policy_set=policy_set,
        key=[policy_types.PolicyField(name=name, value=value) for name, value in key.items()],
        values=[policy_types.PolicyField(name=name, value=value) for name, value in values.items()],
        site_id=site_id,
        effective_from=to_timestamp(NOW),
        source="house policy",
    )
    desk.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=row), "medical_director")


def test_a_site_has_rules_of_its_own_that_somebody_signed(desk: Desk) -> None:
    """Rules, ages and due times of one site go before those of the network; the other site keeps them."""
    person_id = desk.ready()
    who = desk.call("GetPerson", pb.GetPersonRequest(person_id=person_id)).identity
    desk.register(who, site_id=WINDOW_ROCK, same_as_person_id=person_id)
    desk.consent(person_id, site_id=WINDOW_ROCK)
    values = {"level": "block", "asked_of": "everyone", "may_override": "MD, DO", "monitoring_codes": ""}
    publish(desk, "contraindication", {"code": "sleep_apnea"}, values, WINDOW_ROCK)
    publish(desk, "policy_number", {"policy_code": "age.minimum_years"}, {"value": "60", "unit": "a"}, WINDOW_ROCK)
    with pytest.raises(FailedPrecondition, match="REVIEW_DECISION_MISSING"):
        desk.decide(person_id, "sleep_apnea")
    answer = desk.decide(person_id, "sleep_apnea", site_id=WINDOW_ROCK)
    assert desk.unmet(answer) == {rule_of("sleep_apnea"), "age.minimum"}
    assert desk.decide(person_id).outcome == CLEARED


def test_a_rule_that_nobody_can_tell_stops_every_decision(desk: Desk) -> None:
    values = {"position": "99", "level": "block", "may_override": ""}
    publish(desk, "gate_rule", {"gate": "clearance", "code": "moon.is_full"}, values)
    with pytest.raises(FailedPrecondition, match="RULE_WITHOUT_FACT"):
        desk.decide(desk.ready())
