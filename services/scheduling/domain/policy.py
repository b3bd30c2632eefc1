"""How long what is taken: the booking policy of a day and site, as effective-dated data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# By resource kind: from which moment of the visit until which it is taken.
Phases = Mapping[str, tuple[str, str]]

# The columns of booking_policy in the order of BookingPolicy's fields.
POLICY_COLUMNS: Final = (
    "preparation_min",
    "recovery_min",
    "first_recovery_min",
    "pain_recovery_min",
    "infusion_interval_min",
    "soft_interval_min",
    "cleaning_min",
    "grid_min",
    "search_max_days",
)


@dataclass(frozen=True)
class BookingPolicy:
    """One version of the policy; every figure is in whole minutes. The rows ship as "default, to be reviewed".

    Source: house policy. The recovery of 60 minutes, and of 120 after a first session or one for pain, follows the
    observation of at least two hours in the label of esketamine (Spravato, section 5) and published infusion practice.
    """

    # From the booked start, at which the person comes, to the start of the infusion.
    preparation_min: int
    # From the end of the infusion to the end of the visit.
    recovery_min: int
    first_recovery_min: int
    pain_recovery_min: int
    # From the end of one infusion of a person to the start of the next: hard, and soft (an override sets it aside).
    infusion_interval_min: int
    soft_interval_min: int
    # From the end of the visit to the time at which the chair is free.
    cleaning_min: int
    # Starts are offered on this grid of the site's wall time. Bookings need not lie on it.
    grid_min: int
    # The longest stretch in which free times are looked for in one question, in days.
    search_max_days: int

    def recovery_of(self, *, ordinal: int, for_pain: bool) -> int:
        """Minutes of recovery after the `ordinal`-th session of a plan (the first is 1)."""
        recovery = self.recovery_min
        if ordinal == 1:
            recovery = max(recovery, self.first_recovery_min)
        if for_pain:
            recovery = max(recovery, self.pain_recovery_min)
        return recovery

    @property
    def longest_recovery_min(self) -> int:
        """A time that is free for this long can be booked whatever the session is."""
        return max(self.recovery_min, self.first_recovery_min, self.pain_recovery_min)
