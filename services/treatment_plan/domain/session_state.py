"""The states of a session, and what moves it.

planned -> prepared -> ready -> authorised (programmed) -> infusing <-> paused -> completed | aborted -> recovering -> discharged -> closed.
House policy, after the state machine of the Open PCA pump requirements: commands are objectives, and from the start on only the device's
own report moves the session. `completed` and `aborted` are passed through: the outcome stays with the pump's totals, and the person
recovers from the infusion's end on. A session is closed once it is discharged and its drug is accounted for, in either order.
"""

from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FailedPrecondition

PLANNED = "planned"
PREPARED = "prepared"
READY = "ready"
AUTHORISED = "authorised"
INFUSING = "infusing"
PAUSED = "paused"
RECOVERING = "recovering"
DISCHARGED = "discharged"
CLOSED = "closed"
CANCELLED = "cancelled"
# Written by the first release for what is `recovering` now.
ENDED = "ended"

STATES = (
    PLANNED,
    PREPARED,
    READY,
    AUTHORISED,
    INFUSING,
    PAUSED,
    ENDED,
    RECOVERING,
    DISCHARGED,
    CLOSED,
    CANCELLED,
)
BEFORE_READY = (PLANNED, PREPARED)
# Until the start is authorised, a session may be called off or its order revoked.
BEFORE_START = (PLANNED, PREPARED, READY)
BEFORE_DRUG = (*BEFORE_START, AUTHORISED)
IN_RECOVERY = (RECOVERING, ENDED)
ON_THE_PUMP = (INFUSING, PAUSED)
# A start may be reported late, so that the bedside charts from its authorisation on, and goes on with what was left out.
CHARTING_INFUSION = (AUTHORISED, *ON_THE_PUMP, *IN_RECOVERY)
AFTER_INFUSION = (*IN_RECOVERY, DISCHARGED, CLOSED)


@dataclass(frozen=True)
class Progress:
    """What the pump reported, in whatever order it arrived; clinic times, None where nothing was reported."""

    started_at: datetime | None = None
    last_paused_at: datetime | None = None
    last_resumed_at: datetime | None = None
    ended: bool = False
    discharged: bool = False
    reconciled: bool = False


def state_reported(progress: Progress) -> str | None:
    """The state that the reports give, the same for every order of their arrival; None when there is none yet."""
    if progress.ended:
        if progress.discharged:
            return CLOSED if progress.reconciled else DISCHARGED
        return RECOVERING
    paused, resumed = progress.last_paused_at, progress.last_resumed_at
    if paused is not None and (resumed is None or paused > resumed):
        return PAUSED
    return INFUSING if progress.started_at is not None or resumed is not None else None


def require_state(state: str, allowed: tuple[str, ...], what: str, session_id: str) -> None:
    """FailedPrecondition SESSION_STATE naming the state and the rule, unless `what` may be done in this state."""
    if state in allowed:
        return
    raise FailedPrecondition(
        "SESSION_STATE",
        field="session_id",
        rule=f"the session is {state}: {what} is possible only while it is {' or '.join(allowed)}",
        session_id=session_id,
    )
