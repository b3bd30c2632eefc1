"""`saguaro verify`: every invariant of the network, read from the databases and topics alone."""

import typer
from rich.table import Table

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, give
from cli.running import readers, running

SETTLE_S = 30.0


def verify(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Checks what must always hold. Exit code 0 only if all of it does."""
    from verify.checks import run_checks  # noqa: PLC0415
    from verify.settled import await_settled  # noqa: PLC0415

    place, state = running(home, as_json=as_json)
    urls, bootstrap = readers(place, state), state["kafka"]["bootstrap"]
    # What is still on its way is no breach; what never arrives is, and the checks say so.
    await_settled(urls, bootstrap, within_s=SETTLE_S)
    result = run_checks(urls, bootstrap)
    give(result, as_json, lambda: show_checks(result))
    if not result["ok"]:
        raise typer.Exit(1)


def show_checks(result: dict[str, object]) -> None:
    """The checks as a table, broken ones with what was found."""
    table = Table(title="Invariants")
    for column in ("check", "holds", "looked at", "found"):
        table.add_column(column, overflow="fold")
    checks = result["checks"]
    if isinstance(checks, list):
        for check in checks:
            found = "" if check["ok"] else str(check["found"][:3])
            table.add_row(check["name"], "yes" if check["ok"] else "NO", str(check["looked_at"]), found)
    err.print(table)
