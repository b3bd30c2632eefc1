"""Money in and out, packages, and the ledger under all of it."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)

from billing.domain import words
from billing.schema import TIME, USD, metadata, one_of

payment = Table(
    "payment",
    metadata,
    Column("payment_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="payment_of_invoice"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("amount_usd", USD, nullable=False),
    # The part of it that was beyond what was due.
    Column("credit_usd", USD, nullable=False, server_default="0"),
    Column("method_code", Text, nullable=False),
    Column("received_at", TIME, nullable=False),
    PrimaryKeyConstraint("payment_id", name="payment_pkey"),
    CheckConstraint("credit_usd BETWEEN 0 AND amount_usd", name="payment_credit"),
    CheckConstraint("amount_usd > 0", name="payment_positive"),
    CheckConstraint(one_of("method_code", words.PAYMENT_METHODS), name="payment_method"),
    Index("payment_by_invoice", "invoice_id"),
)

# Money of a payment that was given back: from the person's credit first, the rest makes the invoice due again.
refund = Table(
    "refund",
    metadata,
    Column("refund_id", Uuid, nullable=False),
    Column("payment_id", Uuid, ForeignKey("payment.payment_id", name="refund_of_payment"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("amount_usd", USD, nullable=False),
    Column("from_credit_usd", USD, nullable=False),
    Column("method_code", Text, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("refunded_at", TIME, nullable=False),
    PrimaryKeyConstraint("refund_id", name="refund_pkey"),
    CheckConstraint("amount_usd > 0 AND from_credit_usd BETWEEN 0 AND amount_usd", name="refund_positive"),
    CheckConstraint(one_of("method_code", words.PAYMENT_METHODS), name="refund_method"),
    Index("refund_by_payment", "payment_id"),
)

credit_use = Table(
    "credit_use",
    metadata,
    Column("credit_use_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="credit_use_of_invoice"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("amount_usd", USD, nullable=False),
    Column("applied_at", TIME, nullable=False),
    PrimaryKeyConstraint("credit_use_id", name="credit_use_pkey"),
    CheckConstraint("amount_usd > 0", name="credit_use_positive"),
    Index("credit_use_by_invoice", "invoice_id"),
)

adjustment = Table(
    "adjustment",
    metadata,
    Column("adjustment_id", Uuid, nullable=False),
    Column("invoice_id", Uuid, ForeignKey("invoice.invoice_id", name="adjustment_of_invoice"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("kind_code", Text, nullable=False),
    Column("amount_usd", USD, nullable=False),
    # The part of it that was paid already and became credit.
    Column("to_credit_usd", USD, nullable=False),
    Column("reason_code", Text, nullable=False),
    Column("adjusted_at", TIME, nullable=False),
    PrimaryKeyConstraint("adjustment_id", name="adjustment_pkey"),
    CheckConstraint("amount_usd > 0 AND to_credit_usd BETWEEN 0 AND amount_usd", name="adjustment_positive"),
    CheckConstraint(one_of("kind_code", words.ADJUSTMENT_KINDS), name="adjustment_kind"),
    Index("adjustment_by_invoice", "invoice_id"),
)

# Sessions paid in advance; each closed session draws one.
package = Table(
    "package",
    metadata,
    Column("package_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("session_count", Integer, nullable=False),
    Column("price_usd", USD, nullable=False),
    Column("method_code", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date, nullable=False),
    Column("sold_at", TIME, nullable=False),
    Column("ended_at", TIME),
    Column("refunded_usd", USD, nullable=False, server_default="0"),
    Column("refund_method_code", Text),
    Column("refund_reason_code", Text),
    PrimaryKeyConstraint("package_id", name="package_pkey"),
    CheckConstraint("session_count > 0 AND price_usd > 0 AND valid_from <= valid_until", name="package_positive"),
    CheckConstraint("refunded_usd BETWEEN 0 AND price_usd", name="package_refunded"),
    CheckConstraint(one_of("method_code", words.PAYMENT_METHODS), name="package_method"),
    CheckConstraint("(ended_at IS NULL) = (refund_reason_code IS NULL)", name="package_end_reason"),
    Index("package_by_person", "person_id", "site_id"),
)

package_draw = Table(
    "package_draw",
    metadata,
    Column("package_id", Uuid, ForeignKey("package.package_id", name="package_draw_of_package"), nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("charge_set_id", Uuid, ForeignKey("charge_set.charge_set_id", name="package_draw_of_set"), nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    # The part of the package's price that this session earned, and the charge that it covered.
    Column("earned_usd", USD, nullable=False),
    Column("covered_usd", USD, nullable=False),
    Column("drawn_at", TIME, nullable=False),
    PrimaryKeyConstraint("package_id", "ordinal", name="package_draw_pkey"),
    UniqueConstraint("charge_set_id", name="package_draw_one_a_set"),
    CheckConstraint("ordinal > 0 AND earned_usd >= 0 AND covered_usd >= 0", name="package_draw_positive"),
)

# The ledger: append-only, and each transaction sums to zero at its commit. Triggers of the migration see to both.
ledger_transaction = Table(
    "ledger_transaction",
    metadata,
    Column("transaction_id", Uuid, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    # The charge set, the payment, the refund ...: what the kind says.
    Column("source_id", Uuid, nullable=False),
    Column("posted_at", TIME, nullable=False),
    PrimaryKeyConstraint("transaction_id", name="ledger_transaction_pkey"),
    UniqueConstraint("kind", "source_id", name="ledger_transaction_once"),
    UniqueConstraint("transaction_id", "person_id", "site_id", name="ledger_transaction_whose"),
    CheckConstraint(one_of("kind", words.TRANSACTION_KINDS), name="ledger_transaction_kind"),
    Index("ledger_transaction_by_person", "person_id", "posted_at"),
)

ledger_entry = Table(
    "ledger_entry",
    metadata,
    Column("transaction_id", Uuid, nullable=False),
    Column("account_code", Text, nullable=False),
    Column("person_id", Uuid, nullable=False),
    Column("site_id", Uuid, nullable=False),
    # Debits are positive, credits negative.
    Column("amount_usd", USD, nullable=False),
    PrimaryKeyConstraint("transaction_id", "account_code", name="ledger_entry_pkey"),
    ForeignKeyConstraint(
        ("transaction_id", "person_id", "site_id"),
        ("ledger_transaction.transaction_id", "ledger_transaction.person_id", "ledger_transaction.site_id"),
        name="ledger_entry_of_transaction",
    ),
    CheckConstraint("amount_usd <> 0", name="ledger_entry_not_zero"),
    Index("ledger_entry_by_site", "site_id", "account_code"),
    Index("ledger_entry_by_person", "person_id", "site_id", "account_code"),
)
