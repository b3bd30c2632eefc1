"""One visit for an infusion, from the desk to the call of the next day."""

from dataclasses import dataclass

from saguaro.treatment_plan.v1 import service_pb2 as plan
from simulator.arrival import arrive
from simulator.bedside import Bench
from simulator.day import Visit
from simulator.episode import Episode
from simulator.infusion import Infused, infuse
from simulator.planning import Order
from simulator.recording import Recording
from simulator.recovery import follow_up, recover
from simulator.settling import Settled, settle

# What holds the next order until a prescriber has decided, and their reason to go on.
_GOES_ON = "reviewed_with_person"


@dataclass(frozen=True)
class Treated:
    """One infusion and what came of it."""

    infused: Infused
    settled: Settled
    holds_released: int


def treat(
    episode: Episode,
    visit: Visit,
    order: Order,
    benches: dict[str, Bench],
    recording: Recording,
    ordinal: int = 1,
) -> Treated:
    """The whole visit. The devices are free for the next patient once the monitor is off."""
    bench = benches[visit.lane.id("chair")]
    bench.await_turn(visit.turn)
    arrive(episode, visit, order)
    infused = infuse(episode, visit, order, bench, recording)
    bench.leave(visit.turn)
    episode.forward(1)
    settled = settle(episode, visit, order, infused)
    recover(episode, visit, order, infused, ordinal)
    released = _release_holds(episode, visit)
    follow_up(episode, visit, order)
    return Treated(infused, settled, released)


def _release_holds(episode: Episode, visit: Visit) -> int:
    """An abort or an adverse event holds the next order until a prescriber has decided."""
    if episode.script.way not in ("aborted", "adverse_event"):
        return 0
    place = visit.lane.place
    found = episode.calls.watch(
        "treatment_plan",
        "ListHolds",
        plan.ListHoldsRequest(person_id=episode.person_id, page_size=100),
        episode.context("prescriber", place),
        until=lambda answer: len(answer.holds) > 0,
        effect="abort or adverse event to a hold",
    )
    for hold in found.holds:
        request = plan.ReleaseHoldRequest(hold_id=hold.hold_id, reason_code=_GOES_ON)
        episode.ask("prescriber", "treatment_plan", "ReleaseHold", request, place=place)
    return len(found.holds)
