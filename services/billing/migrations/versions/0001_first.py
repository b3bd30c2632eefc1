"""Price lists, charges, invoices, payments, and a ledger that cannot go out of balance."""

from alembic import op

from chassis.plumbing import create_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

COPIES = """
CREATE TABLE site (
    site_id uuid NOT NULL CONSTRAINT site_pkey PRIMARY KEY,
    time_zone text NOT NULL
);
CREATE TABLE account (
    person_id uuid NOT NULL CONSTRAINT account_pkey PRIMARY KEY,
    site_id uuid NOT NULL,
    opened_at timestamptz NOT NULL,
    synthetic boolean NOT NULL
);
"""

# AMA CPT and HCPCS, intravenous push and infusion; see domain/coding.py.
CODING = """
CREATE TABLE coding_policy (
    effective_from date NOT NULL CONSTRAINT coding_policy_pkey PRIMARY KEY,
    push_code text NOT NULL,
    push_from_min integer NOT NULL,
    initial_code text NOT NULL,
    initial_from_min integer NOT NULL,
    initial_covers_min integer NOT NULL,
    additional_code text NOT NULL,
    additional_unit_min integer NOT NULL,
    additional_beyond_min integer NOT NULL,
    drug_code text NOT NULL,
    drug_units numeric NOT NULL,
    review_state text NOT NULL,
    CONSTRAINT coding_policy_order CHECK (
        0 < push_from_min AND push_from_min < initial_from_min AND initial_from_min <= initial_covers_min
    ),
    CONSTRAINT coding_policy_additional CHECK (additional_beyond_min BETWEEN 0 AND additional_unit_min - 1),
    CONSTRAINT coding_policy_drug CHECK (drug_units > 0)
);
INSERT INTO coding_policy (
    effective_from, push_code, push_from_min, initial_code, initial_from_min, initial_covers_min, additional_code,
    additional_unit_min, additional_beyond_min, drug_code, drug_units, review_state
) VALUES ('2020-01-01', '96374', 1, '96365', 16, 60, '96366', 60, 30, 'J3490', 1, 'default, to be reviewed');
CREATE TABLE price_list (
    price_list_id uuid NOT NULL CONSTRAINT price_list_pkey PRIMARY KEY,
    site_id uuid NOT NULL,
    effective_from date NOT NULL,
    published_at timestamptz NOT NULL,
    CONSTRAINT price_list_one_a_day UNIQUE (site_id, effective_from)
);
CREATE TABLE price_item (
    price_list_id uuid NOT NULL CONSTRAINT price_item_of_list REFERENCES price_list,
    code text NOT NULL,
    unit_price_usd numeric NOT NULL CONSTRAINT price_item_not_negative CHECK (unit_price_usd >= 0),
    CONSTRAINT price_item_pkey PRIMARY KEY (price_list_id, code)
);
"""

CHARGES = """
CREATE TABLE invoice (
    invoice_id uuid NOT NULL CONSTRAINT invoice_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    total_usd numeric(14, 2) NOT NULL CONSTRAINT invoice_not_negative CHECK (total_usd >= 0),
    issued_at timestamptz NOT NULL
);
CREATE TABLE charge_set (
    charge_set_id uuid NOT NULL CONSTRAINT charge_set_pkey PRIMARY KEY,
    session_id uuid NOT NULL CONSTRAINT charge_set_one_a_session UNIQUE,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    service_date date,
    stopped boolean NOT NULL,
    delivering_seconds bigint NOT NULL,
    delivered_mg numeric,
    vial_mg_per_ml numeric,
    ndc text NOT NULL,
    state text NOT NULL CONSTRAINT charge_set_state CHECK (state IN ('charged', 'held', 'none')),
    hold_reason_code text NOT NULL,
    total_usd numeric(14, 2) NOT NULL,
    captured_at timestamptz NOT NULL,
    invoice_id uuid CONSTRAINT charge_set_on_invoice REFERENCES invoice,
    CONSTRAINT charge_set_hold_reason CHECK ((state = 'held') = (hold_reason_code <> '')),
    CONSTRAINT charge_set_total CHECK (state = 'charged' OR (total_usd = 0 AND invoice_id IS NULL))
);
CREATE INDEX charge_set_by_person ON charge_set (person_id, charge_set_id);
CREATE INDEX charge_set_by_site ON charge_set (site_id, state, service_date);
CREATE INDEX charge_set_by_invoice ON charge_set (invoice_id);
CREATE TABLE charge_line (
    charge_set_id uuid NOT NULL CONSTRAINT charge_line_of_set REFERENCES charge_set,
    line_number integer NOT NULL,
    code text NOT NULL,
    units numeric NOT NULL,
    unit_price_usd numeric NOT NULL,
    amount_usd numeric(14, 2) NOT NULL,
    ndc text NOT NULL,
    product_ml numeric(12, 2),
    CONSTRAINT charge_line_pkey PRIMARY KEY (charge_set_id, line_number),
    CONSTRAINT charge_line_one_a_code UNIQUE (charge_set_id, code)
);
CREATE TABLE payment (
    payment_id uuid NOT NULL CONSTRAINT payment_pkey PRIMARY KEY,
    invoice_id uuid NOT NULL CONSTRAINT payment_of_invoice REFERENCES invoice,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    amount_usd numeric(14, 2) NOT NULL CONSTRAINT payment_positive CHECK (amount_usd > 0),
    method_code text NOT NULL
        CONSTRAINT payment_method CHECK (method_code IN ('card', 'cash', 'check', 'transfer')),
    received_at timestamptz NOT NULL
);
CREATE INDEX payment_by_invoice ON payment (invoice_id);
"""

LEDGER = """
CREATE TABLE ledger_transaction (
    transaction_id uuid NOT NULL CONSTRAINT ledger_transaction_pkey PRIMARY KEY,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ledger_transaction_kind CHECK (kind IN ('charge', 'payment')),
    source_id uuid NOT NULL,
    posted_at timestamptz NOT NULL,
    CONSTRAINT ledger_transaction_once UNIQUE (kind, source_id),
    CONSTRAINT ledger_transaction_whose UNIQUE (transaction_id, person_id, site_id)
);
CREATE TABLE ledger_entry (
    transaction_id uuid NOT NULL,
    account_code text NOT NULL,
    person_id uuid NOT NULL,
    site_id uuid NOT NULL,
    amount_usd numeric(14, 2) NOT NULL CONSTRAINT ledger_entry_not_zero CHECK (amount_usd <> 0),
    CONSTRAINT ledger_entry_pkey PRIMARY KEY (transaction_id, account_code),
    CONSTRAINT ledger_entry_of_transaction FOREIGN KEY (transaction_id, person_id, site_id)
        REFERENCES ledger_transaction (transaction_id, person_id, site_id)
);
CREATE INDEX ledger_entry_by_site ON ledger_entry (site_id, account_code);
"""

# The functions name their own search path, so that nothing a caller puts before it is looked at.
GUARDS = (
    """
    CREATE FUNCTION ledger_check_balance() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        IF (SELECT count(*) < 2 OR sum(amount_usd) <> 0 FROM ledger_entry WHERE transaction_id = NEW.transaction_id)
        THEN
            RAISE EXCEPTION 'a ledger transaction has two entries or more, and they sum to zero'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_balance', TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END $$
    """,
    """
    CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is append-only: post a transaction that corrects'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'ledger_append_only', TABLE = TG_TABLE_NAME;
    END $$
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_entry_balance AFTER INSERT ON ledger_entry
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balance()
    """,
    """
    CREATE CONSTRAINT TRIGGER ledger_transaction_balance AFTER INSERT ON ledger_transaction
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_balance()
    """,
    """
    CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()
    """,
    """
    CREATE TRIGGER ledger_transaction_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transaction
        FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change()
    """,
    # Beside the triggers, which the owner of the tables alone could take away: no right to ask.
    "REVOKE UPDATE, DELETE, TRUNCATE ON ledger_entry, ledger_transaction FROM billing_api, billing_worker",
)


def upgrade() -> None:
    create_plumbing(op)
    # One at a time: a prepared statement holds one. None of these holds a semicolon inside.
    for statements in (COPIES, CODING, CHARGES, LEDGER):
        for statement in filter(str.strip, statements.split(";")):
            op.execute(statement)
    for statement in GUARDS:
        op.execute(statement)
