"""One journey through five services; everything afterwards is as it must be, and nothing identifying has got out."""

import itertools
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from cli.running import addresses_of, readers
from network.programs import source_roots
from simulator.people import seeded_identities
from simulator.scripts import WAYS
from simulator.series import SERIES
from tests.whole.network_under_test import Finished, NetworkUnderTest, broken_checks, totals_of
from verify import leak_sources
from verify.leaks import Source, find_leaks

# Once every way and every series. That a seed has the same totals each time is seen where a journey is disturbed: test_one_kill.py.
EVERY_WAY, SEED = len(WAYS), 7

# What keeping a vein open adds to an order: at most 1 mL of the strongest bag.
_KEPT_OPEN_MG = Decimal(2)

pytestmark = pytest.mark.timeout(600)


def test_status_names_every_process(network: NetworkUnderTest) -> None:
    """Twelve processes, ready and live, each with its addresses."""
    finished = network.run("status")
    assert finished.code == 0, finished.answer
    found = {(item["service"], item["kind"]) for item in finished.answer["processes"]}
    services = ("intake", "scheduling", "treatment_plan", "device_telemetry", "billing")
    assert found == {
        ("postgres", "server"),
        ("kafka", "server"),
        *((s, k) for s in services for k in ("api", "worker")),
    }
    assert all(item["ready"] and item["live"] and item["pid"] for item in finished.answer["processes"])


def test_a_second_supervisor_is_refused(network: NetworkUnderTest) -> None:
    """The home's lock is taken; the message says what to do."""
    finished = network.run("up")
    assert finished.code != 0
    assert "already runs" in finished.answer["error"]


def test_a_day_with_every_odd_thing_ends_with_every_invariant(network: NetworkUnderTest) -> None:
    """Abort, adverse event, no-show, withdrawal, high-risk answers, a changed pump, and series over weeks: all end as they must.

    What the prescribers decided, and what was ordered, delivered, wasted, charged and paid, balances to the last decimal.
    """
    totals = totals_of(network.finish(network.journey(EVERY_WAY, SEED), within_s=540))
    assert totals["patients"] == {
        "aborted": 1,
        "cancelled": 1,
        "declined": 2,
        "no_show": 1,
        "treated": 19,
        "withdrawn": 1,
        **dict.fromkeys(SERIES, 1),
    }
    assert totals["suggestions"] == {
        "end_early_remission accepted": 1,
        "maintenance_shorten accepted": 1,
        "raise_dose accepted": 1,
        "raise_dose declined": 1,
        "stop_no_response accepted": 1,
    }
    assert totals["holds_released"] == 2
    money = {name: Decimal(amount) for name, amount in totals["money"].items()}
    assert money["paid_usd"] == money["invoiced_usd"] > 0
    assert Decimal(totals["delivered_mg"]) <= Decimal(totals["ordered_mg"]) + _KEPT_OPEN_MG
    verified = network.run("verify")
    assert broken_checks(verified) == []
    assert verified.code == 0
    assert network.run("parked", "list").answer["parked"] == []


def test_nothing_identifying_got_out(network: NetworkUnderTest) -> None:
    """Logs, spans, metrics, topics with their keys and headers, and every table hold no seeded name, number, address or date."""
    urls = readers(network.home, network.state())
    pages = [f"http://{report['addresses']['http']}/metrics" for report in network.home.reports().values()]
    sources = itertools.chain(
        leak_sources.log_files(network.home.logs),
        leak_sources.spans(network.home.traces),
        leak_sources.pages(pages),
        leak_sources.topics(network.state()["kafka"]["bootstrap"]),
        leak_sources.tables(urls),
    )
    looked_at = Counter[str]()

    def counted() -> Iterator[Source]:
        for source in sources:
            looked_at[source.place.split(" ")[0]] += 1
            yield source

    leaks = find_leaks(seeded_identities(SEED, EVERY_WAY), counted())
    assert [str(leak) for leak in leaks] == []
    assert len(looked_at) >= 5, looked_at


def test_a_trace_goes_from_registration_to_charge(network: NetworkUnderTest) -> None:
    """One care episode as one tree: every service has its part, commands with the reactions under them."""
    with sqlite3.connect(f"file:{network.home.traces}?mode=ro", uri=True) as connection:
        found = connection.execute(
            "SELECT correlation_id FROM span WHERE what LIKE '%.ChargeCaptured' LIMIT 1"
        ).fetchone()
    finished = network.run("trace", found[0])
    assert finished.code == 0
    chains: list[list[str]] = []

    def walk(span: dict[str, Any], above: list[str]) -> None:
        here = [*above, span["what"].rsplit(".", 1)[-1]]
        chains.append(here)
        for child in span["children"]:
            walk(child, here)

    for root in finished.answer["roots"]:
        walk(root, [])
    ends = {tuple(chain) for chain in chains}
    assert ("RegisterPerson", "PatientRegistered", "PatientRegistered") in ends
    assert ("CloseSession", "SessionClosed", "SessionClosed", "ChargeCaptured") in ends
    wanted = {
        "DecideEligibility",
        "SignPlan",
        "BookSession",
        "OrderIssued",
        "StartInfusion",
        "AuthoriseStart",
        "InfusionStarted",
    }
    assert wanted <= {name for chain in chains for name in chain}


def test_an_hl7_file_is_acknowledged_or_refused_with_its_rule(network: NetworkUnderTest, tmp_path: Path) -> None:
    """A published message is accepted; one without its type is refused by field and rule; the listener goes on."""
    mllp = addresses_of(network.home)["device_mllp"]
    published = resources.files("simulator") / "messages" / "pcd01-monitor.hl7"
    with resources.as_file(published) as path:
        accepted = send(mllp, path)
        assert (accepted.code, accepted.answer["code"]) == (0, "CA")
        text = path.read_bytes().replace(b"ORU^R01^ORU_R01", b"ADT^A99", 1).replace(b"|HP01", b"|XX01", 1)
    bad = tmp_path / "bad.hl7"
    bad.write_bytes(text)
    refused = send(mllp, bad)
    assert refused.code != 0
    assert refused.answer["code"] in {"CE", "CR"}


def send(mllp: str, file: Path) -> Finished:
    """`saguaro simulate send`."""
    command = [sys.executable, "-m", "cli", "simulate", "send", "--mllp", mllp, str(file), "--json"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(source_roots())}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    return Finished(done.returncode, json.loads(done.stdout), done.stderr)
