"""The policy tables of revision 0001. Frozen with it: later changes are later revisions."""

TABLES = """
CREATE TABLE policy_value (
    code text NOT NULL,
    value numeric(12, 4) NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT policy_value_pk PRIMARY KEY (code, effective_from)
);
CREATE TABLE instrument_form (
    instrument text NOT NULL,
    version text NOT NULL,
    max_missing integer NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT instrument_form_pk PRIMARY KEY (instrument, version, effective_from)
);
CREATE TABLE instrument_item (
    instrument text NOT NULL,
    version text NOT NULL,
    position integer NOT NULL,
    item text NOT NULL,
    lowest integer NOT NULL,
    highest integer NOT NULL,
    level text NOT NULL,
    loinc text NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT instrument_item_pk PRIMARY KEY (instrument, version, item, effective_from),
    CONSTRAINT instrument_item_level CHECK (level IN ('', 'low', 'moderate', 'high'))
);
CREATE TABLE instrument_band (
    instrument text NOT NULL,
    version text NOT NULL,
    code text NOT NULL,
    lowest integer NOT NULL,
    highest integer NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT instrument_band_pk PRIMARY KEY (instrument, version, code, effective_from),
    CONSTRAINT instrument_band_range CHECK (lowest <= highest)
);
CREATE TABLE flag_policy (
    reason_code text NOT NULL,
    blocks boolean NOT NULL,
    due_minutes integer,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT flag_policy_pk PRIMARY KEY (reason_code, effective_from)
);
CREATE TABLE diagnosis_group (
    indication text NOT NULL,
    code_group text NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT diagnosis_group_pk PRIMARY KEY (indication, code_group, effective_from)
);
CREATE TABLE contraindication (
    code text NOT NULL,
    level text NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT contraindication_pk PRIMARY KEY (code, effective_from),
    CONSTRAINT contraindication_level CHECK (level IN ('block', 'review'))
);
CREATE TABLE gate_rule (
    gate text NOT NULL,
    code text NOT NULL,
    position integer NOT NULL,
    level text NOT NULL,
    effective_from timestamptz NOT NULL,
    effective_until timestamptz,
    source text NOT NULL,
    status text NOT NULL,
    CONSTRAINT gate_rule_pk PRIMARY KEY (gate, code, effective_from),
    CONSTRAINT gate_rule_gate CHECK (gate IN ('clearance', 'start')),
    CONSTRAINT gate_rule_level CHECK (level IN ('block', 'review'))
);
"""
