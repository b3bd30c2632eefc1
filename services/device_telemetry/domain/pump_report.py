"""What a pump says at one moment, and what it was authorised to do."""

from dataclasses import dataclass
from decimal import Decimal

from device_telemetry.domain.programme import Programme

COMPLETED = "completed"
STOPPED = "stopped"
OCCLUDED = "occluded"
# The pump ends one delivery segment to begin the next at once (IHE PCD IPEC 1.5, pump-delivery-status-transitioning).
IN_TRANSITION = "transitioning"


@dataclass(frozen=True)
class Report:
    """One report. Volumes in mL, times in milliseconds since 1970 by the pump's clock."""

    at_ms: int
    programme: Programme
    infusing: bool
    # Cumulative since the counter was cleared, IHE PCD MDC_VOL_FLUID_DELIV_TOTAL.
    total_ml: Decimal
    counter_cleared: bool = False
    keep_vein_open: bool = False
    not_delivering_reason: str = ""
    # None where the pump does not say.
    reservoir_ml: Decimal | None = None
    battery_left_min: Decimal | None = None
    # False where the pump did not say its counter: then it stands where it stood, and a segment that ended is added.
    total_known: bool = True
    segment_ml: Decimal | None = None
    # What flows now; None where the pump does not say.
    current_rate_ml_per_h: Decimal | None = None

    @property
    def contradicts(self) -> bool:
        """Infusing if and only if the flow is above 0 (IHE PCD Infusion Pump Event Communication 1.5)."""
        flow = self.current_rate_ml_per_h
        return flow is not None and (flow <= 0 if self.infusing else flow != 0)


@dataclass(frozen=True)
class Authorisation:
    """A start or a resume that was authorised for this session: the programme, for which pump and since when."""

    order_id: str
    pump_id: str
    at_ms: int
    programme: Programme
    # Only of a resume: who let it go on, and why.
    resume: bool = False
    authorised_by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Stop:
    """A clinician recorded that the infusion is to end, and why."""

    at_ms: int
    reason: str


@dataclass(frozen=True)
class Allowed:
    """All that a session's pumps may do. Resumes in the order of their time."""

    start: Authorisation | None = None
    resumes: tuple[Authorisation, ...] = ()
    stop: Stop | None = None

    def for_pump(self, pump_id: str, until_ms: int) -> Authorisation | None:
        """The latest authorisation of this pump up to then. Without a start there is none."""
        if self.start is None:
            return None
        for grant in (*reversed(self.resumes), self.start):
            if grant.pump_id == pump_id and grant.at_ms <= until_ms:
                return grant
        return None

    def stop_until(self, until_ms: int) -> Stop | None:
        """The stop, if it was recorded by then."""
        return self.stop if self.stop is not None and self.stop.at_ms <= until_ms else None
