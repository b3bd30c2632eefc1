"""ICD-10-CM: the shipped catalogue is the published one, and only its leaves are recorded."""

import lzma
from importlib.resources import files

import pytest
import simple_icd_10_cm as icd

from chassis.errors import InvalidArgument, PermissionDenied
from intake.catalogue import icd10cm, make_icd10cm
from intake.domain.icd10cm import checked_leaf, suffixes
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb

from .conftest import PHOENIX, Desk

BILLABLE_CODES = """
F32.0 F32.1 F32.2 F32.3 F32.4 F32.5 F32.89 F32.9 F32.A F33.0 F33.1 F33.2 F33.3 F33.40 F33.41 F33.42 F33.8 F33.9 F31.30 F31.32 F34.1
F41.0 F41.1 F41.8 F41.9 F40.10 F43.10 F43.11 F43.12 F43.81 F42.2 F42.3 F42.4 F42.8 F42.9 G89.0 G89.21 G89.22 G89.28 G89.29 G89.4
G90.50 G90.511 G90.512 G90.521 M79.7 G43.709 R45.851 Z91.51 Z79.899 Z51.81
"""
BILLABLE = BILLABLE_CODES.split()


def catalogue_codes() -> set[str]:
    found = set()
    for line in icd10cm().strip().splitlines():
        category, *leaves = line.split(" ")
        found |= {f"{category}.{leaf}" for leaf in leaves} or {category}
    return found


def test_the_catalogue_holds_exactly_the_leaves_of_the_release() -> None:
    # Ranges of chapters ("C00-C96") count as leaves in the package where their codes hang elsewhere in its tree.
    published = {code for code in icd.get_all_codes(with_dots=True) if icd.is_leaf(code) and "-" not in code}
    assert len(published) > 70_000
    assert catalogue_codes() == published


def test_the_file_is_what_its_maker_makes() -> None:
    kept = lzma.decompress(files("intake.catalogue").joinpath("icd10cm_2026_04.txt.xz").read_bytes()).decode()
    assert make_icd10cm.compact(sorted(catalogue_codes(), reverse=True)) == kept


@pytest.mark.parametrize("code", BILLABLE)
def test_billable_codes_are_taken(code: str) -> None:
    assert checked_leaf(icd10cm(), code, "icd10cm_code") == code


@pytest.mark.parametrize(("heading", "suggested"), [
    ("F32", "0, 1, 2, 3, 4, 5, 81, 89, 9, A"), ("F32.8", "81, 89"), ("F43.1", "10, 11, 12"), ("F42", "2, 3, 4, 8, 9"),
    ("T14.91", "91XA, 91XD, 91XS"),
])  # fmt: skip
def test_a_heading_is_refused_and_its_leaves_are_suggested_without_repeating_it(heading: str, suggested: str) -> None:
    with pytest.raises(InvalidArgument) as refused:
        checked_leaf(icd10cm(), heading, "icd10cm_code")
    assert refused.value.field == "icd10cm_code"
    assert "billable leaf" in refused.value.rule
    assert refused.value.rule.endswith(suggested)
    assert heading not in str(refused.value)
    category = heading.partition(".")[0]
    for suffix in suggested.split(", "):
        assert icd.is_leaf(f"{category}.{suffix}")


def test_a_long_list_of_leaves_is_cut() -> None:
    with pytest.raises(InvalidArgument, match=r"or one of \d+ more$"):
        checked_leaf(icd10cm(), "S72", "icd10cm_code")


@pytest.mark.parametrize(
    "code", ["F99.9", "ZZZ", "U99", "F33.22", "f33.2", "F33.2 ", "F332", "C00-C96", "I10.0", "F32\n"]
)
def test_what_is_no_code_of_the_release_is_refused(code: str) -> None:
    with pytest.raises(InvalidArgument):
        checked_leaf(icd10cm(), code, "icd10cm_code")


def test_a_category_that_is_a_leaf_is_taken_by_itself() -> None:
    assert suffixes(icd10cm(), "I10") == [""]
    assert checked_leaf(icd10cm(), "I10", "icd10cm_code") == "I10"


def test_a_diagnosis_is_recorded_by_those_who_diagnose(desk: Desk) -> None:
    person_id = desk.person()
    request = pb.RecordDiagnosisRequest(person_id=person_id, site_id=PHOENIX, icd10cm_code="F33.2")
    for role in ("nurse", "intake_clerk", "operator"):
        with pytest.raises(PermissionDenied):
            desk.call("RecordDiagnosis", request, role)
    answer = desk.call("RecordDiagnosis", request, "prescriber")
    (event,) = desk.harness.events(events.DiagnosisRecorded)
    assert (event.diagnosis_id, event.person_id, event.icd10cm_code) == (answer.diagnosis_id, person_id, "F33.2")


def test_a_heading_changes_nothing(desk: Desk) -> None:
    person_id = desk.person()
    with pytest.raises(InvalidArgument):
        desk.diagnose(person_id, "F32")
    assert desk.harness.events(events.DiagnosisRecorded) == []
