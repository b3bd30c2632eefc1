"""What stands against the next order for a while: holds after an abort or an adverse event, changes of a booking under way."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, Uuid, text

from treatment_plan.columns import code, identifier, metadata, moment

prescriber_hold = Table(
    "prescriber_hold",
    metadata,
    identifier("hold_id"),
    identifier("person_id"),
    identifier("site_id"),
    identifier("plan_id"),
    identifier("session_id"),
    code("reason_code"),
    moment("placed_at"),
    Column("released_by", Uuid, nullable=True),
    code("released_reason_code", nullable=True),
    moment("released_at", nullable=True),
    PrimaryKeyConstraint("hold_id", name="prescriber_hold_pk"),
    CheckConstraint(
        "(released_at IS NULL) = (released_by IS NULL) AND (released_at IS NULL) = (released_reason_code IS NULL)",
        name="prescriber_hold_released_by_somebody",
    ),
    # Two adverse events of one kind in one session ask one decision.
    Index(
        "prescriber_hold_one_open",
        "session_id",
        "reason_code",
        unique=True,
        postgresql_where=text("released_at IS NULL"),
    ),
    Index("prescriber_hold_person", "person_id", "hold_id"),
)

# A change of a booking that scheduling proposed, until scheduling says what became of it.
session_change = Table(
    "session_change",
    metadata,
    identifier("change_id"),
    identifier("session_id"),
    identifier("person_id"),
    identifier("site_id"),
    code("kind"),
    Column("accepted", Boolean, nullable=False),
    moment("proposed_at"),
    moment("settled_at", nullable=True),
    PrimaryKeyConstraint("change_id", name="session_change_pk"),
    Index("session_change_pending", "session_id", postgresql_where=text("settled_at IS NULL")),
)
