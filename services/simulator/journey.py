"""A clinic day of seeded patients, and the weeks of some of them, through a running network, over its own protocols.

What is counted depends on the seed, the number of patients and the number of sites alone: everything is planned before the first call,
each patient has a clock of their own, and each device is in lockstep with the network.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from uuid import UUID, uuid4

from chassis.errors import SaguaroError
from simulator.bedside import bench
from simulator.calls import PATIENCE_S, Address, Calls, GaveUp
from simulator.day import Day, plan_day
from simulator.hl7_messages import PUBLISHED, published
from simulator.invariants import check
from simulator.mllp_link import MllpLink
from simulator.opening import open_sites
from simulator.patient import Outcome, live
from simulator.progress import Progress, Watcher
from simulator.recording import read_recording
from simulator.scripts import Script
from simulator.totals import outage_alarms, totals
from simulator.unexpected import Unexpected

# Device streams hold a thread of the network each; fewer than its limit leaves room for others.
AT_ONCE: Final = 6


def run_journey(
    addresses: Mapping[str, Address],
    *,
    patients: int,
    seed: int,
    sites: int = 3,
    on_progress: Watcher | None = None,
    run_id: UUID | None = None,
    patience_s: float = PATIENCE_S,
) -> dict[str, Any]:
    """{seed, patients, sites, run_id, totals, outage_alarms, latency, invariants: [{name, ok, looked_at, found}]}.

    `addresses` maps intake, scheduling, treatment_plan, device_telemetry, device_stream, device_mllp and billing to `host:port`, or to
    a function that tells it; it is looked at again whenever somebody may have come back elsewhere. ValueError for a day that cannot be;
    GaveUp when nobody answered for `patience_s` seconds while the sites were being opened.
    """
    day = plan_day(run_id or uuid4(), seed, patients, sites)
    calls = Calls(addresses, patience_s)
    open_sites(calls, day)
    unacknowledged = _send_published(calls)
    outcomes = _live_all(calls, day, Progress(calls, patients, on_progress))
    return {
        "seed": seed,
        "patients": patients,
        "sites": sites,
        "run_id": str(day.run.run_id),
        "totals": totals(outcomes),
        "outage_alarms": outage_alarms(outcomes),
        "latency": calls.measured.summary(),
        "invariants": check(calls, day, outcomes, unacknowledged),
    }


def _send_published(calls: Calls) -> list[str]:
    """Both messages go out as they were published. The names of those that were not acknowledged."""
    missing = []
    with MllpLink(calls) as link:
        for name in PUBLISHED:
            try:
                link.send(published(name))
            except Unexpected:
                missing.append(name)
    return missing


def _live_all(calls: Calls, day: Day, progress: Progress) -> list[Outcome]:
    """Everybody, a few at once, in the order of their appointments: who waits for a chair waits for somebody who is already being seen."""
    recording = read_recording()
    benches = {lane.id("chair"): bench(lane, recording.cuff_period_s) for lane in day.lanes}

    def way(script: Script) -> Outcome:
        seen = Outcome(script)

        def tell(outcome: Outcome) -> None:
            nonlocal seen
            seen = outcome
            progress.tell(outcome)

        try:
            return live(calls, day, script, benches, recording, tell)
        except (SaguaroError, GaveUp, Unexpected, ValueError) as failed:
            seen.state, seen.failure = "failed", f"{type(failed).__name__}: {failed}"
            progress.tell(seen)
            return seen
        finally:
            for visit in day.visits.get(script.index, ()):
                bench_of = benches[visit.lane.id("chair")]
                # Nobody waits for a patient who never came as far as the chair.
                bench_of.await_turn(visit.turn)
                bench_of.leave(visit.turn)

    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="patient") as pool:
        found = list(pool.map(way, sorted(day.scripts, key=lambda script: _turn(day, script))))
    return sorted(found, key=lambda outcome: outcome.script.index)


def _turn(day: Day, script: Script) -> tuple[int, int]:
    """Place in the queue: whoever comes for weeks first, then by turn at the chair, then by number."""
    visits = day.visits.get(script.index, ())
    return (-1 if script.series else visits[0].turn if visits else 0), script.index
