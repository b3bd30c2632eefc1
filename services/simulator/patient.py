"""One patient's whole way through the network, and what came of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from typing import Final

from saguaro.billing.v1 import service_pb2 as billing
from saguaro.scheduling.v1 import service_pb2 as scheduling
from simulator.bedside import Bench
from simulator.calls import Calls
from simulator.day import SCREENING_DAY, Day, site_moment
from simulator.episode import Episode
from simulator.infusion import Infused, infuse
from simulator.planning import book, cancel, order, plan
from simulator.recording import Recording
from simulator.screening import screen
from simulator.scripts import Script
from simulator.settling import Settled, settle

ENDS: Final = {"completed": "treated", "aborted": "aborted"}
_MISSED_AFTER_MIN: Final = 30
# The first patients of the screening day come at opening, the others every few minutes.
_OPENS: Final = time(8)
_EVERY_MIN: Final = 3
_ARRIVALS: Final = 100


@dataclass
class Outcome:
    """What came of a patient. `state` is where they are; "failed" where the network did not do what it must."""

    script: Script
    state: str = "registering"
    person_id: str = ""
    booked: int = 0
    cancelled: int = 0
    infused: Infused | None = None
    settled: Settled | None = None
    # Charge sets of somebody who was never infused.
    stray_charges: int = 0
    failure: str = ""
    alarms: Counter[str] = field(default_factory=Counter)


def live(
    calls: Calls,
    day: Day,
    script: Script,
    benches: dict[str, Bench],
    recording: Recording,
    tell: Callable[[Outcome], None],
) -> Outcome:
    """Runs the script. `tell` hears of every change of state."""
    episode, outcome = Episode(calls, day, script), Outcome(script)

    def now(state: str) -> None:
        outcome.state = state
        tell(outcome)

    now("registering")
    arrival = timedelta(minutes=_EVERY_MIN * (script.index % _ARRIVALS))
    episode.at(site_moment(episode.home, SCREENING_DAY, _OPENS) + arrival)
    cleared = screen(episode)
    outcome.person_id = episode.person_id
    if not cleared:
        outcome.stray_charges = _charge_sets(episode)
        now("declined")
        return outcome
    now("cleared")
    _treat(episode, outcome, benches, recording, now)
    return outcome


def _treat(
    episode: Episode, outcome: Outcome, benches: dict[str, Bench], recording: Recording, now: Callable[[str], None]
) -> None:
    script, visit = episode.script, episode.day.visits[episode.script.index]
    plan_id = plan(episode)
    session_id = book(episode, visit, plan_id)
    outcome.booked += 2 if script.way == "conflict" else 1
    outcome.cancelled += 1 if script.way == "conflict" else 0
    now("booked")
    ordered = order(episode, session_id)
    if script.way == "cancelled":
        cancel(episode, session_id)
        outcome.cancelled += 1
    elif script.way == "no_show":
        _miss(episode, session_id)
    if not script.infused:
        outcome.stray_charges = _charge_sets(episode)
        now(script.way)
        return
    bench = benches[visit.lane.id("chair")]
    bench.await_turn(visit.turn)
    now("in session")
    outcome.infused = infuse(episode, visit, ordered, bench, recording)
    bench.leave(visit.turn)
    outcome.alarms = outcome.infused.alarms
    now("to be billed")
    outcome.settled = settle(episode, ordered, outcome.infused)
    now(ENDS[outcome.infused.state])


def _miss(episode: Episode, session_id: str) -> None:
    visit = episode.day.visits[episode.script.index]
    episode.at(visit.starts_at + timedelta(minutes=_MISSED_AFTER_MIN))
    request = scheduling.RecordNoShowRequest(request_id=episode.request_id(), session_id=session_id)
    episode.ask("nurse", "scheduling", "RecordNoShow", request, place=visit.lane.place)


def _charge_sets(episode: Episode) -> int:
    request = billing.ListChargeSetsRequest(person_id=episode.person_id, page_size=500)
    return len(episode.ask("biller", "billing", "ListChargeSets", request).charge_sets)


def usd(amount: Decimal) -> str:
    """Dollars and cents."""
    return str(amount.quantize(Decimal("0.01")))
