"""`saguaro parked list|show|retry|skip|release`: events that could not be applied, and events that the broker refuses."""

import getpass
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.table import Table

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, fail, give
from cli.running import dsn, readers, running
from network.roles import SERVICES

parked = typer.Typer(help="Events that wait for an operator.", no_args_is_help=True)

ServiceArgument = Annotated[str, typer.Argument(help="The service whose worker could not apply it.")]
TopicArgument = Annotated[str, typer.Argument(help="The topic.")]
KeyArgument = Annotated[str, typer.Argument(help="The record's key.")]

_COLUMNS = "topic, key, sequence, event_id, type, reason, waits_for, rule, attempts, parked_at"


def parked_rows(urls: dict[str, str]) -> list[dict[str, Any]]:
    """Every parked and refused event of the network: places and rules, never content."""
    found = []
    for service, url in urls.items():
        with psycopg.connect(url) as connection, connection.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            cursor.execute(f"SELECT {_COLUMNS} FROM parked ORDER BY topic, key, sequence, record_offset")
            found += [{"service": service, "side": "consumer", **row} for row in cursor.fetchall()]
            cursor.execute(
                "SELECT topic, key, sequence, event_id::text AS event_id, rule, refused_at AS parked_at FROM outbox_refused"
                " ORDER BY topic, key, id"
            )
            found += [{"service": service, "side": "relay", "reason": "refused", **row} for row in cursor.fetchall()]
    return found


@parked.command("list")
def list_parked(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Lists what waits, by service, topic and key."""
    place, state = running(home, as_json=as_json)
    rows = parked_rows(readers(place, state))
    give({"ok": True, "parked": rows}, as_json, lambda: _show(rows))


def _show(rows: list[dict[str, Any]]) -> None:
    if not rows:
        err.print("nothing is parked")
        return
    table = Table(title="Parked events")
    columns = ("service", "side", "reason", "topic", "key", "sequence", "rule")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    err.print(table)


@parked.command()
def show(
    service: ServiceArgument,
    topic: TopicArgument,
    key: KeyArgument,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Shows the parked events of one key in order, with their headers. The content stays sealed."""
    place, state = running(home, as_json=as_json)
    with psycopg.connect(readers(place, state)[_known(service)]) as connection:
        cursor = connection.cursor(row_factory=psycopg.rows.dict_row)
        cursor.execute(
            f"SELECT {_COLUMNS}, headers FROM parked WHERE topic = %s AND key = %s ORDER BY sequence, record_offset",
            (topic, key),
        )
        rows = cursor.fetchall()
    if not rows:
        fail(f"nothing of {service} is parked under this topic and key; see: saguaro parked list", as_json=as_json)
    give({"ok": True, "events": rows}, as_json)


@parked.command()
def retry(
    service: ServiceArgument,
    topic: TopicArgument,
    key: KeyArgument,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Applies the parked events of a key in order, after their cause is mended."""
    parking = _parking(home, service, as_json)
    applied = parking.drain(topic, key, actor=getpass.getuser())
    left = len(parking.rows(topic, key))
    give({"ok": left == 0, "applied": applied, "left": left}, as_json)
    if left:
        raise typer.Exit(1)


@parked.command()
def skip(
    service: ServiceArgument,
    topic: TopicArgument,
    key: KeyArgument,
    reason: Annotated[str, typer.Option(help="Why, as a stable code; it is recorded.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Gives up the first parked event of a key and lets the others go on."""
    parking = _parking(home, service, as_json)
    if not parking.skip(topic, key, actor=getpass.getuser(), reason_code=reason):
        fail(f"nothing of {service} is parked under this topic and key; see: saguaro parked list", as_json=as_json)
    give({"ok": True, "left": len(parking.rows(topic, key))}, as_json)


@parked.command()
def release(
    service: ServiceArgument,
    topic: TopicArgument,
    key: KeyArgument,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Sends what the broker refused of a key again, in order, after the cause is mended."""
    from chassis.relay import release_refused  # noqa: PLC0415

    place, state = running(home, as_json=as_json)
    with psycopg.connect(dsn(place, state, f"{_known(service)}_worker", service), autocommit=True) as connection:
        moved = release_refused(connection, topic, key, getpass.getuser())
    give({"ok": moved > 0, "released": moved}, as_json)
    if not moved:
        raise typer.Exit(1)


def _known(service: str) -> str:
    if service not in SERVICES:
        fail(f"there is no service {service}; it must be one of {', '.join(SERVICES)}")
    return service


def _parking(home: Path, service: str, as_json: bool) -> Any:
    """The parking of a service, on its own database, as its worker role."""
    import base64  # noqa: PLC0415
    from importlib import import_module  # noqa: PLC0415

    from chassis.consumer import Reader  # noqa: PLC0415
    from chassis.database import Database  # noqa: PLC0415
    from network.roles import password_file  # noqa: PLC0415

    place, state = running(home, as_json=as_json)
    role = f"{_known(service)}_worker"
    database = Database(
        f"postgresql://{role}@127.0.0.1:{state['postgres']['port']}/{service}",
        password_file(place.secrets, role).read_text().strip(),
        service=service,
        sealing_key=base64.b64decode(place.key_file(f"{service}-sealing").read_text()),
        pool_size=2,
        application_name=f"saguaro {service} operator",
    )
    return Reader(import_module(f"{service}.app").INDEX, database).parking
