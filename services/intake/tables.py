"""What intake keeps about people. Who they are lies sealed; everything else is about an opaque id.

Times are clinic time in UTC, given by the command or event. The policy data that the rules read are in `policy_tables`.
"""

from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

metadata = MetaData()


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """A clinic time: with zone, and never a default of the server's clock."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def about_person() -> tuple[Column[Any], Column[Any]]:
    """The two columns that every table about a person has."""
    return Column("person_id", Uuid, nullable=False), Column("site_id", Uuid, nullable=False)


# Copied from scheduling, which owns sites.
site = Table(
    "site",
    metadata,
    Column("site_id", Uuid, nullable=False),
    Column("site_code", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    moment("opened_at"),
    PrimaryKeyConstraint("site_id", name="site_pk"),
)

# `site_id` is where the person was first entered.
person = Table(
    "person",
    metadata,
    *about_person(),
    Column("synthetic", Boolean, nullable=False),
    moment("registered_at"),
    PrimaryKeyConstraint("person_id", name="person_pk"),
)

# A person at a site: the identity as it was stated there and that site's record number, both sealed with the person's key.
registration = Table(
    "registration",
    metadata,
    *about_person(),
    Column("identity_sealed", LargeBinary, nullable=False),
    Column("record_number_sealed", LargeBinary, nullable=False),
    Column("record_number_token", LargeBinary, nullable=False),
    moment("registered_at"),
    Column("registered_by", Uuid, nullable=False),
    PrimaryKeyConstraint("person_id", "site_id", name="registration_pk"),
    UniqueConstraint("site_id", "record_number_token", name="registration_record_number"),
    ForeignKeyConstraint(["person_id"], ["person.person_id"], name="registration_person"),
    Index("registration_site", "site_id", "person_id"),
)

# Keyed digests of combinations of an identity: where two of them are equal, the identities are opened and compared.
match_token = Table(
    "match_token",
    metadata,
    *about_person(),
    Column("combination", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    PrimaryKeyConstraint("person_id", "site_id", "combination", name="match_token_pk"),
    ForeignKeyConstraint(["person_id"], ["person.person_id"], name="match_token_person"),
    Index("match_token_token", "token"),
)

# What was decided about a candidate, kept so that it can be looked at again.
match_decision = Table(
    "match_decision",
    metadata,
    *about_person(),
    Column("candidate_person_id", Uuid, nullable=False),
    Column("decision", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    moment("decided_at"),
    Column("decided_by", Uuid, nullable=False),
    PrimaryKeyConstraint("person_id", "site_id", "candidate_person_id", name="match_decision_pk"),
    CheckConstraint("decision IN ('same', 'not_same')", name="match_decision_decision"),
)

consent = Table(
    "consent",
    metadata,
    Column("consent_id", Uuid, nullable=False),
    *about_person(),
    Column("kind", Text, nullable=False),
    moment("granted_at"),
    moment("expires_at"),
    moment("withdrawn_at", nullable=True),
    Column("granted_by", Uuid, nullable=False),
    Column("withdrawn_by", Uuid, nullable=True),
    PrimaryKeyConstraint("consent_id", name="consent_pk"),
    CheckConstraint("kind IN ('ketamine_treatment', 'data_sharing')", name="consent_kind"),
    CheckConstraint("expires_at > granted_at", name="consent_term"),
    Index("consent_person", "person_id", "site_id"),
)

# `total` is null for a form without a total and for too few answers. `score` is as it is shown. Both it and `finding_codes` are null in
# the rows of the first release.
instrument_result = Table(
    "instrument_result",
    metadata,
    Column("result_id", Uuid, nullable=False),
    *about_person(),
    Column("instrument", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("total", Integer, nullable=True),
    Column("band", Text, nullable=False),
    Column("prorated", Boolean, nullable=False),
    Column("score", Text, nullable=True),
    Column("finding_codes", ARRAY(Text), nullable=True),
    moment("completed_at"),
    Column("completed_by", Uuid, nullable=False),
    PrimaryKeyConstraint("result_id", name="instrument_result_pk"),
    Index("instrument_result_person", "person_id", "instrument", "completed_at"),
)

instrument_answer = Table(
    "instrument_answer",
    metadata,
    Column("result_id", Uuid, nullable=False),
    *about_person(),
    Column("item", Text, nullable=False),
    Column("value", Integer, nullable=False),
    PrimaryKeyConstraint("result_id", "item", name="instrument_answer_pk"),
    ForeignKeyConstraint(["result_id"], ["instrument_result.result_id"], name="instrument_answer_result"),
)

# Free text counts as identifying, so notes are sealed; what refers to a note keeps its id.
note = Table(
    "note",
    metadata,
    Column("note_id", Uuid, nullable=False),
    *about_person(),
    Column("text_sealed", LargeBinary, nullable=False),
    moment("written_at"),
    Column("written_by", Uuid, nullable=False),
    PrimaryKeyConstraint("note_id", name="note_pk"),
)

# Open until a clinician's note clears it; a later lower score never does. `owner_id` is null for flags of the first release.
safety_flag = Table(
    "safety_flag",
    metadata,
    Column("flag_id", Uuid, nullable=False),
    *about_person(),
    Column("result_id", Uuid, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("blocks", Boolean, nullable=False),
    moment("raised_at"),
    moment("due_at"),
    moment("cleared_at", nullable=True),
    Column("cleared_by", Uuid, nullable=True),
    Column("note_id", Uuid, nullable=True),
    Column("owner_id", Uuid, nullable=True),
    PrimaryKeyConstraint("flag_id", name="safety_flag_pk"),
    ForeignKeyConstraint(["result_id"], ["instrument_result.result_id"], name="safety_flag_result"),
    ForeignKeyConstraint(["note_id"], ["note.note_id"], name="safety_flag_note"),
    CheckConstraint(
        "(cleared_at IS NULL) = (note_id IS NULL) AND (cleared_at IS NULL) = (cleared_by IS NULL)",
        name="safety_flag_cleared_with_note",
    ),
    Index("safety_flag_open", "person_id", postgresql_where=text("cleared_at IS NULL")),
    Index("safety_flag_site", "site_id", "due_at", "flag_id"),
)

diagnosis = Table(
    "diagnosis",
    metadata,
    Column("diagnosis_id", Uuid, nullable=False),
    *about_person(),
    Column("icd10cm_code", Text, nullable=False),
    Column("icd10cm_release", Text, nullable=False),
    moment("recorded_at"),
    Column("recorded_by", Uuid, nullable=False),
    PrimaryKeyConstraint("diagnosis_id", name="diagnosis_pk"),
    Index("diagnosis_person", "person_id"),
)

# A decision, for or against. `expires_at` is set for clearances only.
clearance = Table(
    "clearance",
    metadata,
    Column("clearance_id", Uuid, nullable=False),
    *about_person(),
    Column("indication", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    moment("decided_at"),
    moment("expires_at", nullable=True),
    Column("decided_by", Uuid, nullable=False),
    Column("monitoring_codes", ARRAY(Text), nullable=True),
    PrimaryKeyConstraint("clearance_id", name="clearance_pk"),
    CheckConstraint("outcome IN ('cleared', 'declined')", name="clearance_outcome"),
    CheckConstraint("(outcome = 'cleared') = (expires_at IS NOT NULL)", name="clearance_expiry"),
    Index("clearance_person", "person_id", "indication", "decided_at"),
)

# `answer`: what the person said. `accepted` and its reason: what a reviewer decided about a rule that is not met.
clearance_rule = Table(
    "clearance_rule",
    metadata,
    Column("clearance_id", Uuid, nullable=False),
    *about_person(),
    Column("position", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("met", Boolean, nullable=False),
    Column("source", Text, nullable=False),
    Column("answer", Text, nullable=True),
    Column("accepted", Boolean, nullable=True),
    Column("decision_reason_code", Text, nullable=True),
    PrimaryKeyConstraint("clearance_id", "position", name="clearance_rule_pk"),
    ForeignKeyConstraint(["clearance_id"], ["clearance.clearance_id"], name="clearance_rule_clearance"),
)

# What must be done about a person by a time: after a session, or because of a flag.
follow_up = Table(
    "follow_up",
    metadata,
    Column("follow_up_id", Uuid, nullable=False),
    *about_person(),
    Column("session_id", Uuid, nullable=True),
    Column("kind", Text, nullable=False),
    moment("due_at"),
    moment("done_at", nullable=True),
    Column("flag_id", Uuid, nullable=True),
    Column("done_by", Uuid, nullable=True),
    Column("outcome_code", Text, nullable=True),
    PrimaryKeyConstraint("follow_up_id", name="follow_up_pk"),
    UniqueConstraint("session_id", "kind", name="follow_up_once"),
    UniqueConstraint("flag_id", "kind", name="follow_up_flag_once"),
    ForeignKeyConstraint(["flag_id"], ["safety_flag.flag_id"], name="follow_up_flag"),
    CheckConstraint("kind IN ('after_session', 'cssrs', 'clinician_review')", name="follow_up_kind"),
    CheckConstraint("(session_id IS NULL) <> (flag_id IS NULL)", name="follow_up_about"),
    Index("follow_up_due", "due_at", postgresql_where=text("done_at IS NULL")),
)
