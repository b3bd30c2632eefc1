"""Policy data: the page is what the databases hold, every table has the one shape, and every service answers PolicyService."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import Integer, Numeric

from chassis.database import Database
from chassis.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from chassis.index import Service
from chassis.policy import DEFAULT, Policy, policy_columns
from chassis.testing import DEFAULT_TIME, ServiceHarness
from chassis.values import to_timestamp
from cli.policy_doc import TARGET, page, rows_in
from network.catalogue import indexes
from saguaro.policy.v1 import service_pb2 as pb
from saguaro.policy.v1 import types_pb2 as types
from tests.conftest import Server

DatabaseOf = Callable[..., Database]
_ALL = [(index, policy) for index in indexes() for policy in index.policies]
_SITE, _DIRECTOR = str(uuid4()), uuid4()


@pytest.fixture
def harness(request: pytest.FixtureRequest, database_of: DatabaseOf) -> ServiceHarness:
    return ServiceHarness(request.param, database_of(request.param.name))


def _list(harness: ServiceHarness, **fields: Any) -> list[types.PolicyRow]:
    return list(harness.call("ListPolicy", pb.ListPolicyRequest(**fields), role="nurse").rows)


def test_the_committed_page_is_what_freshly_migrated_databases_hold(server: Server) -> None:
    def read(index: Service, policy: Policy) -> list[dict[str, Any]]:
        server.migrate(index)
        with psycopg.connect(server.postgres.dsn(database=index.name), options="-c timezone=UTC") as connection:
            return rows_in(connection, policy)

    assert TARGET.read_text(encoding="utf-8") == page(indexes(), read), "stale: run `make docs`"


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_every_service_has_policies_and_answers_for_them(index: Service) -> None:
    assert index.policies
    assert "saguaro.policy.v1.PolicyService" in index.grpc_services


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_every_table_with_dates_of_effect_is_listed(index: Service) -> None:
    dated = {table.name for table in index.metadata.tables.values() if "review_state" in table.c}
    assert dated == {policy.name for policy in index.policies}


@pytest.mark.parametrize(("index", "policy"), _ALL, ids=[f"{index.name}.{policy.name}" for index, policy in _ALL])
def test_a_policy_table_has_the_one_shape(index: Service, policy: Policy) -> None:
    columns = {column.name for column in policy.table.c}
    common = {column.name for column in policy_columns()}
    assert common <= columns
    assert set(policy.keys) | set(policy.values) <= columns - common
    assert not set(policy.keys) & set(policy.values)
    # Code of the first release still reads its review state under this name while an upgrade runs.
    shown = {*policy.keys, *policy.values, *common, policy.unit_column, "status"}
    assert columns <= shown, "a column that the page does not show"
    if policy.publish:
        key = {column.name for column in policy.table.primary_key.columns}
        assert key == {*policy.keys, "scope", "effective_from"}


@pytest.mark.parametrize("harness", indexes(), ids=lambda index: index.name, indirect=True)
def test_what_ships_names_unit_and_source_and_waits_for_review(harness: ServiceHarness) -> None:
    rows = _list(harness)
    assert len(rows) > len(harness.index.policies)
    tables = {policy.name: policy.table for policy in harness.index.policies}
    for row in rows:
        assert row.source
        assert (row.review_state, row.signed_by, row.site_id) == (DEFAULT, "", "")
        for item in row.values:
            kind = tables[row.policy_set].c[item.name].type
            is_number = isinstance(kind, Integer | Numeric)
            assert item.unit or not item.value or not is_number, f"{row.policy_set}.{item.name} has no unit"


@pytest.mark.parametrize("harness", indexes(), ids=lambda index: index.name, indirect=True)
def test_a_default_is_signed_once_and_keeps_who_signed_it(harness: ServiceHarness) -> None:
    row = _list(harness)[0]
    request = pb.SignPolicyRequest(
        policy_set=row.policy_set, key=row.key, site_id=row.site_id, effective_from=row.effective_from
    )
    with pytest.raises(PermissionDenied):
        harness.call("SignPolicy", request, role="nurse")
    signed = harness.call("SignPolicy", request, role="medical_director", actor_id=_DIRECTOR).row
    assert (signed.review_state, signed.signed_by) == ("signed", str(_DIRECTOR))
    assert signed.signed_at.ToDatetime(tzinfo=UTC) == DEFAULT_TIME
    later = DEFAULT_TIME + timedelta(days=1)
    again = harness.call("SignPolicy", request, role="medical_director", actor_id=uuid4(), at=later).row
    assert again == signed
    request.effective_from.FromDatetime(datetime(2001, 1, 1, tzinfo=UTC))
    with pytest.raises(NotFound):
        harness.call("SignPolicy", request, role="medical_director")


@pytest.mark.parametrize("harness", indexes(), ids=lambda index: index.name, indirect=True)
def test_a_sites_own_row_goes_before_the_networks_from_its_date_on(harness: ServiceHarness) -> None:
    policy = next(policy for policy in harness.index.policies if policy.publish)
    shipped = _list(harness, policy_set=policy.name, at=to_timestamp(DEFAULT_TIME))[0]
    begins = DEFAULT_TIME + timedelta(days=10)
    own = types.PolicyRow(
        policy_set=policy.name, key=shipped.key, values=shipped.values, site_id=_SITE, source="site policy 12"
    )
    own.effective_from.FromDatetime(begins)
    if policy.unit_column:
        own.values.append(types.PolicyField(name=policy.unit_column, value=shipped.values[0].unit))
    request = pb.PublishPolicyRequest(request_id=str(uuid4()), row=own)
    made = harness.call("PublishPolicy", request, role="medical_director", actor_id=_DIRECTOR).row
    assert harness.call("PublishPolicy", request, role="medical_director", actor_id=_DIRECTOR).row == made
    assert (made.site_id, made.source, made.review_state) == (_SITE, "site policy 12", "signed")
    for at, site_id, expected in (
        (begins - timedelta(seconds=1), _SITE, shipped),
        (begins, _SITE, made),
        (begins, "", shipped),
        (begins, str(uuid4()), shipped),
    ):
        found = _list(harness, policy_set=policy.name, at=to_timestamp(at), site_id=site_id)
        assert [row for row in found if row.key == shipped.key] == [expected]
    request.request_id = str(uuid4())
    with pytest.raises(AlreadyExists):
        harness.call("PublishPolicy", request, role="medical_director", actor_id=_DIRECTOR)


@pytest.mark.parametrize("harness", [indexes()[0]], ids=lambda index: index.name, indirect=True)
def test_what_is_wrong_with_a_row_is_named_and_changes_nothing(harness: ServiceHarness) -> None:
    policy = next(policy for policy in harness.index.policies if policy.publish)
    before = _list(harness)
    row = types.PolicyRow(policy_set=policy.name, source="house policy")
    row.key.append(types.PolicyField(name="colour", value="red"))
    row.effective_from.FromDatetime(DEFAULT_TIME)
    with pytest.raises(InvalidArgument) as refused:
        harness.call("PublishPolicy", pb.PublishPolicyRequest(row=row), role="medical_director")
    named = {finding.field for finding in refused.value.findings}
    assert named == {f"row.key.{name}" for name in (*policy.keys, "colour")}
    shipped = next(item for item in before if item.policy_set == policy.name)
    past = types.PolicyRow(policy_set=policy.name, source="house policy", key=shipped.key, values=shipped.values)
    if policy.unit_column:
        past.values.append(types.PolicyField(name=policy.unit_column, value=shipped.values[0].unit))
    past.effective_from.FromDatetime(DEFAULT_TIME - timedelta(seconds=1))
    with pytest.raises(InvalidArgument, match=re.escape("must not be in the past")):
        harness.call("PublishPolicy", pb.PublishPolicyRequest(row=past), role="medical_director")
    with pytest.raises(InvalidArgument, match="must be one of"):
        harness.call("ListPolicy", pb.ListPolicyRequest(policy_set="no_such_set"), role="nurse")
    assert _list(harness) == before
