"""The policy tables of this service, in the one shape of chassis.policy."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from chassis.policy import Policy, policy_columns, policy_number_table, review_state_check
from device_telemetry.tables import metadata

# Bounds of vital signs.
alarm_limit = Table(
    "alarm_limit",
    metadata,
    Column("kind_code", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("side", Text, nullable=False),
    Column("bound", Numeric(9, 3), nullable=False),
    Column("inclusive", Boolean, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("confirm_s", Integer, nullable=False),
    # "%{baseline}" for a limit that is relative to what the person had before the infusion.
    Column("unit", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("kind_code", "scope", "effective_from", name="alarm_limit_pk"),
    review_state_check("alarm_limit"),
    CheckConstraint("side IN ('low', 'high')", name="alarm_limit_side"),
    CheckConstraint("unit IN ('mm[Hg]', '/min', '%', '%{baseline}')", name="alarm_limit_unit"),
    CheckConstraint("priority BETWEEN 1 AND 3", name="alarm_limit_priority"),
    CheckConstraint("duration_s >= 0 AND confirm_s >= 0", name="alarm_limit_lengths"),
)

# How long metrics may be silent, all those of a row together. Checks in the database keep the rows from being taken away.
silence_limit = Table(
    "silence_limit",
    metadata,
    Column("kind_code", Text, nullable=False),
    Column("metrics", Text, nullable=False),
    Column("after_s", Integer, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("required", Boolean, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("kind_code", "scope", "effective_from", name="silence_limit_pk"),
    review_state_check("silence_limit"),
)

# Other lengths of time by name, in seconds.
telemetry_policy = Table(
    "telemetry_policy",
    metadata,
    Column("name", Text, nullable=False),
    Column("seconds", Integer, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("name", "scope", "effective_from", name="telemetry_policy_pk"),
    review_state_check("telemetry_policy"),
)

# When an alarm that nobody acknowledged is told again, and to whom.
alarm_escalation = Table(
    "alarm_escalation",
    metadata,
    Column("priority", SmallInteger, nullable=False),
    Column("repetition", SmallInteger, nullable=False),
    Column("after_s", Integer, nullable=False),
    Column("escalated_to", Text, nullable=False),
    *policy_columns(),
    PrimaryKeyConstraint("priority", "repetition", "scope", "effective_from", name="alarm_escalation_pk"),
    review_state_check("alarm_escalation"),
)

policy_number = policy_number_table(metadata)

_PRIORITY = "IEC 60601-1-8: 1 low, 2 medium, 3 high"

POLICIES = (
    Policy(
        alarm_limit,
        keys=("kind_code",),
        values=("metric", "side", "bound", "unit", "inclusive", "priority", "duration_s", "confirm_s"),
        title="Alarm limits of vital signs",
        units={
            "metric": "code", "side": "code", "bound": "as the column unit says", "unit": "UCUM", "inclusive": "yes/no",
            "priority": _PRIORITY, "duration_s": "s", "confirm_s": "s",
        },
    ),
    Policy(
        silence_limit,
        keys=("kind_code",),
        values=("metrics", "after_s", "priority", "required"),
        title="How long a metric may be silent",
        units={"metrics": "codes", "after_s": "s", "priority": _PRIORITY, "required": "yes/no"},
    ),
    Policy(
        telemetry_policy, keys=("name",), values=("seconds",), title="Times of the telemetry", units={"seconds": "s"}
    ),
    Policy(
        alarm_escalation,
        keys=("priority", "repetition"),
        values=("after_s", "escalated_to"),
        title="Escalation of alarms that nobody acknowledged",
        units={"after_s": "s", "escalated_to": "code"},
    ),
    Policy(
        policy_number,
        keys=("policy_code",),
        values=("value",),
        title="Pauses, volumes, flow and reserves of a pump",
        unit_column="unit",
    ),
)  # fmt: skip
