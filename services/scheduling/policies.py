"""The numbers of scheduling that somebody answers for, as the policy rpcs and the documents show them."""

from typing import Final

from chassis.policy import Policy
from scheduling import tables

POLICIES: Final = (
    Policy(
        tables.booking_policy,
        keys=("type_code",),
        values=(
            "preparation_min",
            "recovery_min",
            "first_recovery_min",
            "pain_recovery_min",
            "cleaning_min",
            "infusion_interval_min",
            "soft_interval_min",
            "grid_min",
            "search_max_days",
        ),
        title="Lengths of a visit and intervals between infusions",
        units={
            "preparation_min": "min",
            "recovery_min": "min",
            "first_recovery_min": "min",
            "pain_recovery_min": "min",
            "cleaning_min": "min",
            "infusion_interval_min": "min",
            "soft_interval_min": "min",
            "grid_min": "min",
            "search_max_days": "d",
        },
    ),
    Policy(
        tables.appointment_resource,
        keys=("type_code", "resource_kind"),
        values=("from_phase", "until_phase"),
        title="What an appointment takes, and for how much of the visit",
        units={"from_phase": "code", "until_phase": "code"},
    ),
    Policy(
        tables.opening_hours,
        keys=("iso_weekday",),
        values=("opens", "closes"),
        title="Opening hours",
        units={"opens": "wall time", "closes": "wall time"},
    ),
    Policy(
        tables.checklist_policy,
        keys=("item_code",),
        values=("required",),
        title="Checklist of the day before",
        units={"required": "yes/no"},
    ),
    Policy(
        tables.policy_number,
        keys=("policy_code",),
        values=("value",),
        title="Numbers of scheduling",
        unit_column="unit",
    ),
)
