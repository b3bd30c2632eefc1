"""`saguaro demo`: the whole network, a day of the clinics, a table of what came of it, and every invariant checked."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.live import Live
from rich.table import Table

from cli.addresses import LiveAddresses
from cli.demo_report import final_table, latency_table, live_table
from cli.network import start_network, status_of, stop_network
from cli.output import JsonOption, err, give
from cli.running import readers
from cli.verify import SETTLE_S, show_checks
from network.home import Home, read_json


def demo(
    stay: Annotated[bool, typer.Option("--stay", help="Leave the network running.")] = False,
    sites: Annotated[int, typer.Option("--sites", min=1, max=6)] = 3,
    patients: Annotated[int, typer.Option("--patients", min=1, max=5000)] = 40,
    seed: Annotated[int, typer.Option("--seed")] = 1,
    home: Annotated[
        Path | None, typer.Option("--home", help="Keep the state here; without it the demo cleans up.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Starts everything, runs a clinic day, shows what came of it, and checks every invariant. Exit code 0 only if all hold."""
    place, throw_away = _place(home, stay)
    if place.owner() is not None:
        stop_network(place)
    ok = False
    try:
        start_network(place)
        result = _day(place, patients, seed, sites)
        ok = bool(result["ok"])
        give(result, as_json, lambda: _show(result))
        if stay:
            _say_addresses(place)
    finally:
        if not stay or not ok:
            stop_network(place)
            if throw_away and ok:
                shutil.rmtree(place.path, ignore_errors=True)
            elif not ok:
                err.print(f"the logs are in {place.logs}")
    if not ok:
        raise typer.Exit(1)


def _place(home: Path | None, stay: bool) -> tuple[Home, bool]:
    """Where the state lies; True when it goes away at the end."""
    if home is not None:
        return Home(home), False
    if stay:
        return Home(Path(".saguaro")), False
    return Home(Path(tempfile.mkdtemp(prefix="saguaro-demo-"))), True


def _day(place: Home, patients: int, seed: int, sites: int) -> dict[str, Any]:
    """The journey with a live view, then the network's own checks."""
    from simulator.journey import run_journey  # noqa: PLC0415

    began = time.monotonic()
    with Live(console=err, refresh_per_second=4, transient=True) as view:

        def on_progress(numbers: dict[str, Any]) -> None:
            view.update(live_table(numbers, time.monotonic() - began))

        journey = run_journey(LiveAddresses(place), patients=patients, seed=seed, sites=sites, on_progress=on_progress)
    return {"journey": journey, "seconds": round(time.monotonic() - began, 1), **_verified(place, journey)}


def _verified(place: Home, journey: dict[str, Any]) -> dict[str, Any]:
    from cli.demo_report import effect_latency, events_by_topic, ledger_balance  # noqa: PLC0415
    from verify.checks import run_checks  # noqa: PLC0415
    from verify.settled import await_settled  # noqa: PLC0415

    state = read_json(place.network_file) or {}
    urls = readers(place, state)
    await_settled(urls, state["kafka"]["bootstrap"], within_s=SETTLE_S)
    checks = run_checks(urls, state["kafka"]["bootstrap"])
    return {
        "ok": checks["ok"] and all(item["ok"] for item in journey["invariants"]),
        "verify": checks,
        "ledger": ledger_balance(urls),
        "events": events_by_topic(urls),
        "effect": effect_latency(place),
    }


def _show(result: dict[str, Any]) -> None:
    err.print(latency_table(result["journey"]))
    err.print(final_table(result))
    show_checks(result["verify"])


def _say_addresses(place: Home) -> None:
    table = Table(title="The network is still running; stop it with: saguaro down")
    for column in ("process", "addresses"):
        table.add_column(column)
    for item in status_of(place)["processes"]:
        where = "  ".join(f"{name} {address}" for name, address in item["addresses"].items())
        table.add_row(f"{item['service']} {item['kind']}", where)
    err.print(table)
