"""The tables of scheduling, all on one metadata. The migrations make them; a test compares the two."""

from scheduling.schema import metadata
from scheduling.tables_of_bookings import (
    booking,
    claim,
    plan,
    resource,
    shift,
    site,
)
from scheduling.tables_of_changes import (
    consultation,
    hold,
    no_show,
    rule_override,
    session_change,
    visit_check,
    waiting_entry,
)
from scheduling.tables_of_policy import (
    appointment_resource,
    booking_policy,
    checklist_policy,
    opening_hours,
    policy_number,
)

__all__ = [
    "appointment_resource",
    "booking",
    "booking_policy",
    "checklist_policy",
    "claim",
    "consultation",
    "hold",
    "metadata",
    "no_show",
    "opening_hours",
    "plan",
    "policy_number",
    "resource",
    "rule_override",
    "session_change",
    "shift",
    "site",
    "visit_check",
    "waiting_entry",
]
