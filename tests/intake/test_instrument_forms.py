"""Forms as a stranger reads them, who may rate, sites with rules of their own, and results as they are listed."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from chassis.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied
from chassis.values import to_timestamp
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types

from .conftest import NOW, PHOENIX, SCREENER, SINCE_LAST_VISIT, WINDOW_ROCK, Desk
from .forms import AUDITC, GAD7, MADRS, OCIR, PCL5, PHQ9, SUMMED, YBOCS, YBOCS_II, adding_up_to, form_of

# LOINC as the table of verified codes has them.
PHQ9_CODES = (
    "44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3", "44260-8", "69722-7",
)  # fmt: skip


def form(desk: Desk, which: tuple[str, str], site_id: str = PHOENIX) -> pb.GetInstrumentFormResponse:
    request = pb.GetInstrumentFormRequest(site_id=site_id, instrument=which[0], instrument_version=which[1])
    found: pb.GetInstrumentFormResponse = desk.call("GetInstrumentForm", request, "nurse")
    return found


def publish(desk: Desk, policy_set: str, key: dict[str, str], values: dict[str, str], site_id: str = "") -> None:
    row = policy_types.PolicyRow(
        policy_set=policy_set,
        key=[policy_types.PolicyField(name=name, value=value) for name, value in key.items()],
        values=[policy_types.PolicyField(name=name, value=value) for name, value in values.items()],
        site_id=site_id,
        effective_from=to_timestamp(NOW + timedelta(days=1)),
        source="house policy",
    )
    desk.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=row), "medical_director")


def test_a_stranger_finds_every_instrument_and_fills_each_in_from_its_form(desk: Desk) -> None:
    person_id = desk.person()
    found = desk.call("ListInstrumentForms", pb.ListInstrumentFormsRequest(site_id=PHOENIX), "nurse").forms
    named = {(row.instrument, row.instrument_version) for row in found}
    assert named == {PHQ9, *SUMMED, (SCREENER, "lifetime-recent"), (SCREENER, SINCE_LAST_VISIT)}
    assert all(row.source for row in found)
    for row in found:
        which = row.instrument, row.instrument_version
        items = form(desk, which).items
        assert [item.item for item in items if item.scored]
        answer = desk.fill_in(person_id, *which, {item.item: item.lowest for item in items})
        assert answer.band not in ("not_scorable", "incomplete"), which
        assert answer.HasField("total") != (row.instrument == SCREENER)
    assert len(desk.harness.events(events.InstrumentCompleted)) == len(found)


def test_phq9_says_its_items_bands_rules_and_codes(desk: Desk) -> None:
    """44249-1 panel; 44261-6 total; items 1-9: 44250-9, 44255-8, 44259-0, 44254-1, 44251-7, 44258-2, 44252-5, 44253-3, 44260-8;
    69722-7 difficulty
    """
    found = form(desk, PHQ9)
    assert (found.form.max_missing, found.form.rated_by) == (2, "person")
    assert [item.item for item in found.items] == [*map(str, range(1, 10)), "difficulty"]
    assert [item.loinc for item in found.items] == list(PHQ9_CODES)
    assert [item.scored for item in found.items] == [True] * 9 + [False]
    assert {(item.lowest, item.highest) for item in found.items} == {(0, 3)}
    assert [band.code for band in found.bands] == ["minimal", "mild", "moderate", "moderately_severe", "severe"]
    assert {code.part: code.loinc for code in found.codes} == {"panel": "44249-1", "total": "44261-6"}
    assert {rule.code: (rule.value, rule.unit) for rule in found.rules} == {
        "cut.positive": ("10", "{score}"),
        "reliable_change.points": ("5", "{score}"),
        "remission.total": ("4", "{score}"),
        "response.percent": ("50", "%"),
    }


def test_other_verified_codes(desk: Desk) -> None:
    """70274-6 total (panel 69737-5 [K])"""
    assert {code.part: code.loinc for code in form(desk, GAD7).codes} == {"total": "70274-6"}
    auditc = form(desk, AUDITC)
    assert {code.part: code.loinc for code in auditc.codes} == {"panel": "72109-2", "total": "75626-2"}
    assert [item.loinc for item in auditc.items] == ["", "68519-8", "68520-6"]
    assert list(form(desk, MADRS).codes) == []


def test_an_instrument_or_version_that_is_not_there_is_named(desk: Desk) -> None:
    for which, field in ((("PHQ-10", "2001"), "instrument"), (("Y-BOCS", "2001"), "instrument_version")):
        with pytest.raises(InvalidArgument) as refused:
            form(desk, which)
        assert refused.value.field == field
    assert "1989, II-2010" in refused.value.rule


@pytest.mark.parametrize(("sex", "expected"), [
    (types.ADMINISTRATIVE_SEX_FEMALE, "cut_positive"),
    (types.ADMINISTRATIVE_SEX_MALE, "cut_negative"),
    (types.ADMINISTRATIVE_SEX_OTHER, "cut_positive"),
    (types.ADMINISTRATIVE_SEX_UNKNOWN, "cut_positive"),
])  # fmt: skip
def test_auditc_opens_the_sealed_sex(desk: Desk, sex: int, expected: str) -> None:
    """AUDIT-C 3: F positive, M negative."""
    person_id = desk.person(administrative_sex=sex)
    answer = desk.fill_in(person_id, *AUDITC, {"1": 1, "2": 1, "3": 1})
    assert (answer.total, answer.band, list(answer.finding_codes)) == (3, "", [expected])
    (done,) = desk.harness.events(events.InstrumentCompleted)
    assert list(done.finding_codes) == [expected]


def test_a_clinician_rates_what_a_clinician_rates(desk: Desk) -> None:
    """MADRS | 10 x 0-6, clinician"""
    person_id = desk.person()
    for which in (MADRS, YBOCS, YBOCS_II):
        answers = [types.Answer(item=item.name, value=1) for item in form_of(which).items]
        request = pb.CompleteInstrumentRequest(
            person_id=person_id, site_id=PHOENIX, instrument=which[0], instrument_version=which[1], answers=answers
        )
        with pytest.raises(PermissionDenied, match="RATER_ROLE"):
            desk.call("CompleteInstrument", request, "intake_clerk")
        assert desk.call("CompleteInstrument", request, "nurse").total == 10
    assert len(desk.harness.events(events.InstrumentCompleted)) == 3


def test_an_answer_out_of_range_names_its_item_and_changes_nothing(desk: Desk) -> None:
    person_id = desk.person()
    for which in SUMMED:
        highest = form_of(which).items[0].highest
        for value in (-1, highest + 1):
            with pytest.raises(InvalidArgument) as refused:
                desk.fill_in(person_id, *which, {"1": value})
            assert refused.value.field == "answers[0].value"
            assert refused.value.rule == f"must be from 0 to {highest} for this item"
    assert desk.harness.events(events.InstrumentCompleted) == []


def test_a_site_may_have_a_cut_off_of_its_own(desk: Desk) -> None:
    """cut 31-33 (configurable, default 33 [D])"""
    rule = {"instrument": PCL5[0], "version": PCL5[1], "rule_code": "cut.positive"}
    publish(desk, "instrument_rule", rule, {"value": "31", "unit": "{score}"}, site_id=WINDOW_ROCK)
    answers = adding_up_to(32, form_of(PCL5))
    phoenix = desk.person()
    window_rock = desk.register(site_id=WINDOW_ROCK).person_id
    later = NOW + timedelta(days=2)
    for person_id, site_id, at, expected in (
        (phoenix, PHOENIX, later, "cut_negative"),
        (window_rock, WINDOW_ROCK, NOW, "cut_negative"),
        (window_rock, WINDOW_ROCK, later, "cut_positive"),
    ):
        answer = desk.fill_in(person_id, *PCL5, answers, site_id=site_id, at=at)
        assert answer.finding_codes[0] == expected


def test_a_version_that_is_published_is_scored_by_its_rows(desk: Desk) -> None:
    day = {"instrument": "MADRS", "version": "24-hour"}
    publish(desk, "instrument_form", day, {"max_missing": "0", "rated_by": "clinician"})
    person_id, later = desk.person(), NOW + timedelta(days=2)
    with pytest.raises(FailedPrecondition, match="POLICY_INCOMPLETE"):
        desk.fill_in(person_id, "MADRS", "24-hour", {}, at=later)
    for number in ("1", "2"):
        values = {"position": number, "lowest": "0", "highest": "6", "level": ""}
        publish(desk, "instrument_item", {**day, "item": number}, {**values, "subscale": "", "loinc": ""})
    publish(desk, "instrument_band", {**day, "code": "normal"}, {"lowest": "0", "highest": "6"})
    assert desk.fill_in(person_id, "MADRS", "24-hour", {"1": 3, "2": 3}, at=later).band == "normal"
    # A gap in the bands is told, and nothing is recorded.
    with pytest.raises(FailedPrecondition, match="POLICY_INCOMPLETE"):
        desk.fill_in(person_id, "MADRS", "24-hour", {"1": 3, "2": 4}, at=later)
    assert len(desk.harness.events(events.InstrumentCompleted)) == 1


def test_difficulty_is_kept_with_the_answers(desk: Desk) -> None:
    person_id = desk.person()
    answers = {str(number): 1 for number in range(1, 9)} | {"9": 0, "difficulty": 2}
    assert desk.fill_in(person_id, *PHQ9, answers).total == 8
    (result,) = listed(desk, person_id).results
    assert {answer.item: answer.value for answer in result.answers} == answers
    assert [answer.item for answer in result.answers] == [*map(str, range(1, 10)), "difficulty"]


def listed(desk: Desk, person_id: str, **fields: Any) -> pb.ListInstrumentResultsResponse:
    request = pb.ListInstrumentResultsRequest(person_id=person_id, **fields)
    found: pb.ListInstrumentResultsResponse = desk.call("ListInstrumentResults", request)
    return found


def test_results_are_listed_in_pages_oldest_first(desk: Desk) -> None:
    person_id = desk.person()
    # Two at the same moment, and one that was entered after a later one.
    days = (3, 1, 1, 2, 0)
    for total, day in enumerate(days):
        desk.fill_in(person_id, *GAD7, adding_up_to(total, form_of(GAD7)), at=NOW + timedelta(days=day))
    desk.phq9(person_id, [0] * 9)
    desk.phq9(desk.person(), [0] * 9)
    totals: list[int] = []
    token, pages = "", 0
    while token or not pages:
        page = listed(desk, person_id, instrument="GAD-7", page_size=2, page_token=token)
        totals += [result.total for result in page.results]
        token, pages = page.next_page_token, pages + 1
    assert (totals, pages) == ([4, 1, 2, 3, 0], 3)
    assert len(listed(desk, person_id).results) == 6
    other = listed(desk, person_id, page_size=2).next_page_token
    with pytest.raises(InvalidArgument) as refused:
        listed(desk, person_id, instrument="GAD-7", page_token=other)
    assert refused.value.field == "page_token"


def test_a_listed_result_says_all_that_was_recorded(desk: Desk) -> None:
    person_id = desk.person()
    answer = desk.fill_in(person_id, *OCIR, adding_up_to(21, form_of(OCIR)))
    flagged = desk.phq9(person_id, [0] * 8 + [1], at=NOW + timedelta(hours=1))
    ocir, phq9 = listed(desk, person_id).results
    assert (ocir.result_id, ocir.total, ocir.score, ocir.band) == (answer.result_id, 21, "21", "moderate")
    assert list(ocir.finding_codes) == ["cut_positive"]
    assert ocir.subscores == answer.subscores
    assert {part.code: part.total for part in ocir.subscores}["hoarding"] == 4
    assert len(ocir.answers) == 18
    assert ocir.completed_at == to_timestamp(NOW)
    assert ocir.completed_by == str(desk.harness.actor_id)
    assert (list(ocir.flag_ids), list(phq9.flag_ids)) == ([], list(flagged.flag_ids))


def test_results_of_nobody_and_for_those_who_may_not_read_them_are_refused(desk: Desk) -> None:
    with pytest.raises(NotFound):
        listed(desk, str(uuid4()))
    request = pb.ListInstrumentResultsRequest(person_id=desk.person())
    for role in ("scheduler", "intake_clerk", "biller"):
        with pytest.raises(PermissionDenied):
            desk.call("ListInstrumentResults", request, role)


def test_results_of_the_first_release_are_listed_and_are_baselines(desk: Desk) -> None:
    person_id = desk.person()
    desk.phq9(person_id, [2] * 8 + [0])
    with desk.harness.database.engine.begin() as connection:
        connection.execute(text("UPDATE instrument_result SET score = NULL, finding_codes = NULL"))
    (result,) = listed(desk, person_id).results
    assert (result.total, result.score, list(result.finding_codes)) == (16, "16", [])
