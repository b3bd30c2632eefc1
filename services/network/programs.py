"""Which processes the network is made of, and the environment of each."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from network.home import Home
from network.roles import SERVICES, password_file

# What the C library may keep back for each thread; many small processes share two cores here.
_MEMORY = {"MALLOC_ARENA_MAX": "2"}
_PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TZDIR", "PYTHONPATH", "VIRTUAL_ENV", "SAGUARO_LOG_LEVEL")

# Whose api asks whose: a start is asked, and a name is printed on a statement and kept nowhere.
_PEERS = {"device_telemetry": ("intake", "treatment_plan"), "billing": ("intake",)}


@dataclass(frozen=True)
class Program:
    """One process of the network: `<service> <kind>`."""

    service: str
    kind: str
    # Its listeners beside http, by the name in its report.
    listens: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """As files and reports are called: "scheduling-api"."""
        return f"{self.service}-{self.kind}"

    def command(self) -> list[str]:
        """What is executed."""
        return [sys.executable, "-m", "cli", self.service, self.kind]


def programs() -> list[Program]:
    """Api and worker of each service; the apis that others ask come first."""
    found = []
    for service in SERVICES:
        device = service == "device_telemetry"
        found.append(
            Program(
                service,
                "api",
                listens=("grpc", "stream", "mllp") if device else ("grpc",),
                peers=_PEERS.get(service, ()),
            )
        )
        found.append(Program(service, "worker"))
    return found


@dataclass(frozen=True)
class Places:
    """Where the servers are that a process needs."""

    postgres_port: int
    kafka_bootstrap: str
    otlp_endpoint: str


def environment(program: Program, home: Home, places: Places, ports: Mapping[str, int]) -> dict[str, str]:
    """The whole environment of a process. Secrets are named by file. `ports` are those that it had before; 0 lets it choose."""
    role = f"{program.service}_{program.kind}"
    found = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    found |= _MEMORY
    found |= {
        "PYTHONPATH": os.pathsep.join([*source_roots(), *filter(None, [os.environ.get("PYTHONPATH", "")])]),
        "SAGUARO_DATABASE_URL": f"postgresql://{role}@127.0.0.1:{places.postgres_port}/{program.service}",
        "SAGUARO_DATABASE_PASSWORD_FILE": str(password_file(home.secrets, role)),
        "SAGUARO_SEALING_KEY_FILE": str(home.key_file(f"{program.service}-sealing")),
        "SAGUARO_HTTP_LISTEN": f"127.0.0.1:{ports.get('http', 0)}",
        "SAGUARO_REPORT_FILE": str(home.report_file(program.name)),
        "SAGUARO_OTLP_ENDPOINT": places.otlp_endpoint,
    }
    for name in program.listens:
        found[f"SAGUARO_{name.upper()}_LISTEN"] = f"127.0.0.1:{ports.get(name, 0)}"
    for peer in program.peers:
        found[f"SAGUARO_PEER_{peer.upper()}"] = f"@{home.report_file(f'{peer}-api')}"
    if program.kind == "worker" or "stream" in program.listens:
        found["SAGUARO_KAFKA_BOOTSTRAP"] = places.kafka_bootstrap
    if program.kind == "api":
        found["SAGUARO_PAGE_TOKEN_KEY_FILE"] = str(home.key_file(f"{program.service}-page-token"))
    if program.name == "intake-api":
        found["SAGUARO_MATCH_TOKEN_KEY_FILE"] = str(home.key_file("intake-match-token"))
    return found


def source_roots() -> list[str]:
    """The directories that hold this code and the generated contracts."""
    import saguaro  # noqa: PLC0415

    roots = [str(Path(__file__).resolve().parent.parent)]
    roots += [str(Path(place).resolve().parent) for place in saguaro.__path__]
    return roots
