"""Practitioners: check digits, what each licence may hold, revisions, and each privilege missing alone."""

from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from chassis.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from intake.domain.practitioner import Standing, against, dea_number_is_valid, npi_is_valid
from intake.migrations.practitioner_rows import ALLOWED
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types

from .conftest import EVERYTHING, NOW, PHOENIX, WINDOW_ROCK, Desk, npi_of

TODAY = date(2026, 7, 15)
STANDING = Standing("MD", date(2026, 7, 15), frozenset(EVERYTHING), date(2026, 7, 15))


def test_the_npi_of_the_standards_example_is_valid() -> None:
    """CMS, NPI standard: 1234567893 with the prefix 80840."""
    assert npi_is_valid("1234567893")
    assert not any(npi_is_valid(f"123456789{digit}") for digit in "012456789")
    assert not any(npi_is_valid(number) for number in ("", "123456789", "12345678930", "123456789x", "١٢٣٤٥٦٧٨٩٣"))


@given(st.integers(10**8, 10**9 - 1), st.integers(0, 8), st.integers(1, 9))
def test_every_npi_has_one_check_digit_and_no_wrong_digit_passes(first: int, place: int, change: int) -> None:
    (right,) = [f"{first}{digit}" for digit in range(10) if npi_is_valid(f"{first}{digit}")]
    wrong = [*right]
    wrong[place] = str((int(right[place]) + change) % 10)
    assert not npi_is_valid("".join(wrong))


def test_dea_numbers_by_their_check_digit() -> None:
    # 1 + 3 + 5 = 9, and 2 x (2 + 4 + 6) = 24: 33.
    assert dea_number_is_valid("FS1234563")
    assert dea_number_is_valid("B91234563")
    for wrong in ("FS1234564", "FS2134563", "fs1234563", "9S1234563", "FS123456", "FS12345633", "", "FSABCDEF3"):
        assert not dea_number_is_valid(wrong)


def test_nothing_stands_against_somebody_in_order_on_the_last_day() -> None:
    for privilege in EVERYTHING:
        assert against(STANDING, EVERYTHING, privilege, TODAY) == []


@pytest.mark.parametrize(("standing", "allowed", "code"), [
    (None, EVERYTHING, "PRACTITIONER_NOT_RECORDED"),
    (Standing("MD", date(2026, 7, 14), frozenset(EVERYTHING), TODAY), EVERYTHING, "LICENCE_EXPIRED"),
    (Standing("MD", TODAY, frozenset({"diagnose", "clear", "administer"}), TODAY), EVERYTHING, "PRIVILEGE_MISSING"),
    (STANDING, ("diagnose", "clear", "administer"), "LICENCE_TYPE_EXCLUDES"),
    (Standing("MD", TODAY, frozenset(EVERYTHING), None), EVERYTHING, "DEA_REGISTRATION_MISSING"),
    (Standing("MD", TODAY, frozenset(EVERYTHING), date(2026, 7, 14)), EVERYTHING, "DEA_REGISTRATION_MISSING"),
])  # fmt: skip
def test_each_thing_missing_alone_stands_against_signing(
    standing: Standing | None, allowed: tuple[str, ...], code: str
) -> None:
    assert [finding.field for finding in against(standing, allowed, "sign", TODAY)] == [code]


def test_everything_that_is_missing_is_named() -> None:
    nothing = Standing("RN", date(2026, 7, 14), frozenset(), None)
    found = [finding.field for finding in against(nothing, (), "sign", TODAY)]
    assert found == ["LICENCE_EXPIRED", "PRIVILEGE_MISSING", "DEA_REGISTRATION_MISSING"]


@pytest.mark.parametrize("licence_type", sorted(ALLOWED))
def test_a_licence_holds_exactly_the_privileges_of_its_type(desk: Desk, licence_type: str) -> None:
    for privilege in EVERYTHING:
        if privilege in ALLOWED[licence_type]:
            desk.practitioner(None, licence_type, [privilege])
        else:
            with pytest.raises(InvalidArgument) as refused:
                desk.practitioner(None, licence_type, [privilege])
            assert refused.value.field == "sites[0].privileges[0]"


def missing(desk: Desk, who: str, privilege: str, site_id: str = PHOENIX) -> list[str]:
    request = pb.CheckPrivilegeRequest(practitioner_id=who, site_id=site_id, privilege=privilege)
    answer = desk.call("CheckPrivilege", request)
    assert answer.allowed is not bool(answer.missing)
    return list(answer.missing)


def test_check_privilege_names_what_is_missing(desk: Desk) -> None:
    doctor = desk.practitioner(None, "MD", site_ids=[PHOENIX])
    assert [missing(desk, doctor, privilege) for privilege in EVERYTHING] == [[], [], [], []]
    assert missing(desk, doctor, "diagnose", WINDOW_ROCK) == ["PRIVILEGE_MISSING"]
    assert missing(desk, doctor, "sign", WINDOW_ROCK) == ["PRIVILEGE_MISSING", "DEA_REGISTRATION_MISSING"]
    assert missing(desk, str(uuid4()), "clear") == ["PRACTITIONER_NOT_RECORDED"]
    assert missing(desk, desk.practitioner(None, "MD", dea_expires_on=""), "sign") == ["DEA_REGISTRATION_MISSING"]
    assert missing(desk, desk.practitioner(None, "MD", dea_expires_on="2026-07-14"), "sign") == [
        "DEA_REGISTRATION_MISSING"
    ]
    assert missing(desk, "", "clear") == []


def test_a_licence_ends_with_the_day_at_the_site(desk: Desk) -> None:
    """06:30Z is the day before in Phoenix, and the day itself in Window Rock."""
    doctor = desk.practitioner(None, "MD", expires_on="2026-07-15")
    moment = NOW.replace(day=16, hour=6, minute=30)
    for site_id, expected in ((PHOENIX, []), (WINDOW_ROCK, ["LICENCE_EXPIRED"])):
        request = pb.CheckPrivilegeRequest(practitioner_id=doctor, site_id=site_id, privilege="clear")
        assert list(desk.call("CheckPrivilege", request, at=moment).missing) == expected


def acts(desk: Desk) -> dict[str, Any]:
    """Each act of a licensed person, with a request that is otherwise in order."""
    person_id = desk.ready()
    flag_id = desk.screen(person_id, "2", "3").flag_ids[0]
    return {
        "RecordDiagnosis": pb.RecordDiagnosisRequest(person_id=person_id, site_id=PHOENIX, icd10cm_code="F33.2"),
        "RecordEvaluation": pb.RecordEvaluationRequest(person_id=person_id, site_id=PHOENIX, cpt_code="99204"),
        "DecideEligibility": desk.asked(person_id),
        "ClearSafetyFlag": pb.ClearSafetyFlagRequest(flag_id=flag_id, note="Seen in person; safety plan made."),
    }


NEEDED = {
    "RecordDiagnosis": ["diagnose"],
    "RecordEvaluation": ["diagnose"],
    "DecideEligibility": ["clear"],
    "ClearSafetyFlag": ["clear", "diagnose"],
}


def test_each_act_needs_its_own_privilege_and_no_other(desk: Desk) -> None:
    """Diagnose, clear, sign and administer are separate privileges."""
    requests = acts(desk)
    for rpc, any_of in NEEDED.items():
        others = desk.practitioner(None, "MD", [one for one in EVERYTHING if one not in any_of])
        with pytest.raises(PermissionDenied) as refused:
            desk.as_actor(others, rpc, requests[rpc])
        assert refused.value.reason == "PRIVILEGE_MISSING"
        assert [finding.field for finding in refused.value.findings] == ["PRIVILEGE_MISSING"]
    for rpc, any_of in NEEDED.items():
        desk.as_actor(desk.practitioner(None, "MD", [any_of[0]]), rpc, requests[rpc])


def test_a_flag_is_cleared_by_somebody_who_only_diagnoses(desk: Desk) -> None:
    desk.as_actor(desk.practitioner(None, "PSY", ["diagnose"]), "ClearSafetyFlag", acts(desk)["ClearSafetyFlag"])


@pytest.mark.parametrize("rpc", sorted(NEEDED))
def test_an_rn_an_expired_licence_the_wrong_site_and_a_stranger_are_each_refused(desk: Desk, rpc: str) -> None:
    """An RN diagnosing, an expired licence, the wrong site, a signer without DEA: each refused."""
    request = acts(desk)[rpc]
    for who, reason in (
        (desk.practitioner(None, "RN", ["administer"]), "PRIVILEGE_MISSING"),
        (desk.practitioner(None, "MD", expires_on="2026-07-14"), "LICENCE_EXPIRED"),
        (desk.practitioner(None, "MD", site_ids=[WINDOW_ROCK]), "PRIVILEGE_MISSING"),
        (str(uuid4()), "PRACTITIONER_NOT_RECORDED"),
    ):
        with pytest.raises(PermissionDenied) as refused:
            desk.as_actor(who, rpc, request)
        assert refused.value.reason == reason
    for kind in (events.DiagnosisRecorded, events.EvaluationRecorded, events.PatientCleared, events.SafetyFlagCleared):
        assert len(desk.harness.events(kind)) == (1 if kind is events.DiagnosisRecorded else 0)


def test_a_policy_that_takes_a_privilege_from_a_licence_type_refuses_at_the_act(desk: Desk) -> None:
    assistant = desk.practitioner(None, "PA", ["diagnose"])
    request = acts(desk)["RecordDiagnosis"]
    with desk.harness.database.engine.begin() as connection:
        end = "UPDATE licence_privilege SET allowed = false WHERE licence_type = 'PA' AND privilege = 'diagnose'"
        connection.execute(text(end))
    with pytest.raises(PermissionDenied) as refused:
        desk.as_actor(assistant, "RecordDiagnosis", request)
    assert refused.value.reason == "LICENCE_TYPE_EXCLUDES"


def test_each_record_is_a_new_revision_and_the_old_ones_stay(desk: Desk) -> None:
    doctor = desk.practitioner(None, "MD")
    desk.practitioner(doctor, "MD", ["diagnose"], site_ids=[PHOENIX], expires_on="2031-01-31")
    first, second = [
        item for item in desk.harness.events(events.PractitionerRecorded) if item.practitioner_id == doctor
    ]
    assert (first.revision, second.revision) == (1, 2)
    assert second.licence_expires_on == "2031-01-31"
    assert list(second.sites) == [types.SitePrivileges(site_id=PHOENIX, privileges=["diagnose"])]
    assert [site.dea_expires_on for site in first.sites] == ["2030-06-30", "2030-06-30"]

    def get(revision: int) -> types.Practitioner:
        request = pb.GetPractitionerRequest(practitioner_id=doctor, revision=revision)
        found: types.Practitioner = desk.call("GetPractitioner", request, "medical_director").practitioner
        return found

    assert get(0) == get(2)
    assert (get(1).licence_number, get(1).npi) == ("R-48213", npi_of(doctor))
    assert [place.dea_number for place in get(1).sites] == ["FS1234563", "FS1234563"]
    assert missing(desk, doctor, "clear") == ["PRIVILEGE_MISSING"]
    with pytest.raises(NotFound) as refused:
        get(3)
    assert refused.value.field == "revision"


def test_practitioners_are_listed_by_site_and_page(desk: Desk) -> None:
    here = sorted(desk.practitioner(None, "NP", ["clear"], site_ids=[WINDOW_ROCK]) for _ in range(3))
    gone = desk.practitioner(None, "NP", ["clear"], site_ids=[WINDOW_ROCK])
    desk.practitioner(gone, "NP", ["clear"], site_ids=[PHOENIX])
    request = pb.ListPractitionersRequest(site_id=WINDOW_ROCK, page_size=2)
    found: list[str] = []
    while True:
        answer = desk.call("ListPractitioners", request, "operator")
        found += [one.practitioner_id for one in answer.practitioners]
        assert len(answer.practitioners) <= 2
        if not answer.next_page_token:
            break
        request.page_token = answer.next_page_token
    assert found == sorted([*here, str(desk.harness.actor_id)])


def broken(**changes: Any) -> pb.RecordPractitionerRequest:
    values: dict[str, Any] = {
        "practitioner_id": str(UUID(int=7)), "licence_type": "MD", "licence_state": "AZ", "licence_number": "R-1",
        "licence_expires_on": "2027-01-31", "npi": "1234567893",
        "sites": [types.SitePractice(site_id=PHOENIX, privileges=["sign"], dea_number="FS1234563", dea_expires_on="2027-01-31")],
    }  # fmt: skip
    return pb.RecordPractitionerRequest(**{**values, **changes})


@pytest.mark.parametrize(("changes", "field"), [
    ({"licence_type": "XYZ"}, "licence_type"),
    ({"licence_expires_on": "2027-02-30"}, "licence_expires_on"),
    ({"npi": "1234567890"}, "npi"),
    ({"sites": [types.SitePractice(site_id=PHOENIX), types.SitePractice(site_id=PHOENIX)]}, "sites[1].site_id"),
    ({"sites": [types.SitePractice(site_id=PHOENIX, dea_number="FS1234563")]}, "sites[0].dea_number"),
    ({"sites": [types.SitePractice(site_id=PHOENIX, dea_number="FS1234560", dea_expires_on="2027-01-31")]}, "sites[0].dea_number"),
    ({"sites": [types.SitePractice(site_id=PHOENIX, dea_number="FS1234563", dea_expires_on="2027-13-01")]}, "sites[0].dea_expires_on"),
])  # fmt: skip
def test_what_breaks_a_rule_is_named_and_changes_nothing(desk: Desk, changes: dict[str, Any], field: str) -> None:
    """A practitioner has licence type, state, number, expiry, NPI (Luhn), privileges by site, DEA registration by site for those who
    sign.
    """
    with pytest.raises(InvalidArgument) as refused:
        desk.call("RecordPractitioner", broken(**changes), "operator")
    assert [finding.field for finding in refused.value.findings] == [field]
    assert "1234567" not in str(refused.value)
    assert len(desk.harness.events(events.PractitionerRecorded)) == 1


def test_an_npi_names_one_practitioner(desk: Desk) -> None:
    desk.call("RecordPractitioner", broken(), "medical_director")
    with pytest.raises(AlreadyExists, match="NPI_TAKEN"):
        desk.call("RecordPractitioner", broken(practitioner_id=str(UUID(int=8))), "operator")


def test_only_operators_and_medical_directors_record(desk: Desk) -> None:
    for role in ("clinician", "prescriber", "nurse", "intake_clerk"):
        with pytest.raises(PermissionDenied):
            desk.call("RecordPractitioner", broken(), role)


def test_licence_and_dea_numbers_lie_sealed(desk: Desk) -> None:
    desk.practitioner(None, "MD")
    with desk.harness.database.engine.connect() as connection:
        for table in ("practitioner", "practitioner_revision", "practitioner_site", "outbox", "idempotency"):
            shown = str(connection.execute(text(f"SELECT * FROM {table}")).all())
            assert "FS1234563" not in shown
            assert "R-48213" not in shown
