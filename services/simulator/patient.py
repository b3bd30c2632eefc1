"""One patient's whole way through the network, and what came of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from typing import Final

from saguaro.scheduling.v1 import service_pb2 as scheduling
from simulator import money
from simulator.arrival import await_items
from simulator.bedside import Bench
from simulator.calls import Calls
from simulator.day import SCREENING_DAY, Day, Visit, site_moment
from simulator.episode import Episode
from simulator.planning import Order, book, cancel, order, plan
from simulator.recording import Recording
from simulator.screening import screen, withdraw
from simulator.scripts import Script
from simulator.treatment import Treated, treat
from simulator.weeks import Weeks

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
    treated: list[Treated] = field(default_factory=list)
    suggestions: list[str] = field(default_factory=list)
    account: money.Account = field(default_factory=money.Account)
    failure: str = ""

    @property
    def alarms(self) -> Counter[str]:
        """Clinical alarms of all sessions, by kind."""
        return sum((one.infused.alarms for one in self.treated), Counter[str]())


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
        outcome.account = money.after(episode, 0)
        now("declined")
        return outcome
    now("cleared")
    plan_id = plan(episode)
    package_id = money.before(episode, plan_id)
    if script.series is not None:
        end = _weeks(episode, outcome, plan_id, benches, recording, now)
    else:
        end = _one_visit(episode, outcome, plan_id, benches, recording, now)
    now("to be billed")
    outcome.account = money.after(episode, len(outcome.treated), package_id)
    now(end)
    return outcome


def _weeks(
    episode: Episode,
    outcome: Outcome,
    plan_id: str,
    benches: dict[str, Bench],
    recording: Recording,
    now: Callable[[str], None],
) -> str:
    assert episode.script.series is not None
    weeks = Weeks(episode, episode.script.series, benches, recording, now)
    outcome.treated, outcome.suggestions = weeks.treated, weeks.decided
    weeks.run(plan_id)
    outcome.booked, outcome.cancelled = weeks.booked, weeks.cancelled
    return episode.script.way


def _one_visit(
    episode: Episode,
    outcome: Outcome,
    plan_id: str,
    benches: dict[str, Bench],
    recording: Recording,
    now: Callable[[str], None],
) -> str:
    script = episode.script
    [visit] = episode.day.visits[script.index]
    session_id = book(episode, visit, plan_id)
    outcome.booked += 2 if script.way == "conflict" else 1
    outcome.cancelled += 1 if script.way == "conflict" else 0
    now("booked")
    ordered = order(episode, visit, session_id)
    if script.way == "cancelled":
        cancel(episode, visit, session_id)
        outcome.cancelled += 1
    elif script.way == "no_show":
        _miss(episode, visit, session_id)
    elif script.way == "withdrawn":
        _withdraw(episode, visit, ordered)
        outcome.cancelled += 1
    if not script.infused:
        return script.way
    now("in session")
    outcome.treated.append(treat(episode, visit, ordered, benches, recording))
    return ENDS[outcome.treated[0].infused.state]


def _miss(episode: Episode, visit: Visit, session_id: str) -> None:
    episode.at(visit.starts_at + timedelta(minutes=_MISSED_AFTER_MIN))
    request = scheduling.RecordNoShowRequest(session_id=session_id)
    episode.ask("nurse", "scheduling", "RecordNoShow", request, place=visit.lane.place)


def _withdraw(episode: Episode, visit: Visit, ordered: Order) -> None:
    """Without consent the order is revoked and no other is issued; the booking is then called off by a person."""
    withdraw(episode, episode.consent_id)
    await_items(episode, visit, ordered, lambda missing: {"order", "consent"} <= missing)
    cancel(episode, visit, ordered.session_id)


def usd(amount: Decimal) -> str:
    """Dollars and cents."""
    return str(amount.quantize(Decimal("0.01")))
