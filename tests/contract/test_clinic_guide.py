"""What docs/clinic-guide.md and docs/series.md tell the staff is what the services do: calls, roles, codes, items, reasons of holds."""

import re
from pathlib import Path

import pytest

from billing.domain import words
from network.catalogue import indexes
from tests.contract.test_docs import rows_of, text_of
from treatment_plan.domain import series
from treatment_plan.domain.discharge import CRITERIA
from treatment_plan.domain.ready import ITEM_CODES

_SERVICES = Path(__file__).resolve().parents[2] / "services"
_GUIDE, _SERIES = "docs/clinic-guide.md", "docs/series.md"
_CODE = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")
_CALL = re.compile(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`")


def _first_cells(heading: str, name: str = _GUIDE) -> set[str]:
    return {code for row in rows_of(text_of(name), heading) for code in re.findall(r"`([\w.]+)`", row[0])}


def test_a_call_is_made_by_the_roles_that_the_guide_says() -> None:
    rows = rows_of(text_of(_GUIDE), "## Role and privilege")
    of_contract = {(row.rpc, index.name): row.roles for index in indexes() for row in index.commands}
    named = {(row[0].strip("`"), row[1]): set(row[2].split(", ")) for row in rows}
    assert len(named) == len(rows)
    assert {call: set(of_contract[call] or ()) for call in named} == named


def test_the_privilege_that_the_guide_says_is_asked_by_the_call() -> None:
    for call, service, _, privilege in rows_of(text_of(_GUIDE), "## Role and privilege"):
        file = re.sub(r"(?<!^)(?=[A-Z])", "_", call.strip("`")).lower()
        source = (_SERVICES / service / "commands" / f"{file}.py").read_text(encoding="utf-8")
        asked = " ".join(re.findall(r"require_privilege\((.*)\)", source)).lower()
        for word in ("diagnose", "clear", "sign", "administer"):
            if word in privilege and call != "`ResumeInfusion`":
                assert word in asked, call
        assert bool(asked) == bool(privilege and not privilege.startswith("none")), call


@pytest.mark.parametrize("name", [_GUIDE, _SERIES])
def test_every_call_and_every_code_is_there(name: str) -> None:
    calls = {row.rpc for index in indexes() for row in (*index.commands, *index.queries)}
    assert set(_CALL.findall(text_of(name))) - calls == set()
    sources = "\n".join(path.read_text(encoding="utf-8") for path in _SERVICES.rglob("*.py"))
    assert [code for code in _CODE.findall(text_of(name)) if f'"{code}"' not in sources] == []


def test_every_item_and_criterion_has_its_line() -> None:
    assert _first_cells("### Items of the gate") == set(ITEM_CODES)
    assert _first_cells("## Recovery and home") == set(CRITERIA)


def test_every_reason_of_a_held_charge_has_its_line() -> None:
    reasons = {
        words.NO_START_TIME, words.NO_STOP_TIME, words.BAD_DELIVERING_TIME, words.BAD_DELIVERED_MG,
        words.BAD_VIAL_CONCENTRATION, words.BAD_NDC, words.NO_CODE_POLICY, words.NO_PRICE_LIST, words.NO_PRICE,
        words.DISCREPANCY, words.BAD_CODE,
    }  # fmt: skip
    assert _first_cells("## Money") == reasons


def test_every_kind_of_suggestion_has_its_line() -> None:
    kinds = {series.RAISE, series.STOP, series.END_EARLY, series.EXTEND, series.SHORTEN}
    assert _first_cells("## What is suggested, and when", _SERIES) == kinds
