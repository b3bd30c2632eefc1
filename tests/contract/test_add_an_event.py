"""Follows docs/add-an-event.md to the letter in a copy of the sources, and sees the new event raised, sent and received."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.conftest import Server
from tests.contract.page import apply, blocks_of

_ROOT = Path(__file__).resolve().parents[2]
_PAGE = _ROOT / "docs" / "add-an-event.md"

# Runs in a process of its own, as the contract is loaded once a process. Prints what it saw as JSON.
_SCRIPT = """
import json, os
from uuid import uuid4
from chassis.database import Database
from chassis.testing import ServiceHarness
from device_telemetry.app import INDEX as TELEMETRY
from device_telemetry.tables import device
from saguaro.scheduling.v1 import events_pb2 as events, service_pb2 as pb, types_pb2 as types
from scheduling.app import INDEX as SCHEDULING
from sqlalchemy import select

def harness(index):
    url, password = json.loads(os.environ["SAGUARO_TEST_" + index.name.upper()])
    return ServiceHarness(index, Database(url, password, service=index.name, sealing_key=bytes(32), pool_size=2))

scheduling, telemetry = harness(SCHEDULING), harness(TELEMETRY)
site, ids = str(uuid4()), {}
scheduling.call("OpenSite", pb.OpenSiteRequest(site=types.Site(site_id=site, site_code="PHX", time_zone="America/Phoenix")))
for kind in ("CHAIR", "PUMP"):
    ids[kind] = str(uuid4())
    resource = types.Resource(resource_id=ids[kind], site_id=site, kind=f"RESOURCE_KIND_{kind}", resource_code=kind)
    scheduling.call("AddResource", pb.AddResourceRequest(resource=resource))
sent = [item for item in scheduling.published() if isinstance(item.message, events.ResourceAdded)]
results = [telemetry.deliver(item.message) for item in sent for _ in range(2)]
with telemetry.database.engine.connect() as connection:
    devices = [(str(row.device_id), row.kind) for row in connection.execute(select(device.c.device_id, device.c.kind))]
print(json.dumps({
    "outbox": [[item.message.resource_id, item.topic, item.key, item.headers["ce_type"]] for item in sent],
    "ids": ids, "site": site, "results": results, "devices": devices,
}))
"""


def _run(arguments: list[str], root: Path, environment: dict[str, str] | None = None) -> str:
    paths = os.pathsep.join((str(root / "services"), str(root / "build" / "contracts")))
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": paths, **(environment or {})},
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3_000:]
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources with the page's blocks in place and the contracts made anew."""
    root = tmp_path_factory.mktemp("checkout")
    skip = shutil.ignore_patterns("__pycache__", "*.csv")
    shutil.copytree(_ROOT / "services", root / "services", ignore=skip)
    shutil.copytree(_ROOT / "protos", root / "protos", ignore=skip)
    for block in blocks_of(_PAGE.read_text(encoding="utf-8")):
        apply(block, root)
    _run(["protos/generate.py"], root)
    return root


def test_the_page_names_the_four_places() -> None:
    files = [block.file for block in blocks_of(_PAGE.read_text(encoding="utf-8"))]
    assert list(dict.fromkeys(files)) == [
        "protos/saguaro/scheduling/v1/events.proto",
        "services/scheduling/commands/add_resource.py",
        "services/device_telemetry/reactions/on_resource_added.py",
        "services/device_telemetry/app.py",
    ]


def test_the_event_is_raised_and_received(built: Path, server: Server) -> None:
    environment, names = {}, []
    for service in ("scheduling", "device_telemetry"):
        server.migrate(import_module(f"{service}.app").INDEX)
        names.append(server.copy_of(service))
        role = f"{service}_api"
        found = (server.url(role, names[-1]), server.password(role))
        environment[f"SAGUARO_TEST_{service.upper()}"] = json.dumps(found)
    try:
        seen = json.loads(_run(["-c", _SCRIPT], built, environment))
    finally:
        for name in names:
            server.drop(name)
    assert seen["outbox"] == [
        [seen["ids"][kind], "saguaro.scheduling.site", seen["site"], "saguaro.scheduling.v1.ResourceAdded"]
        for kind in ("CHAIR", "PUMP")
    ]
    assert set(seen["results"]) == {"applied"}
    assert len(seen["results"]) == 4
    assert seen["devices"] == [[seen["ids"]["PUMP"], "pump"]]


def test_the_catalogue_and_the_rules_of_the_contract_know_it(built: Path) -> None:
    _run(["-m", "cli.events_doc"], _with_docs(built))
    text = (built / "docs" / "events.md").read_text(encoding="utf-8")
    assert "### ResourceAdded" in text
    assert "Received by `device_telemetry.reactions.on_resource_added`" in text
    rules = "from chassis.fields import broken_in_file; from saguaro.scheduling.v1 import events_pb2 as events; "
    assert _run(["-c", rules + "print(broken_in_file(events.DESCRIPTOR))"], built).strip() == "[]"


def _with_docs(root: Path) -> Path:
    (root / "docs").mkdir(exist_ok=True)
    return root
