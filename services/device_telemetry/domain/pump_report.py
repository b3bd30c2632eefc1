"""What a pump says at one moment, and what it was authorised to do."""

from dataclasses import dataclass
from decimal import Decimal

from device_telemetry.domain.programme import Programme

COMPLETED = "completed"
STOPPED = "stopped"
OCCLUDED = "occluded"


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


@dataclass(frozen=True)
class Authorisation:
    """A start that was authorised for this session: the programme of the order, and since when."""

    order_id: str
    pump_id: str
    at_ms: int
    programme: Programme
