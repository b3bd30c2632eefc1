"""`saguaro policy list|publish|sign`: the numbers that the services of a running network decide by."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn
from uuid import UUID, uuid4

import typer
from google.protobuf.json_format import MessageToDict
from rich.table import Table

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, fail, give
from cli.running import addresses_of, running
from network.roles import SERVICES

policy = typer.Typer(help="The clinical and billing numbers in force, and who signed them.", no_args_is_help=True)

ServiceArgument = Annotated[str, typer.Argument(help="The service that owns the policy.")]
SetArgument = Annotated[str, typer.Argument(help="The policy set, as `saguaro policy list` names it.")]
KeyOption = Annotated[list[str], typer.Option(help="column=value of the row's key; once for each column.")]
SiteOption = Annotated[str, typer.Option(help="A site's id; empty: the whole network.")]
AsOption = Annotated[UUID, typer.Option("--as", help="Id of the medical director who answers for it.")]
_DEADLINE_S = 10.0


@policy.command("list")
def list_policy(
    service: Annotated[str, typer.Argument(help="One service; empty: all.")] = "",
    policy_set: Annotated[str, typer.Option("--set", help="One policy set.")] = "",
    site: SiteOption = "",
    everything: Annotated[bool, typer.Option("--all", help="Past and future rows too.")] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Lists what is in force now, at a site or in the network."""
    from saguaro.policy.v1 import service_pb2 as pb  # noqa: PLC0415

    request = pb.ListPolicyRequest(policy_set=policy_set, site_id=site)
    if not everything:
        request.at.FromDatetime(datetime.now(UTC))
    rows: list[dict[str, Any]] = []
    for name in [_known(service)] if service else SERVICES:
        answer = _call(home, name, "ListPolicy", request, "operator", UUID(int=0), as_json)
        rows += [{"service": name, **_plain(row)} for row in answer.rows]
    give({"ok": True, "rows": rows}, as_json, lambda: _show(rows))


@policy.command()
def publish(
    service: ServiceArgument,
    policy_set: SetArgument,
    key: KeyOption,
    value: Annotated[
        list[str], typer.Option(help="column=value; once for each value column, and for `unit` if it has one.")
    ],
    source: Annotated[str, typer.Option(help="The published source, or: house policy.")],
    signer: AsOption,
    site: SiteOption = "",
    effective_from: Annotated[str, typer.Option("--from", help="ISO 8601 with offset; empty: now.")] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Adds a signed row that holds from a moment on. What was decided before stays as it was."""
    from saguaro.policy.v1 import service_pb2 as pb  # noqa: PLC0415
    from saguaro.policy.v1 import types_pb2 as types  # noqa: PLC0415

    row = types.PolicyRow(policy_set=policy_set, key=_fields(key), values=_fields(value), site_id=site, source=source)
    if effective_from:
        row.effective_from.FromDatetime(_moment(effective_from, as_json))
    request = pb.PublishPolicyRequest(request_id=str(uuid4()), row=row)
    answer = _call(home, _known(service), "PublishPolicy", request, "medical_director", signer, as_json)
    give({"ok": True, "row": _plain(answer.row)}, as_json)


@policy.command()
def sign(
    service: ServiceArgument,
    policy_set: SetArgument,
    key: KeyOption,
    effective_from: Annotated[str, typer.Option("--from", help="Of the row, ISO 8601 with offset.")],
    signer: AsOption,
    site: SiteOption = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Signs a row that came as a default."""
    from saguaro.policy.v1 import service_pb2 as pb  # noqa: PLC0415

    request = pb.SignPolicyRequest(request_id=str(uuid4()), policy_set=policy_set, key=_fields(key), site_id=site)
    request.effective_from.FromDatetime(_moment(effective_from, as_json))
    answer = _call(home, _known(service), "SignPolicy", request, "medical_director", signer, as_json)
    give({"ok": True, "row": _plain(answer.row)}, as_json)


def _call(home: Path, service: str, rpc: str, request: Any, role: str, actor: UUID, as_json: bool) -> Any:
    from chassis.context import NETWORK_WIDE, RequestContext  # noqa: PLC0415
    from chassis.grpc_client import Client  # noqa: PLC0415
    from chassis.remote import RemoteError  # noqa: PLC0415
    from saguaro.policy.v1 import service_pb2_grpc  # noqa: PLC0415

    place, _ = running(home, as_json=as_json)
    address = addresses_of(place).get(service)
    if address is None:
        fail(f"the api of {service} does not run; see: saguaro status", as_json=as_json)
    context = RequestContext(actor, role, NETWORK_WIDE, "HOPERAT", uuid4(), datetime.now(UTC))
    client = Client(service_pb2_grpc.PolicyServiceStub, address)
    try:
        return getattr(client.bound(context, deadline_s=_DEADLINE_S), rpc)(request)
    except RemoteError as error:
        fail(f"{service} refused: {error}", as_json=as_json)


def _fields(given: list[str]) -> list[Any]:
    from saguaro.policy.v1 import types_pb2 as types  # noqa: PLC0415

    parts = [item.partition("=") for item in given]
    return [types.PolicyField(name=name, value=text) for name, _, text in parts]


def _moment(text: str, as_json: bool) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        _no_moment(as_json)
    if moment.tzinfo is None:
        _no_moment(as_json)
    return moment.astimezone(UTC)


def _no_moment(as_json: bool) -> NoReturn:
    fail("--from must be a date and time with its offset, such as 2026-12-01T00:00:00-07:00", as_json=as_json)


def _known(service: str) -> str:
    if service not in SERVICES:
        fail(f"there is no service {service}; it must be one of {', '.join(SERVICES)}")
    return service


def _plain(row: Any) -> dict[str, Any]:
    """A row as JSON: key and values by column, each value with its unit."""
    plain: dict[str, Any] = MessageToDict(row, preserving_proto_field_name=True)
    plain["key"] = {item.name: item.value for item in row.key}
    plain["values"] = {item.name: f"{item.value} {item.unit}".strip() for item in row.values}
    return plain


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(title="Policy in force")
    for column in ("service", "policy set", "key", "values", "site", "from", "sign-off"):
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(
            row["service"],
            row["policy_set"],
            ", ".join(row["key"].values()),
            ", ".join(f"{name} {text}" for name, text in row["values"].items()),
            row.get("site_id", "network"),
            row["effective_from"][:10],
            row["review_state"],
        )
    err.print(table)
