"""The words in which billing stores states, reasons and accounts."""

from typing import Final

CHARGED: Final = "charged"
HELD: Final = "held"
NOTHING: Final = "none"
REJECTED: Final = "rejected"
CHARGE_STATES: Final = (CHARGED, HELD, NOTHING, REJECTED)

# What a charge set is for: an infusion that ended, an evaluation and management visit, a completed instrument.
SESSION: Final = "session"
EVALUATION: Final = "evaluation"
ASSESSMENT: Final = "assessment"
CHARGE_KINDS: Final = (SESSION, EVALUATION, ASSESSMENT)

# Why a charge set is held for review: stable codes.
NO_START_TIME: Final = "start_time.missing"
NO_STOP_TIME: Final = "stop_time.missing"
BAD_DELIVERING_TIME: Final = "delivering_seconds.invalid"
BAD_DELIVERED_MG: Final = "delivered_mg.invalid"
BAD_VIAL_CONCENTRATION: Final = "vial_concentration.invalid"
BAD_NDC: Final = "ndc.invalid"
NO_CODE_POLICY: Final = "code_policy.missing"
NO_PRICE_LIST: Final = "price_list.missing"
NO_PRICE: Final = "price.missing"
DISCREPANCY: Final = "volume.discrepancy"
BAD_CODE: Final = "evaluation_code.unknown"
# A person can establish these from the record.
TIME_TO_ESTABLISH: Final = (NO_STOP_TIME, BAD_DELIVERING_TIME)

# Why nothing is charged: stable codes. A missing price of an optional code is NO_PRICE here.
NOT_BILLABLE: Final = "instrument.not_billable"
REPEATED: Final = "instrument.repeated"
CAP_REACHED: Final = "cap.reached"

# CPT and HCPCS modifiers.
SEPARATE_EVALUATION: Final = "25"
DISCARDED_DRUG: Final = "JW"

RELEASED: Final = "released"
DECISIONS: Final = (RELEASED, REJECTED)

# Ledger accounts. A debit is positive, a credit negative.
RECEIVABLE: Final = "accounts_receivable"
CASH: Final = "cash"
# What the clinic owes people: money that was paid beyond what was due.
CREDIT: Final = "customer_credit"
# What was paid for sessions that are not given yet.
DEFERRED: Final = "deferred_revenue"
# The difference of a package's sessions to their list prices.
PACKAGE_DISCOUNT: Final = "package_discount"
# What a package's end left with the clinic.
BREAKAGE: Final = "package_breakage"
REVENUE_PREFIX: Final = "revenue."
ADJUSTMENT_PREFIX: Final = "adjustments."

CHARGE: Final = "charge"
PAYMENT: Final = "payment"
REFUND: Final = "refund"
ADJUSTMENT: Final = "adjustment"
CREDIT_USE: Final = "credit"
VOID: Final = "void"
REJECTION: Final = "rejection"
PACKAGE_SALE: Final = "package_sale"
PACKAGE_DRAW: Final = "package_draw"
PACKAGE_REFUND: Final = "package_refund"
TRANSACTION_KINDS: Final = (
    CHARGE,
    PAYMENT,
    REFUND,
    ADJUSTMENT,
    CREDIT_USE,
    VOID,
    REJECTION,
    PACKAGE_SALE,
    PACKAGE_DRAW,
    PACKAGE_REFUND,
)

PAYMENT_METHODS: Final = ("card", "cash", "check", "transfer")
ADJUSTMENT_KINDS: Final = ("credit_note", "write_off", "discount")
# May be more than what is due: what was paid beyond becomes credit.
CREDIT_NOTE: Final = "credit_note"

# Codes of the single numbers of the policy.
DAILY_UNIT_CAP: Final = "assessment.daily_unit_cap"
DISCREPANCY_HOLDS: Final = "session.discrepancy_holds"
ESTIMATE_VALID: Final = "estimate.valid"
DISPUTE_ABOVE: Final = "estimate.dispute_above"
PACKAGE_VALID: Final = "package.valid"
PACKAGE_REFUND_SHARE: Final = "package.refund_share"
PACKAGE_EXPIRED_REFUND_SHARE: Final = "package.expired_refund_share"
