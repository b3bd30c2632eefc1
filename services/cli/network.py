"""`saguaro up|down|status|migrate`: the network on this machine."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from rich.table import Table

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, fail, give
from cli.running import addresses_of, running
from network.home import Home, read_json
from network.probe import is_live, is_ready
from network.programs import programs, source_roots
from network.progress import Progress
from network.roles import SERVICES

_UP_WITHIN_S = 240.0
_DOWN_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.05


def up(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    foreground: Annotated[bool, typer.Option("--foreground", help="Stay in this terminal; Ctrl-C stops it.")] = False,
) -> None:
    """Starts the whole network and returns when every process is ready."""
    place = Home(home)
    if foreground:
        from network.supervisor import supervise  # noqa: PLC0415

        raise typer.Exit(supervise(place))
    result = start_network(place, as_json=as_json)
    give(result, as_json, lambda: _show(status_of(place), "The network is up."))


def start_network(place: Home, *, as_json: bool = False, quiet: bool = False) -> dict[str, Any]:
    """Starts a supervisor of its own session and waits until the network is ready, showing each step."""
    if place.owner() is not None:
        fail(
            f"a supervisor already runs on {place.path}; look at it with: saguaro status --home {place.path}",
            as_json=as_json,
        )
    place.prepare()
    place.steps_file.unlink(missing_ok=True)
    place.network_file.unlink(missing_ok=True)
    began = time.monotonic()
    with (place.logs / "supervisor.log").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "up", "--foreground", "--home", str(place.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(source_roots())},
        )
    with Progress(quiet=quiet) as progress:
        _follow(place, child, progress, as_json)
    seconds = round(time.monotonic() - began, 1)
    return {"ok": True, "home": str(place.path), "seconds": seconds, "addresses": addresses_of(place)}


def _follow(place: Home, child: "subprocess.Popen[bytes]", progress: Progress, as_json: bool) -> None:
    """Shows the supervisor's steps until it is ready. Ends the command when it fails."""
    until = time.monotonic() + _UP_WITHIN_S
    seen = 0
    open_step: Any = None
    while True:
        lines = place.steps_file.read_text(encoding="utf-8").splitlines() if place.steps_file.exists() else []
        for line in lines[seen:]:
            step = json.loads(line)
            if step["state"] == "begun":
                open_step = progress.step(step["step"])
                open_step.__enter__()
            elif step["state"] == "done":
                open_step.__exit__(None, None, None)
            else:
                fail(f"{step['step']}: {step['why']}", as_json=as_json)
        seen = len(lines)
        state = read_json(place.network_file)
        if state is not None and state.get("state") == "ready":
            return
        if child.poll() is not None or time.monotonic() > until:
            fail(f"the network did not come up; read {place.logs / 'supervisor.log'}", as_json=as_json)
        time.sleep(_LOOK_EVERY_S)


def down(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Stops the network; its state stays."""
    place = Home(home)
    stopped = stop_network(place)
    give({"ok": True, "was_running": stopped}, as_json, lambda: err.print("stopped" if stopped else "nothing ran"))


def stop_network(place: Home) -> bool:
    """Asks the supervisor to end and waits for it. False when none ran."""
    owner = place.owner()
    if owner is None:
        return False
    process = psutil.Process(owner)
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_DOWN_WITHIN_S)
    except psutil.TimeoutExpired:
        fail(f"the supervisor (pid {owner}) does not end; read {place.logs / 'supervisor.log'}")
    return True


def status(home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False) -> None:
    """Shows every process: ready, live, addresses. Exit code 0 only if all are ready and live."""
    place, _ = running(home, as_json=as_json)
    found = status_of(place)
    give(found, as_json, lambda: _show(found, f"Network on {place.path}"))
    if not found["ok"]:
        raise typer.Exit(1)


def status_of(place: Home) -> dict[str, Any]:
    """`{ok, processes: [{service, kind, pid, ready, live, addresses}]}`, PostgreSQL and Kafka among them."""
    state = read_json(place.network_file) or {}
    processes = [
        _server(
            "postgres", state.get("postgres", {}), {"postgres": f"127.0.0.1:{state.get('postgres', {}).get('port')}"}
        ),
        _server("kafka", state.get("kafka", {}), {"kafka": state.get("kafka", {}).get("bootstrap")}),
    ]
    for program in programs():
        report = read_json(place.report_file(program.name))
        processes.append(
            {
                "service": program.service,
                "kind": program.kind,
                "pid": None if report is None else report["pid"],
                "ready": report is not None and is_ready(report),
                "live": report is not None and is_live(report),
                "addresses": {} if report is None else report["addresses"],
            }
        )
    return {"ok": all(item["ready"] and item["live"] for item in processes), "processes": processes}


def _server(name: str, state: dict[str, Any], addresses: dict[str, Any]) -> dict[str, Any]:
    pid = state.get("pid")
    alive = pid is not None and psutil.pid_exists(pid)
    return {"service": name, "kind": "server", "pid": pid, "ready": alive, "live": alive, "addresses": addresses}


def _show(found: dict[str, Any], title: str) -> None:
    table = Table(title=title)
    for column in ("service", "kind", "pid", "ready", "live", "addresses"):
        table.add_column(column)
    for item in found["processes"]:
        where = "  ".join(f"{name} {address}" for name, address in item["addresses"].items())
        marks = ["yes" if item[name] else "NO" for name in ("ready", "live")]
        table.add_row(item["service"], item["kind"], str(item["pid"]), *marks, where)
    err.print(table)


def migrate(
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
    postgres: Annotated[str, typer.Option(help="Superuser URL of a server of your own, instead of the home's.")] = "",
    secrets: Annotated[Path | None, typer.Option(help="Directory of password files, with --postgres.")] = None,
) -> None:
    """Brings every database to its newest schema: roles, databases, tables, policy data. Safe to repeat."""
    if postgres:
        from cli.containers import migrate_server  # noqa: PLC0415

        if secrets is None:
            fail("--postgres needs --secrets, the directory of password files", as_json=as_json)
        result = migrate_server(postgres, secrets)
    else:
        result = _migrate_home(Home(home))
    give(
        {"ok": True, "revisions": result},
        as_json,
        lambda: err.print("  ".join(f"{service} {result[service]}" for service in SERVICES)),
    )


def _migrate_home(place: Home) -> dict[str, str]:
    """Migrates the home's own PostgreSQL: the running one, or one started for it alone."""
    from network.migration import migrate_all  # noqa: PLC0415
    from network.ports import PortBook  # noqa: PLC0415
    from network.postgres import Postgres  # noqa: PLC0415

    server = Postgres(place.path, ports=PortBook(place.path / "ports.json"), secrets=place.secrets)
    if place.owner() is not None:
        return migrate_all(place, server)
    place.take()
    server.start()
    try:
        return migrate_all(place, server)
    finally:
        server.stop()
