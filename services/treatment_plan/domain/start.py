"""Whether this pump may start this order now.

House policy, after the echo check of the Open PCA pump requirements: what the pump echoed is compared with the signed and rounded order,
number by number, as Decimal. Every difference and every absence is named, and any of them refuses.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from chassis.errors import Finding
from treatment_plan.domain.dose import Programme


@dataclass(frozen=True)
class EchoPolicy:
    """How old an echo may be, and how far ahead of clinic time a device's clock may be."""

    max_age: timedelta
    max_ahead: timedelta


@dataclass(frozen=True)
class Echo:
    """The programme as the pump reported it, unread text; empty where the pump did not report it."""

    drug_code: str
    concentration_mg_per_ml: str
    rate_ml_per_h: str
    vtbi_ml: str
    echoed_at: datetime
    # In dose mode the pump reports these too; all empty otherwise.
    weight_kg: str = ""
    dose_rate: str = ""
    dose_rate_unit: str = ""


@dataclass(frozen=True)
class OrderState:
    """What an order says about itself."""

    session_id: str
    expires_at: datetime
    used: bool
    revoked: bool


def order_findings(order: OrderState, session_id: str, clinic_time: datetime) -> list[Finding]:
    """What stands against using the order: another session, used, revoked, expired."""
    found = []
    if order.session_id != session_id:
        found.append(Finding("order_id", "the order must be of this session"))
    if order.used:
        found.append(Finding("order_id", "the order must be unused: it was used"))
    if order.revoked:
        found.append(Finding("order_id", "the order must be in force: it was revoked"))
    if clinic_time >= order.expires_at:
        found.append(Finding("order_id", "the order must be in force: it expired"))
    return found


def echo_findings(echo: Echo, ordered: Programme, clinic_time: datetime, policy: EchoPolicy) -> list[Finding]:
    """What stands against the echo: its age, and each of drug, concentration, rate and volume that is absent or differs."""
    found = []
    age = clinic_time - echo.echoed_at
    if age > policy.max_age:
        found.append(Finding("echoed_at", "the echo must be fresh: it is too old"))
    if -age > policy.max_ahead:
        found.append(Finding("echoed_at", "the echo must not be ahead of clinic time"))
    if not echo.drug_code:
        found.append(Finding("echoed_programme.drug_code", "the pump must echo it: absent"))
    elif echo.drug_code != ordered.drug_code:
        found.append(Finding("echoed_programme.drug_code", "must equal the order: differs"))
    for name, echoed, of_order in (
        ("concentration_mg_per_ml", echo.concentration_mg_per_ml, ordered.concentration_mg_per_ml),
        ("rate_ml_per_h", echo.rate_ml_per_h, ordered.rate_ml_per_h),
        ("vtbi_ml", echo.vtbi_ml, ordered.vtbi_ml),
    ):
        rule = number_rule(echoed, of_order)
        if rule:
            found.append(Finding(f"echoed_programme.{name}", rule))
    return found


def number_rule(echoed: str, ordered: Decimal) -> str:
    """The rule that an echoed number breaks, or the empty text. '60' and '60.0' are the same number."""
    if not echoed:
        return "the pump must echo it: absent"
    try:
        value = Decimal(echoed)
    except InvalidOperation:
        return "must be a decimal number"
    # A NaN equals nothing, so that it differs.
    return "" if value == ordered else "must equal the order: differs"
