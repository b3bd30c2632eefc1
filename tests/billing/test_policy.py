"""What is charged by which code is policy: listed, published by the medical director, by site and date."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.values import to_timestamp
from saguaro.billing.v1 import types_pb2 as billing_types
from saguaro.policy.v1 import service_pb2 as pb
from saguaro.policy.v1 import types_pb2 as types
from tests.billing.desk import START, VISITS, Desk, units


@pytest.fixture
def desk(shared_desk: Desk) -> Desk:
    """One database for the module."""
    return shared_desk


def _in_force(desk: Desk, policy_set: str, site: str = "") -> list[types.PolicyRow]:
    request = pb.ListPolicyRequest(policy_set=policy_set, site_id=site, at=to_timestamp(START))
    return list(desk.harness.call("ListPolicy", request, role="nurse").rows)


def _publish(desk: Desk, row: types.PolicyRow, site: str, **changes: str) -> None:
    """The row with changes, for one site from START on."""
    made = types.PolicyRow()
    made.CopyFrom(row)
    made.site_id, made.source = site, "house policy"
    made.effective_from.CopyFrom(to_timestamp(START))
    for field in made.values:
        field.value = changes.get(field.name, field.value)
    if made.policy_set == "policy_number":
        made.values.add(name="unit", value=made.values[0].unit)
    desk.harness.call("PublishPolicy", pb.PublishPolicyRequest(row=made), role="medical_director", at=START)


def _charged(desk: Desk, site: str, **changes: Any) -> billing_types.ChargeSet:
    return desk.charge(desk.closed(site, desk.person(), **changes))


def test_every_row_is_a_default_with_its_source_and_units(desk: Desk) -> None:
    rows = {row.policy_set: row for row in _in_force(desk, "")}
    assert set(rows) == {
        "coding_policy", "evaluation_policy", "assessment_policy", "estimate_exclusion", "policy_number",
    }  # fmt: skip
    for row in _in_force(desk, ""):
        assert (row.review_state, bool(row.source)) == ("default, to be reviewed", True)
        assert all(field.unit for field in row.values)


def test_a_site_may_bill_paused_time(desk: Desk) -> None:
    """Exactness: paused time is not infusion time: policy switch."""
    site, other = desk.priced_site(), desk.priced_site()
    (row,) = _in_force(desk, "coding_policy")
    _publish(desk, row, site, bills_paused_time="true")
    late: dict[str, Any] = {
        "seconds": 85 * 60,
        "paused_seconds": 600,
        "started_at": to_timestamp(START + timedelta(hours=1)),
    }
    assert units(_charged(desk, site, **late)) == {"96365": "1", "96366": "1", "J3490": "1"}
    assert units(_charged(desk, other, **late)) == {"96365": "1", "J3490": "1"}
    # What began before the row was in force is charged by the row of then.
    early = late | {"started_at": to_timestamp(START - timedelta(seconds=1))}
    assert units(_charged(desk, site, **early)) == {"96365": "1", "J3490": "1"}


def test_the_units_of_the_drug_are_the_payers_policy(desk: Desk) -> None:
    """SV104 = 1 UN (payer policy as data)"""
    site = desk.priced_site()
    (row,) = _in_force(desk, "coding_policy")
    _publish(desk, row, site, drug_units="40")
    line = _charged(desk, site).lines[-1]
    assert (line.units, line.product_ml, line.amount_usd) == ("40", "0.80", "490.00")


@pytest.mark.parametrize(("needs_price", "state"), [("true", "held"), ("false", "none")])
def test_whether_an_evaluation_must_have_a_price_is_policy(desk: Desk, needs_price: str, state: str) -> None:
    site, person = desk.priced_site(), desk.person()
    row = next(row for row in _in_force(desk, "evaluation_policy") if row.key[0].value == "99214")
    _publish(desk, row, site, needs_price=needs_price)
    desk.evaluated(site, person)
    assert [one.state for one in desk.charges(person)] == [state]
    # What was held is charged when the price comes; what charged nothing stays so.
    desk.publish(site, "2026-07-01", **VISITS)
    assert [one.state for one in desk.charges(person)] == ["charged" if state == "held" else "none"]


def test_the_daily_cap_is_policy(desk: Desk) -> None:
    site, person = desk.site(), desk.person()
    desk.publish(site, **VISITS)
    row = next(row for row in _in_force(desk, "policy_number") if row.key[0].value == "assessment.daily_unit_cap")
    _publish(desk, row, site, value="1")
    for name in ("PHQ-9", "GAD-7"):
        desk.answered(site, person, name, result_id=str(uuid4()))
    assert [one.state for one in desk.charges(person)] == ["charged", "none"]
