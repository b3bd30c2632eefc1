"""The tables of billing. The migration makes them; a test compares the two."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from billing.domain import words

metadata = MetaData()
_TIME = DateTime(timezone=True)
# Whole cents. Unit prices and quantities keep the digits that they were written with.
_USD = Numeric(14, 2)


def _one_of(column: str, allowed: tuple[str, ...]) -> str:
    return f"{column} IN ({', '.join(repr(word) for word in allowed)})"


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
    Column("opened_at", _TIME, nullable=False),
    Column("synthetic", Boolean, nullable=False),
    PrimaryKeyConstraint("person_id", name="account_pkey"),
)

# One row a version; the version of a day is the latest that began by then.
coding_policy = Table(
    "coding_policy",
    metadata,
    Column("effective_from", Date, nullable=False),
    Column("push_code", Text, nullable=False),
    Column("push_from_min", Integer, nullable=False),
    Column("initial_code", Text, nullable=False),
    Column("initial_from_min", Integer, nullable=False),
    Column("initial_covers_min", Integer, nullable=False),
    Column("additional_code", Text, nullable=False),
    Column("additional_unit_min", Integer, nullable=False),
    Column("additional_beyond_min", Integer, nullable=False),
    Column("drug_code", Text, nullable=False),
    Column("drug_units", Numeric, nullable=False),
    Column("review_state", Text, nullable=False),
    PrimaryKeyConstraint("effective_from", name="coding_policy_pkey"),
    CheckConstraint(
        "0 < push_from_min AND push_from_min < initial_from_min AND initial_from_min <= initial_covers_min",
        name="coding_policy_order",
    ),
    CheckConstraint("additional_beyond_min BETWEEN 0 AND additional_unit_min - 1", name="coding_policy_additional"),
    CheckConstraint("drug_units > 0", name="coding_policy_drug"),
)

price_list = Table(
    "price_list",
    metadata,
    Column("price_list_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("published_at", _TIME, nullable=False),
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
    Column("total_usd", _USD, nullable=False),
    Column("issued_at", _TIME, nullable=False),
    PrimaryKeyConstraint("invoice_id", name="invoice_pkey"),
    CheckConstraint("total_usd >= 0", name="invoice_not_negative"),
)

# One a session, whatever came of it. The facts are kept as they came, so that a held set can be priced later; a number
# that was none is null.
charge_set = Table(
    "charge_set",
    metadata,
    Column("charge_set_id", Uuid, nullable=False),
    Column("session_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("service_date", Date),
    Column("stopped", Boolean, nullable=False),
    Column("delivering_seconds", BigInteger, nullable=False),
    Column("delivered_mg", Numeric),
    Column("vial_mg_per_ml", Numeric),
    Column("ndc", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold_reason_code", Text, nullable=False),
    Column("total_usd", _USD, nullable=False),
    Column("captured_at", _TIME, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="charge_set_on_invoice")),
    PrimaryKeyConstraint("charge_set_id", name="charge_set_pkey"),
    UniqueConstraint("session_id", name="charge_set_one_a_session"),
    CheckConstraint(_one_of("state", words.CHARGE_STATES), name="charge_set_state"),
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
    Column("amount_usd", _USD, nullable=False),
    Column("ndc", Text, nullable=False),
    Column("product_ml", Numeric(12, 2)),
    PrimaryKeyConstraint("charge_set_id", "line_number", name="charge_line_pkey"),
    UniqueConstraint("charge_set_id", "code", name="charge_line_one_a_code"),
)

payment = Table(
    "payment",
    metadata,
    Column("payment_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="payment_of_invoice"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("amount_usd", _USD, nullable=False),
    Column("method_code", Text, nullable=False),
    Column("received_at", _TIME, nullable=False),
    PrimaryKeyConstraint("payment_id", name="payment_pkey"),
    CheckConstraint("amount_usd > 0", name="payment_positive"),
    CheckConstraint(_one_of("method_code", words.PAYMENT_METHODS), name="payment_method"),
    Index("payment_by_invoice", "invoice_id"),
)

# The ledger: append-only, and each transaction sums to zero at its commit. Triggers of the migration see to both.
ledger_transaction = Table(
    "ledger_transaction",
    metadata,
    Column("transaction_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # The charge set or the payment.
    Column("source_id", Uuid, nullable=False),
    Column("posted_at", _TIME, nullable=False),
    PrimaryKeyConstraint("transaction_id", name="ledger_transaction_pkey"),
    UniqueConstraint("kind", "source_id", name="ledger_transaction_once"),
    UniqueConstraint("transaction_id", "person_id", "site_id", name="ledger_transaction_whose"),
    CheckConstraint(_one_of("kind", words.TRANSACTION_KINDS), name="ledger_transaction_kind"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("transaction_id", Uuid, nullable=False),
    Column("account_code", Text, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    # Debits are positive, credits negative.
    Column("amount_usd", _USD, nullable=False),
    PrimaryKeyConstraint("transaction_id", "account_code", name="ledger_entry_pkey"),
    ForeignKeyConstraint(
        ("transaction_id", "person_id", "site_id"),
        ("ledger_transaction.transaction_id", "ledger_transaction.person_id", "ledger_transaction.site_id"),
        name="ledger_entry_of_transaction",
    ),
    CheckConstraint("amount_usd <> 0", name="ledger_entry_not_zero"),
    Index("ledger_entry_by_site", "site_id", "account_code"),
)
