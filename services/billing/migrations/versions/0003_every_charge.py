"""Evaluations and instruments are charged beside sessions; held charges are reviewed; an invoice keeps its lines."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CHARGES = """
ALTER TABLE charge_set ALTER COLUMN session_id DROP NOT NULL;
ALTER TABLE charge_set ADD COLUMN kind text NOT NULL DEFAULT 'session';
ALTER TABLE charge_set ADD COLUMN source_id uuid;
UPDATE charge_set SET source_id = session_id;
ALTER TABLE charge_set ALTER COLUMN source_id SET NOT NULL;
ALTER TABLE charge_set ADD COLUMN subject_code text NOT NULL DEFAULT '';
ALTER TABLE charge_set ADD COLUMN served_at timestamptz;
ALTER TABLE charge_set ADD COLUMN paused_seconds bigint NOT NULL DEFAULT 0;
ALTER TABLE charge_set ADD COLUMN wasted_mg numeric;
ALTER TABLE charge_set ADD COLUMN discrepancy boolean NOT NULL DEFAULT false;
ALTER TABLE charge_set ADD COLUMN note_code text NOT NULL DEFAULT '';
ALTER TABLE charge_set DROP CONSTRAINT charge_set_state;
ALTER TABLE charge_set ADD CONSTRAINT charge_set_state CHECK (state IN ('charged', 'held', 'none', 'rejected'));
ALTER TABLE charge_set ADD CONSTRAINT charge_set_one_a_source UNIQUE (kind, source_id);
ALTER TABLE charge_set ADD CONSTRAINT charge_set_kind CHECK (kind IN ('session', 'evaluation', 'assessment'));
ALTER TABLE charge_set ADD CONSTRAINT charge_set_source CHECK (
    (kind = 'session') = (session_id IS NOT NULL) AND coalesce(session_id = source_id, true)
);
ALTER TABLE charge_set ADD CONSTRAINT charge_set_note CHECK (state = 'none' OR note_code = '');
ALTER TABLE charge_line ADD COLUMN modifier text NOT NULL DEFAULT '';
ALTER TABLE charge_line ADD COLUMN note_code text NOT NULL DEFAULT '';
ALTER TABLE charge_line DROP CONSTRAINT charge_line_one_a_code;
ALTER TABLE charge_line ADD CONSTRAINT charge_line_one_a_code UNIQUE (charge_set_id, code, modifier);
"""

INVOICES = """
ALTER TABLE invoice ADD COLUMN voided_at timestamptz;
ALTER TABLE invoice ADD COLUMN void_reason_code text;
ALTER TABLE invoice ADD CONSTRAINT invoice_void_reason CHECK ((voided_at IS NULL) = (void_reason_code IS NULL));
CREATE TABLE charge_review (
    charge_review_id uuid NOT NULL,
    charge_set_id uuid NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    decision text NOT NULL,
    hold_reason_code text NOT NULL,
    reason_code text NOT NULL,
    reviewed_by uuid NOT NULL,
    reviewed_at timestamptz NOT NULL,
    delivering_seconds bigint,
    stopped_at timestamptz,
    source_code text,
    CONSTRAINT charge_review_pkey PRIMARY KEY (charge_review_id),
    CONSTRAINT charge_review_decision CHECK (decision IN ('released', 'rejected')),
    CONSTRAINT charge_review_time CHECK (
        (delivering_seconds IS NULL) = (stopped_at IS NULL)
        AND (stopped_at IS NULL) = (source_code IS NULL)
    ),
    CONSTRAINT charge_review_of_set FOREIGN KEY(charge_set_id) REFERENCES charge_set (charge_set_id)
);
CREATE INDEX charge_review_by_set ON charge_review (charge_set_id);
CREATE TABLE invoice_line (
    invoice_id uuid NOT NULL,
    line_number integer NOT NULL,
    charge_set_id uuid NOT NULL,
    code text NOT NULL,
    modifier text NOT NULL,
    units numeric NOT NULL,
    unit_price_usd numeric NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    ndc text NOT NULL,
    product_ml numeric(12, 2),
    note_code text NOT NULL,
    CONSTRAINT invoice_line_pkey PRIMARY KEY (invoice_id, line_number),
    CONSTRAINT invoice_line_of_invoice FOREIGN KEY(invoice_id) REFERENCES invoice (invoice_id),
    CONSTRAINT invoice_line_of_set FOREIGN KEY(charge_set_id) REFERENCES charge_set (charge_set_id)
);
INSERT INTO invoice_line (
    invoice_id, line_number, charge_set_id, code, modifier, units, unit_price_usd, amount_usd, ndc, product_ml, note_code
)
SELECT invoice_id, row_number() OVER (PARTITION BY invoice_id ORDER BY charge_set_id, line_number), charge_set_id, code,
    modifier, units, unit_price_usd, charge_line.amount_usd, charge_line.ndc, product_ml, charge_line.note_code
FROM charge_line JOIN charge_set USING (charge_set_id) WHERE invoice_id IS NOT NULL;
REVOKE UPDATE, DELETE, TRUNCATE ON charge_review, invoice_line FROM billing_api, billing_worker
"""


def _run(statements: str) -> None:
    """One at a time: a prepared statement holds one. None of these holds a semicolon inside."""
    for statement in filter(str.strip, statements.split(";")):
        op.execute(statement)


def upgrade() -> None:
    _run(CHARGES)
    _run(INVOICES)
