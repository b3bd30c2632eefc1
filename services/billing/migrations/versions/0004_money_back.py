"""Credit, refunds, adjustments, packages of sessions and estimates, all of it on the same ledger."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MONEY = """
ALTER TABLE payment ADD COLUMN credit_usd numeric(14, 2) NOT NULL DEFAULT 0;
ALTER TABLE payment ADD CONSTRAINT payment_credit CHECK (credit_usd BETWEEN 0 AND amount_usd);
CREATE TABLE refund (
    refund_id uuid NOT NULL,
    payment_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    from_credit_usd numeric(14, 2) NOT NULL,
    method_code text NOT NULL,
    reason_code text NOT NULL,
    refunded_at timestamptz NOT NULL,
    CONSTRAINT refund_pkey PRIMARY KEY (refund_id),
    CONSTRAINT refund_positive CHECK (amount_usd > 0 AND from_credit_usd BETWEEN 0 AND amount_usd),
    CONSTRAINT refund_method CHECK (method_code IN ('card', 'cash', 'check', 'transfer')),
    CONSTRAINT refund_of_payment FOREIGN KEY(payment_id) REFERENCES payment (payment_id)
);
CREATE INDEX refund_by_payment ON refund (payment_id);
CREATE TABLE credit_use (
    credit_use_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    applied_at timestamptz NOT NULL,
    CONSTRAINT credit_use_pkey PRIMARY KEY (credit_use_id),
    CONSTRAINT credit_use_positive CHECK (amount_usd > 0),
    CONSTRAINT credit_use_of_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (invoice_id)
);
CREATE INDEX credit_use_by_invoice ON credit_use (invoice_id);
CREATE TABLE adjustment (
    adjustment_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind_code text NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    to_credit_usd numeric(14, 2) NOT NULL,
    reason_code text NOT NULL,
    adjusted_at timestamptz NOT NULL,
    CONSTRAINT adjustment_pkey PRIMARY KEY (adjustment_id),
    CONSTRAINT adjustment_positive CHECK (amount_usd > 0 AND to_credit_usd BETWEEN 0 AND amount_usd),
    CONSTRAINT adjustment_kind CHECK (kind_code IN ('credit_note', 'write_off', 'discount')),
    CONSTRAINT adjustment_of_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (invoice_id)
);
CREATE INDEX adjustment_by_invoice ON adjustment (invoice_id);
"""

PACKAGES = """
CREATE TABLE package (
    package_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    session_count integer NOT NULL,
    price_usd numeric(14, 2) NOT NULL,
    method_code text NOT NULL,
    valid_from date NOT NULL,
    valid_until date NOT NULL,
    sold_at timestamptz NOT NULL,
    ended_at timestamptz,
    refunded_usd numeric(14, 2) DEFAULT '0' NOT NULL,
    refund_method_code text,
    refund_reason_code text,
    CONSTRAINT package_pkey PRIMARY KEY (package_id),
    CONSTRAINT package_positive CHECK (session_count > 0 AND price_usd > 0 AND valid_from <= valid_until),
    CONSTRAINT package_refunded CHECK (refunded_usd BETWEEN 0 AND price_usd),
    CONSTRAINT package_method CHECK (method_code IN ('card', 'cash', 'check', 'transfer')),
    CONSTRAINT package_end_reason CHECK ((ended_at IS NULL) = (refund_reason_code IS NULL))
);
CREATE INDEX package_by_person ON package (person_id, site_id);
CREATE TABLE package_draw (
    package_id uuid NOT NULL,
    ordinal integer NOT NULL,
    charge_set_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    earned_usd numeric(14, 2) NOT NULL,
    covered_usd numeric(14, 2) NOT NULL,
    drawn_at timestamptz NOT NULL,
    CONSTRAINT package_draw_pkey PRIMARY KEY (package_id, ordinal),
    CONSTRAINT package_draw_one_a_set UNIQUE (charge_set_id),
    CONSTRAINT package_draw_positive CHECK (ordinal > 0 AND earned_usd >= 0 AND covered_usd >= 0),
    CONSTRAINT package_draw_of_package FOREIGN KEY(package_id) REFERENCES package (package_id),
    CONSTRAINT package_draw_of_set FOREIGN KEY(charge_set_id) REFERENCES charge_set (charge_set_id)
);
"""

ESTIMATES = """
CREATE TABLE estimate (
    estimate_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    plan_id uuid,
    session_count integer NOT NULL,
    infusion_minutes integer NOT NULL,
    price_list_id uuid NOT NULL,
    total_usd numeric(14, 2) NOT NULL,
    issued_on date NOT NULL,
    valid_until date NOT NULL,
    exclusion_codes text[] NOT NULL,
    unpriced_codes text[] NOT NULL,
    dispute_above_usd numeric(14, 2) NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT estimate_pkey PRIMARY KEY (estimate_id),
    CONSTRAINT estimate_positive CHECK (session_count > 0 AND infusion_minutes > 0 AND total_usd >= 0),
    CONSTRAINT estimate_by_list FOREIGN KEY(price_list_id) REFERENCES price_list (price_list_id)
);
CREATE INDEX estimate_by_person ON estimate (person_id, estimate_id);
CREATE TABLE estimate_line (
    estimate_id uuid NOT NULL,
    line_number integer NOT NULL,
    code text NOT NULL,
    units numeric NOT NULL,
    unit_price_usd numeric NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    CONSTRAINT estimate_line_pkey PRIMARY KEY (estimate_id, line_number),
    CONSTRAINT estimate_line_of_estimate FOREIGN KEY(estimate_id) REFERENCES estimate (estimate_id)
);
"""

LEDGER = """
ALTER TABLE ledger_transaction DROP CONSTRAINT ledger_transaction_kind;
ALTER TABLE ledger_transaction ADD CONSTRAINT ledger_transaction_kind CHECK (
    kind IN (
        'charge', 'payment', 'refund', 'adjustment', 'credit', 'void', 'rejection', 'package_sale', 'package_draw',
        'package_refund'
    )
);
CREATE INDEX ledger_transaction_by_person ON ledger_transaction (person_id, posted_at);
CREATE INDEX ledger_entry_by_person ON ledger_entry (person_id, site_id, account_code)
"""


def _run(statements: str) -> None:
    """One at a time: a prepared statement holds one. None of these holds a semicolon inside."""
    for statement in filter(str.strip, statements.split(";")):
        op.execute(statement)


def upgrade() -> None:
    for statements in (MONEY, PACKAGES, ESTIMATES, LEDGER):
        _run(statements)
