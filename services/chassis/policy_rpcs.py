"""PolicyService: lists, publishes and signs the policy rows of a service. The same for every service, made from its index."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Boolean, Integer, Numeric, Table, and_, insert, select, update
from sqlalchemy.exc import IntegrityError

from chassis.database import constraint_of
from chassis.errors import AlreadyExists, FailedPrecondition, Finding, InvalidArgument, NotFound
from chassis.index import Command, Ids, Query
from chassis.policy import NETWORK, SIGNED, Policy, in_force
from chassis.unit_of_work import UnitOfWork
from chassis.values import decimal_of, decimal_text, from_timestamp, to_timestamp
from saguaro.policy.v1 import service_pb2 as pb
from saguaro.policy.v1 import types_pb2 as types

GRPC_SERVICE: Final = "saguaro.policy.v1.PolicyService"
_SIGNERS: Final = frozenset({"medical_director"})
_TRUTH: Final = {"true": True, "false": False}


def rows_of(policies: Sequence[Policy]) -> tuple[tuple[Command, ...], tuple[Query, ...]]:
    """The rows of PolicyService for these tables."""
    by_name = {policy.name: policy for policy in policies}
    publish = Command("PublishPolicy", pb.PublishPolicyRequest, _publish(by_name), _published(by_name), roles=_SIGNERS)
    sign = Command("SignPolicy", pb.SignPolicyRequest, _sign(by_name), _signed(by_name), roles=_SIGNERS)
    return (publish, sign), (Query("ListPolicy", pb.ListPolicyRequest, _list(policies)),)


def _list(policies: Sequence[Policy]) -> Callable[[UnitOfWork, Any], pb.ListPolicyResponse]:
    def handle(uow: UnitOfWork, request: pb.ListPolicyRequest) -> pb.ListPolicyResponse:
        wanted = [policy for policy in policies if request.policy_set in ("", policy.name)]
        if not wanted:
            raise _unknown(policies, "policy_set")
        response = pb.ListPolicyResponse()
        for policy in wanted:
            if request.HasField("at"):
                rows = in_force(policy.table, policy.keys, request.site_id, from_timestamp(request.at))
            else:
                rows = select(policy.table).order_by(*policy.table.primary_key.columns)
            response.rows.extend(_row(policy, row._mapping) for row in uow.execute(rows))
        return response

    return handle


def _publish(by_name: Mapping[str, Policy]) -> Callable[[UnitOfWork, Any], Ids]:
    def handle(uow: UnitOfWork, request: pb.PublishPolicyRequest) -> Ids:
        policy, row = _policy(by_name, request.row.policy_set, "row.policy_set"), request.row
        if not policy.publish:
            raise FailedPrecondition(
                "POLICY_HAS_ITS_OWN_COMMAND", field="row.policy_set", rule="new rows are made by a command of their own"
            )
        values = _read(policy.table, policy.keys, row.key, "row.key")
        values |= _read(policy.table, _entered(policy), row.values, "row.values")
        begins = from_timestamp(row.effective_from) if row.HasField("effective_from") else uow.clinic_time
        if begins < uow.clinic_time:
            raise InvalidArgument(
                "row.effective_from", "must not be in the past: what was decided by the old row stays"
            )
        if row.HasField("effective_until"):
            values["effective_until"] = from_timestamp(row.effective_until)
            if values["effective_until"] <= begins:
                raise InvalidArgument("row.effective_until", "must be after effective_from")
        if not row.source.strip():
            raise InvalidArgument("row.source", "must name the published source, or say house policy")
        values |= {
            "scope": row.site_id or NETWORK,
            "effective_from": begins,
            "source": row.source,
            "review_state": SIGNED,
            "signed_by": uow.context.actor_id,
            "signed_at": uow.clinic_time,
        }
        _insert(uow, policy.table, values)
        return _ids(policy, values)

    return handle


def _insert(uow: UnitOfWork, table: Table, values: Mapping[str, Any]) -> None:
    try:
        uow.execute(insert(table).values(**values))
    except IntegrityError as error:
        constraint = constraint_of(error) or ""
        if constraint == table.primary_key.name:
            raise AlreadyExists(
                "POLICY_EXISTS", field="row.effective_from", rule="a row of this key, scope and beginning is there"
            ) from None
        raise InvalidArgument("row.values", f"must keep the rule {constraint}") from None


def _sign(by_name: Mapping[str, Policy]) -> Callable[[UnitOfWork, Any], Ids]:
    def handle(uow: UnitOfWork, request: pb.SignPolicyRequest) -> Ids:
        policy = _policy(by_name, request.policy_set, "policy_set")
        values = _read(policy.table, policy.keys, request.key, "key")
        values |= {"scope": request.site_id or NETWORK, "effective_from": from_timestamp(request.effective_from)}
        row = uow.execute(select(policy.table).where(_is(policy, values)).with_for_update()).one_or_none()
        if row is None:
            raise NotFound("key", "no row of this key, scope and beginning")
        if row.review_state != SIGNED:
            signed = {"review_state": SIGNED, "signed_by": uow.context.actor_id, "signed_at": uow.clinic_time}
            uow.execute(update(policy.table).where(_is(policy, values)).values(**signed))
        return _ids(policy, values)

    return handle


def _published(by_name: Mapping[str, Policy]) -> Callable[[UnitOfWork, Ids], pb.PublishPolicyResponse]:
    return lambda uow, ids: pb.PublishPolicyResponse(row=_found(uow, by_name, ids))


def _signed(by_name: Mapping[str, Policy]) -> Callable[[UnitOfWork, Ids], pb.SignPolicyResponse]:
    return lambda uow, ids: pb.SignPolicyResponse(row=_found(uow, by_name, ids))


def _ids(policy: Policy, values: Mapping[str, Any]) -> Ids:
    key = {name: _text(values[name]) for name in policy.keys}
    return {"policy_set": policy.name, "scope": values["scope"], "from": values["effective_from"].isoformat()} | {
        f"key_{name}": value for name, value in key.items()
    }


def _found(uow: UnitOfWork, by_name: Mapping[str, Policy], ids: Ids) -> types.PolicyRow:
    policy = by_name[ids["policy_set"]]
    values: dict[str, Any] = {name: _value(policy.table, name, ids[f"key_{name}"], name) for name in policy.keys}
    values |= {"scope": ids["scope"], "effective_from": datetime.fromisoformat(ids["from"])}
    return _row(policy, uow.execute(select(policy.table).where(_is(policy, values))).one()._mapping)


def _is(policy: Policy, values: Mapping[str, Any]) -> Any:
    return and_(*(policy.table.c[name] == values[name] for name in (*policy.keys, "scope", "effective_from")))


def _policy(by_name: Mapping[str, Policy], name: str, field: str) -> Policy:
    if name not in by_name:
        raise _unknown(tuple(by_name.values()), field)
    return by_name[name]


def _unknown(policies: Sequence[Policy], field: str) -> InvalidArgument:
    return InvalidArgument(field, f"must be one of: {', '.join(sorted(policy.name for policy in policies))}")


def _entered(policy: Policy) -> tuple[str, ...]:
    return (*policy.values, policy.unit_column) if policy.unit_column else policy.values


def _read(table: Table, names: Sequence[str], fields: Sequence[types.PolicyField], path: str) -> dict[str, Any]:
    """The columns that the fields give. InvalidArgument names every one that is missing, doubled or not a column."""
    given = [item.name for item in fields]
    wrong = [Finding(f"{path}.{name}", "must be given") for name in names if name not in given]
    wrong += [Finding(f"{path}.{name}", "is no column of this policy") for name in given if name not in names]
    wrong += [Finding(f"{path}.{name}", "must be given once") for name in sorted(set(given)) if given.count(name) > 1]
    if wrong:
        raise InvalidArgument(wrong[0].field, wrong[0].rule, findings=wrong)
    return {item.name: _value(table, item.name, item.value, f"{path}.{item.name}") for item in fields}


def _value(table: Table, name: str, text: str, field: str) -> Any:
    column = table.c[name]
    if text == "" and column.nullable:
        return None
    kind = column.type
    if isinstance(kind, Boolean):
        if text not in _TRUTH:
            raise InvalidArgument(field, "must be true or false")
        return _TRUTH[text]
    if isinstance(kind, Integer):
        if not text.lstrip("-").isdigit():
            raise InvalidArgument(field, "must be a whole number")
        return int(text)
    if isinstance(kind, Numeric):
        return decimal_of(text, field)
    if isinstance(kind, ARRAY):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _row(policy: Policy, row: Mapping[Any, Any]) -> types.PolicyRow:
    made = types.PolicyRow(
        policy_set=policy.name,
        key=[types.PolicyField(name=name, value=_text(row[name])) for name in policy.keys],
        values=[
            types.PolicyField(name=name, value=_text(row[name]), unit=policy.unit_of(name, row))
            for name in policy.values
        ],
        site_id="" if row["scope"] == NETWORK else row["scope"],
        effective_from=to_timestamp(row["effective_from"]),
        source=row["source"],
        review_state=row["review_state"],
        signed_by=str(row["signed_by"] or ""),
    )
    if row["effective_until"] is not None:
        made.effective_until.CopyFrom(to_timestamp(row["effective_until"]))
    if row["signed_at"] is not None:
        made.signed_at.CopyFrom(to_timestamp(row["signed_at"]))
    return made


def _text(value: Any) -> str:
    """A value as PolicyField writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        shown = decimal_text(value)
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    if isinstance(value, list):
        return ", ".join(value)
    return value.isoformat() if isinstance(value, datetime) else str(value)


def row_parts(policy: Policy, row: Mapping[Any, Any]) -> tuple[dict[str, str], dict[str, tuple[str, str]]]:
    """Key by column, and value with its unit by column, as text: for documents."""
    values = {name: (_text(row[name]), policy.unit_of(name, row)) for name in policy.values}
    return {name: _text(row[name]) for name in policy.keys}, values


def is_site(scope: str) -> bool:
    """Whether a scope is a site's id."""
    try:
        UUID(scope)
    except ValueError:
        return False
    return True
