"""One patient's care episode: its own clinic clock, its ids, and who acts in which role."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from google.protobuf.message import Message

from chassis.context import RequestContext
from simulator.calls import Calls
from simulator.day import Day
from simulator.people import SyntheticPerson, person
from simulator.places import Place
from simulator.scripts import Script

# What every service comes to know a moment after it was recorded elsewhere.
_ON_ITS_WAY = ("PRACTITIONER_NOT_YET_KNOWN", "SITE_NOT_YET_KNOWN", "SITE_UNKNOWN")
# HL7 PurposeOfUse.
TREATMENT = "TREAT"
PAYMENT = "HPAYMT"


class Episode:
    """Calls in the context of one patient. The clock moves only here, and only forward."""

    def __init__(self, calls: Calls, day: Day, script: Script) -> None:
        self.calls, self.day, self.script = calls, day, script
        self.home: Place = day.places[script.home]
        self.person: SyntheticPerson = person(day.seed, script.index, self.home.index, day.run.mark)
        self.correlation_id = UUID(day.run.id("episode", script.index))
        self.now = datetime.min.replace(tzinfo=UTC)
        visits = day.visits.get(script.index, ())
        # The sites besides home at which the person is treated, in the order of the visits.
        self.elsewhere = tuple(dict.fromkeys(visit.lane.place for visit in visits if visit.lane.place != self.home))
        self.person_id = self.consent_id = ""
        # Evaluations and instruments so far: billing has a charge set for each.
        self.billable = 0
        self._requests = 0

    def at(self, moment: datetime) -> None:
        """Moves the clock to a moment that is not before the present one."""
        if moment < self.now:
            raise ValueError("clinic time does not go back")
        self.now = moment

    def forward(self, minutes: float) -> None:
        """Lets clinic time pass."""
        self.now += timedelta(minutes=minutes)

    def request_id(self) -> str:
        """The id of the next request: the same for every repetition of it, another for every other."""
        self._requests += 1
        return self.day.run.id("request", self.script.index, self._requests)

    def context(self, role: str, place: Place, post: str = "") -> RequestContext:
        """The call's context at the present clinic time; by whoever holds the post, which is called as the role unless it is given."""
        return RequestContext(
            actor_id=UUID(place.staff(post or role)),
            role=role,
            site_id=place.site_id,
            purpose=PAYMENT if role.startswith("bill") else TREATMENT,
            correlation_id=self.correlation_id,
            clinic_time=self.now,
        )

    def ask(
        self,
        role: str,
        service: str,
        rpc: str,
        request: Message,
        *,
        place: Place | None = None,
        post: str = "",
        until: Collection[str] = (),
    ) -> Any:
        """One call by somebody of this role, at home or at `place`; see `Calls.ask`. A write without a request id gets the next one."""
        fields = request.DESCRIPTOR.fields_by_name
        if "request_id" in fields and not getattr(request, "request_id"):  # noqa: B009
            setattr(request, "request_id", self.request_id())  # noqa: B010
        context = self.context(role, place or self.home, post)
        return self.calls.ask(service, rpc, request, context, until=(*_ON_ITS_WAY, *until))
