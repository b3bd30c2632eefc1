"""The groups of diagnoses that are treated, row by row: each leaf is taken, each heading beside them is refused."""

import pytest

from chassis.errors import InvalidArgument
from intake.catalogue import icd10cm
from intake.domain.icd10cm import checked_leaf


def taken(codes: str) -> None:
    """Each is a billable leaf of the release."""
    for code in codes.split():
        assert checked_leaf(icd10cm(), code, "icd10cm_code") == code


def refused(*codes: str) -> None:
    """None is."""
    for code in codes:
        with pytest.raises(InvalidArgument, match="billable leaf"):
            checked_leaf(icd10cm(), code, "icd10cm_code")


def test_depression_single_episode() -> None:
    """| MDD single | F32.0 F32.1 F32.2 F32.3 F32.4 F32.5 F32.89 F32.9 F32.A (F32, F32.8 not billable) |"""
    taken("F32.0 F32.1 F32.2 F32.3 F32.4 F32.5 F32.89 F32.9 F32.A")
    refused("F32", "F32.8")


def test_depression_recurrent() -> None:
    """| MDD recurrent | F33.0 F33.1 F33.2 F33.3 F33.40 F33.41 F33.42 F33.8 F33.9 |"""
    taken("F33.0 F33.1 F33.2 F33.3 F33.40 F33.41 F33.42 F33.8 F33.9")
    refused("F33", "F33.4")


def test_bipolar_depression_and_dysthymia() -> None:
    """| Bipolar dep., dysthymia | F31.30 F31.32 F34.1 |"""
    taken("F31.30 F31.32 F34.1")
    refused("F31.3")


def test_anxiety() -> None:
    """| Anxiety | F41.0 F41.1 F41.8 F41.9 F40.10 |"""
    taken("F41.0 F41.1 F41.8 F41.9 F40.10")
    refused("F41", "F40.1")


def test_stress_disorders() -> None:
    """| PTSD | F43.10 F43.11 F43.12 (F43.1 not billable); F43.81 prolonged grief |"""
    taken("F43.10 F43.11 F43.12 F43.81")
    refused("F43.1", "F43.8")


def test_obsession_and_compulsion() -> None:
    """| OCD | F42.2 F42.3 F42.4 F42.8 F42.9 (F42 not billable) |"""
    taken("F42.2 F42.3 F42.4 F42.8 F42.9")
    refused("F42")


def test_pain() -> None:
    """| Pain | G89.0 G89.21 G89.22 G89.28 G89.29 G89.4; G90.50 G90.511 G90.512 G90.521; M79.7; G43.709 |"""
    taken("G89.0 G89.21 G89.22 G89.28 G89.29 G89.4 G90.50 G90.511 G90.512 G90.521 M79.7 G43.709")
    refused("G89", "G89.2", "G90.51", "G43.70")


def test_safety_and_others() -> None:
    """| Safety/other | R45.851, Z91.51, Z79.899, Z51.81; T14.91 not billable as is |"""
    taken("R45.851 Z91.51 Z79.899 Z51.81")
    refused("T14.91")
