"""A good-faith estimate on paper (45 CFR 149.610): services, codes, expected charges, what is left out, and the right to dispute."""

from datetime import datetime

from billing.printing.paper import Paper
from billing.printing.phrases import EXCLUSIONS, addressed_to, day, service, usd
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import types_pb2 as intake

_CODE_MM, _WHAT_MM, _UNITS_MM, _USD_MM = 24.0, 76.0, 20.0, 28.0


def estimate_pdf(estimate: types.Estimate, who: intake.PersonIdentity, at: datetime, dispute_above_usd: str) -> bytes:
    """The bytes of the PDF. The name and address are on it and nowhere else."""
    paper = Paper("Good-faith estimate", at)
    for text in addressed_to(who):
        paper.line(text)
    paper.line(f"Made {day(estimate.issued_on)}, valid until {day(estimate.valid_until)}.")
    paper.heading(f"{estimate.session_count} sessions", 2)
    _row(paper, "Code", "Service", "Units", "Each", "Amount", bold=True)
    for line in estimate.lines:
        _row(paper, line.code, service(line), line.units, usd(line.unit_price_usd), usd(line.amount_usd))
    _row(paper, "", "Expected in all", "", "", usd(estimate.total_usd), bold=True)
    paper.line(f"Prices of the list in force from {day(estimate.prices_effective_from)}.", small=True)
    if estimate.unpriced_codes:
        paper.line(f"Without charge at this site: {', '.join(estimate.unpriced_codes)}.", small=True)
    paper.heading("Not in this estimate", 2)
    for code in estimate.exclusion_codes:
        paper.line(EXCLUSIONS.get(code, code))
    paper.heading("Your rights", 2)
    paper.line(
        "This is an estimate, not a bill and not a contract. What you are charged may differ. If you are billed"
        f" ${dispute_above_usd} or more above it, you may dispute the bill."
    )
    return paper.content()


def _row(paper: Paper, code: str, what: str, units: str, each: str, amount: str, *, bold: bool = False) -> None:
    cells = [
        (code, _CODE_MM, "L"),
        (what, _WHAT_MM, "L"),
        (units, _UNITS_MM, "R"),
        (each, _USD_MM, "R"),
        (amount, _USD_MM, "R"),
    ]
    paper.row(cells, bold=bold)
