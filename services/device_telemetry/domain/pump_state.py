"""What is remembered of a session's pumps between two reports: each pump's own counter, and the one infusion that they make up."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from device_telemetry.domain.delivery import ZERO, Delivery
from device_telemetry.domain.flow import Flow

Phase = Literal["waiting", "infusing", "paused", "completed", "aborted"]
LIVE: tuple[Phase, ...] = ("infusing", "paused")
OVER: tuple[Phase, ...] = ("completed", "aborted")

# The pump of a state that was written before there was more than one; the first that reports is it.
_ONLY = ""


@dataclass
class Stillness:
    """What tells free flow from standing still, and no flow from infusing."""

    # The counter since which nothing may go in; None while the pump infuses.
    stood_ml: Decimal | None = None
    # While it infuses: the counter, and when it came to that.
    risen_ml: Decimal = ZERO
    risen_ms: int | None = None


@dataclass
class Meter:
    """One pump: its last report, and what it gave since it was authorised. No account: it gave nothing that was authorised."""

    last_ms: int | None = None
    last_infusing: bool = False
    last_total_ml: Decimal | None = None
    account: Delivery | None = None
    # How often it promises a report.
    period_ms: int = 0
    flow: Flow = field(default_factory=Flow)
    still: Stillness = field(default_factory=Stillness)
    # What flowed freely out of it before it had an account.
    free_ml: Decimal = ZERO


@dataclass
class PumpState:
    """The infusion of a session. Times in milliseconds since 1970, by the pumps' clocks."""

    phase: Phase = "waiting"
    started_ms: int | None = None
    stopped_ms: int | None = None
    start_total_ml: Decimal | None = None
    # The pump that runs, or ran last.
    pump_id: str = ""
    paused_ms: int | None = None
    # Since when it stands between two rates.
    transition_ms: int | None = None
    # It goes on, and nobody let it.
    unauthorised_resume: bool = False
    # Whether a stop limit was reached since the start or the last resume, and how often before that.
    stop_limit_now: bool = False
    stop_limits_before: int = 0
    meters: dict[str, Meter] = field(default_factory=dict)

    @property
    def delivered_ml(self) -> Decimal:
        """All that went in since the authorised start, over every pump, and what flowed freely before."""
        free_ml = sum((meter.free_ml for meter in self.meters.values()), ZERO)
        return sum((account.delivered_ml for account in self.accounts), free_ml)

    @property
    def delivering_ms(self) -> int:
        """How long drug was delivered, keep-vein-open apart."""
        return sum(account.delivering_ms for account in self.accounts)

    @property
    def ended_ms(self) -> int | None:
        """When the ordered volume was in."""
        return min((account.ended_ms for account in self.accounts if account.ended_ms is not None), default=None)

    @property
    def accounts(self) -> list[Delivery]:
        """The accounts of all pumps that were authorised."""
        return [meter.account for meter in self.meters.values() if meter.account is not None]

    @property
    def stop_limits(self) -> int:
        """How often a stop limit was reached in this infusion, each pause counted once."""
        return self.stop_limits_before + self.stop_limit_now

    def meter(self, device_id: str) -> Meter:
        """The meter of a pump, a new one for a pump that was not seen before."""
        if device_id not in self.meters:
            if _ONLY in self.meters and self.phase != "waiting":
                self.pump_id = device_id
            self.meters[device_id] = self.meters.pop(_ONLY) if _ONLY in self.meters else Meter()
        return self.meters[device_id]
