"""Finds the network that runs on a home."""

from pathlib import Path
from typing import Any

import psycopg

from cli.output import fail
from network.home import Home, read_json
from network.roles import SERVICES, VERIFY, password_file


def running(home_path: Path, *, as_json: bool = False) -> tuple[Home, dict[str, Any]]:
    """The home and what its supervisor says; ends the command when nothing runs there."""
    home = Home(home_path)
    state = read_json(home.network_file)
    if home.owner() is None or state is None:
        fail(f"no network runs on {home.path}; start one with: saguaro up --home {home_path}", as_json=as_json)
    return home, state


def addresses_of(home: Home) -> dict[str, str]:
    """Every address that a client may use, by name: intake, ..., device_stream, device_mllp."""
    found = {}
    for service in SERVICES:
        report = read_json(home.report_file(f"{service}-api"))
        if report is not None:
            found[service] = report["addresses"]["grpc"]
            if service == "device_telemetry":
                found["device_stream"] = report["addresses"]["stream"]
                found["device_mllp"] = report["addresses"]["mllp"]
    return found


def dsn(home: Home, state: dict[str, Any], role: str, database: str) -> str:
    """How to connect as a role of this home."""
    password = password_file(home.secrets, role).read_text().strip()
    return psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=state["postgres"]["port"], user=role, password=password, dbname=database
    )


def readers(home: Home, state: dict[str, Any]) -> dict[str, str]:
    """A read-only connection string for each service's database."""
    return {service: dsn(home, state, VERIFY, service) for service in SERVICES}
