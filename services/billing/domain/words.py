"""The words in which billing stores states, reasons and accounts."""

from typing import Final

CHARGED: Final = "charged"
HELD: Final = "held"
NOTHING: Final = "none"
CHARGE_STATES: Final = (CHARGED, HELD, NOTHING)

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

# Ledger accounts. A debit is positive, a credit negative.
RECEIVABLE: Final = "accounts_receivable"
CASH: Final = "cash"
REVENUE_PREFIX: Final = "revenue."

CHARGE: Final = "charge"
PAYMENT: Final = "payment"
TRANSACTION_KINDS: Final = (CHARGE, PAYMENT)

PAYMENT_METHODS: Final = ("card", "cash", "check", "transfer")
