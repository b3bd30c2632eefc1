"""What stable codes are called on paper, in plain words."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import types_pb2 as intake

CODES: Final[Mapping[str, str]] = {
    "96374": "Injection into a vein",
    "96365": "Infusion, first hour",
    "96366": "Infusion, further hour",
    "96127": "Questionnaire, scored",
    "J3490": "Drug given",
}
_EVALUATION: Final = "Visit with a practitioner"
_DISCARDED: Final = "Drug discarded"
_EVALUATIONS: Final = "99"

KINDS: Final[Mapping[str, str]] = {
    "charge": "Service",
    "payment": "Payment, thank you",
    "refund": "Refund",
    "adjustment": "Adjustment",
    "void": "Invoice taken back",
    "package_sale": "Package of sessions, paid in full",
    "package_draw": "Covered by a package",
    "package_refund": "Package given back",
}
REASONS: Final[Mapping[str, str]] = {
    "overpayment": "paid too much",
    "charged_in_error": "charged in error",
    "service_not_given": "service not given",
    "goodwill": "goodwill",
    "duplicate_payment": "paid twice",
    "hardship": "financial hardship",
    "uncollectible": "not collectible",
    "small_balance": "small balance",
    "prompt_payment": "prompt payment",
    "issued_in_error": "issued in error",
    "wrong_codes": "corrected codes",
    "wrong_person": "issued to the wrong account",
    "plan_ended": "plan ended",
    "moved_away": "moved away",
    "expired": "expired",
}
EXCLUSIONS: Final[Mapping[str, str]] = {
    "other_providers": "Services of other providers and facilities.",
    "emergency_care": "Emergency care and transport.",
    "laboratory": "Laboratory tests and imaging.",
    "prescriptions": "Prescriptions that you fill at a pharmacy.",
    "dose_changes": "A longer infusion or more sessions, if your prescriber changes the plan.",
}


def usd(text: str) -> str:
    """'1234.50' is '$1,234.50'; below zero '-$10.00'."""
    value = Decimal(text)
    return f"{'-' if value < 0 else ''}${abs(value):,.2f}"


def day(text: str) -> str:
    """'2026-07-15' is 'Jul 15, 2026'."""
    found = date.fromisoformat(text)
    return f"{found:%b} {found.day}, {found.year}"


def service(line: types.ChargeLine) -> str:
    """What a line is for."""
    if line.modifier == "JW":
        return _DISCARDED
    return CODES.get(line.code) or (_EVALUATION if line.code.startswith(_EVALUATIONS) else "Service")


def code(line: types.ChargeLine) -> str:
    """The code with its modifier: '99214-25'."""
    return f"{line.code}-{line.modifier}" if line.modifier else line.code


def addressed_to(who: intake.PersonIdentity) -> list[str]:
    """The lines of the address."""
    return [
        f"{who.given_name} {who.family_name}",
        who.address_line,
        f"{who.city}, {who.state} {who.postal_code}",
    ]
