"""Sites, accounts, prices, charges, invoices and estimates. The migrations make them; a test compares the two."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from billing.domain import words
from billing.schema import TIME, USD, metadata, one_of

# A copy, brought by SiteOpened: the zone says on which day a session was.
site = Table(
    "site",
    metadata,
    Column("site_id", Uuid, nullable=False),
    Column("time_zone", Text, nullable=False),
    PrimaryKeyConstraint("site_id", name="site_pkey"),
)

# Who can owe: ids only, brought by PatientRegistered.
account = Table(
    "account",
    metadata,
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("opened_at", TIME, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    PrimaryKeyConstraint("person_id", name="account_pkey"),
)

price_list = Table(
    "price_list",
    metadata,
    Column("price_list_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("published_at", TIME, nullable=False),
    PrimaryKeyConstraint("price_list_id", name="price_list_pkey"),
    UniqueConstraint("site_id", "effective_from", name="price_list_one_a_day"),
)

price_item = Table(
    "price_item",
    metadata,
    Column("price_list_id", Uuid, ForeignKey("price_list.price_list_id", name="price_item_of_list"), nullable=False),
    Column("code", Text, nullable=False),
    Column("unit_price_usd", Numeric, nullable=False),
    PrimaryKeyConstraint("price_list_id", "code", name="price_item_pkey"),
    CheckConstraint("unit_price_usd >= 0", name="price_item_not_negative"),
)

invoice = Table(
    "invoice",
    metadata,
    Column("invoice_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("total_usd", USD, nullable=False),
    Column("issued_at", TIME, nullable=False),
    Column("voided_at", TIME),
    Column("void_reason_code", Text),
    PrimaryKeyConstraint("invoice_id", name="invoice_pkey"),
    CheckConstraint("(voided_at IS NULL) = (void_reason_code IS NULL)", name="invoice_void_reason"),
    CheckConstraint("total_usd >= 0", name="invoice_not_negative"),
)

# One a session, evaluation or instrument, whatever came of it. The facts are kept as they came, so that a held set can be
# priced later; a number that was none is null. Times and drug are those of a session.
charge_set = Table(
    "charge_set",
    metadata,
    Column("charge_set_id", Uuid, nullable=False),
    Column("session_id", Uuid),
    Column("kind", Text, nullable=False, server_default=words.SESSION),
    Column("source_id", Uuid, nullable=False),
    # CPT of an evaluation, name of an instrument.
    Column("subject_code", Text, nullable=False, server_default=""),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("service_date", Date),
    # The start of the service; null in sets older than this column.
    Column("served_at", TIME),
    Column("stopped", Boolean, nullable=False),
    Column("delivering_seconds", BigInteger, nullable=False),
    Column("paused_seconds", BigInteger, nullable=False, server_default="0"),
    Column("delivered_mg", Numeric),
    Column("wasted_mg", Numeric),
    Column("vial_mg_per_ml", Numeric),
    Column("discrepancy", Boolean, nullable=False, server_default="false"),
    Column("ndc", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold_reason_code", Text, nullable=False),
    # Why nothing is charged.
    Column("note_code", Text, nullable=False, server_default=""),
    Column("total_usd", USD, nullable=False),
    Column("captured_at", TIME, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="charge_set_on_invoice")),
    PrimaryKeyConstraint("charge_set_id", name="charge_set_pkey"),
    UniqueConstraint("session_id", name="charge_set_one_a_session"),
    UniqueConstraint("kind", "source_id", name="charge_set_one_a_source"),
    CheckConstraint(one_of("kind", words.CHARGE_KINDS), name="charge_set_kind"),
    CheckConstraint(
        "(kind = 'session') = (session_id IS NOT NULL) AND coalesce(session_id = source_id, true)",
        name="charge_set_source",
    ),
    CheckConstraint("state = 'none' OR note_code = ''", name="charge_set_note"),
    CheckConstraint(one_of("state", words.CHARGE_STATES), name="charge_set_state"),
    CheckConstraint("(state = 'held') = (hold_reason_code <> '')", name="charge_set_hold_reason"),
    CheckConstraint("state = 'charged' OR (total_usd = 0 AND invoice_id IS NULL)", name="charge_set_total"),
    Index("charge_set_by_person", "person_id", "charge_set_id"),
    Index("charge_set_by_site", "site_id", "state", "service_date"),
    Index("charge_set_by_invoice", "invoice_id"),
)

charge_line = Table(
    "charge_line",
    metadata,
    Column("charge_set_id", Uuid, ForeignKey("charge_set.charge_set_id", name="charge_line_of_set"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("units", Numeric, nullable=False),
    Column("unit_price_usd", Numeric, nullable=False),
    Column("amount_usd", USD, nullable=False),
    Column("ndc", Text, nullable=False),
    Column("product_ml", Numeric(12, 2)),
    Column("modifier", Text, nullable=False, server_default=""),
    Column("note_code", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("charge_set_id", "line_number", name="charge_line_pkey"),
    UniqueConstraint("charge_set_id", "code", "modifier", name="charge_line_one_a_code"),
)

# What a biller decided about a held set, and from what. Nobody changes it later: the services have no right to.
charge_review = Table(
    "charge_review",
    metadata,
    Column("charge_review_id", Uuid, nullable=False),
    Column("charge_set_id", Uuid, ForeignKey("charge_set.charge_set_id", name="charge_review_of_set"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("decision", Text, nullable=False),
    Column("hold_reason_code", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("reviewed_by", Uuid, nullable=False),
    Column("reviewed_at", TIME, nullable=False),
    Column("delivering_seconds", BigInteger),
    Column("stopped_at", TIME),
    Column("source_code", Text),
    PrimaryKeyConstraint("charge_review_id", name="charge_review_pkey"),
    CheckConstraint(one_of("decision", words.DECISIONS), name="charge_review_decision"),
    CheckConstraint(
        "(delivering_seconds IS NULL) = (stopped_at IS NULL) AND (stopped_at IS NULL) = (source_code IS NULL)",
        name="charge_review_time",
    ),
    Index("charge_review_by_set", "charge_set_id"),
)

# The lines of an invoice as it was issued; the modifiers are decided then.
invoice_line = Table(
    "invoice_line",
    metadata,
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="invoice_line_of_invoice"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("charge_set_id", Uuid, ForeignKey("charge_set.charge_set_id", name="invoice_line_of_set"), nullable=False),
    Column("code", Text, nullable=False),
    Column("modifier", Text, nullable=False),
    Column("units", Numeric, nullable=False),
    Column("unit_price_usd", Numeric, nullable=False),
    Column("amount_usd", USD, nullable=False),
    Column("ndc", Text, nullable=False),
    Column("product_ml", Numeric(12, 2)),
    Column("note_code", Text, nullable=False),
    PrimaryKeyConstraint("invoice_id", "line_number", name="invoice_line_pkey"),
)

estimate = Table(
    "estimate",
    metadata,
    Column("estimate_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("plan_id", Uuid),
    Column("session_count", Integer, nullable=False),
    Column("infusion_minutes", Integer, nullable=False),
    Column("price_list_id", Uuid, ForeignKey("price_list.price_list_id", name="estimate_by_list"), nullable=False),
    Column("total_usd", USD, nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("exclusion_codes", ARRAY(Text), nullable=False),
    Column("unpriced_codes", ARRAY(Text), nullable=False),
    Column("dispute_above_usd", USD, nullable=False),
    Column("created_at", TIME, nullable=False),
    PrimaryKeyConstraint("estimate_id", name="estimate_pkey"),
    CheckConstraint("session_count > 0 AND infusion_minutes > 0 AND total_usd >= 0", name="estimate_positive"),
    Index("estimate_by_person", "person_id", "estimate_id"),
)

estimate_line = Table(
    "estimate_line",
    metadata,
    Column("estimate_id", Uuid, ForeignKey("estimate.estimate_id", name="estimate_line_of_estimate"), nullable=False),
    Column("line_number", Integer, nullable=False),
    Column("code", Text, nullable=False),
    Column("units", Numeric, nullable=False),
    Column("unit_price_usd", Numeric, nullable=False),
    Column("amount_usd", USD, nullable=False),
    PrimaryKeyConstraint("estimate_id", "line_number", name="estimate_line_pkey"),
)
