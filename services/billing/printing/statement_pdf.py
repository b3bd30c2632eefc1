"""A statement of account on paper: to whom, what was charged and paid, and what is owed."""

from datetime import datetime

from billing.printing.paper import Paper
from billing.printing.phrases import KINDS, REASONS, addressed_to, code, day, service, usd
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import types_pb2 as intake

_DATE_MM, _WHAT_MM, _USD_MM = 28.0, 92.0, 28.0


def statement_pdf(statement: types.Statement, who: intake.PersonIdentity, at: datetime) -> bytes:
    """The bytes of the PDF. The name and address are on it and nowhere else."""
    paper = Paper("Statement of account", at)
    for text in addressed_to(who):
        paper.line(text)
    paper.heading(f"{day(statement.from_date)} to {day(statement.until_date)}", 2)
    _row(paper, "Date", "Description", "Amount", "Balance", bold=True)
    _row(paper, day(statement.from_date), "Balance before", "", usd(statement.opening_usd))
    for line in statement.lines:
        _transaction(paper, line)
    _row(paper, day(statement.until_date), "Balance", "", usd(statement.closing_usd), bold=True)
    _sums(paper, statement)
    if statement.packages:
        _packages(paper, statement)
    return paper.content()


def _transaction(paper: Paper, line: types.StatementLine) -> None:
    what = KINDS.get(line.kind, line.kind)
    if line.service_date:
        what += f" of {day(line.service_date)}"
    if line.reason_code:
        what += f": {REASONS.get(line.reason_code, line.reason_code)}"
    _row(paper, day(line.posted_on), what, usd(line.amount_usd), usd(line.balance_usd))
    for part in line.lines:
        units = f"{part.units} x {usd(part.unit_price_usd)}" if not part.note_code else "no charge"
        drug = f", NDC {part.ndc}, {part.product_ml} mL" if part.ndc else ""
        paper.line(f"    {code(part)} {service(part)}{drug}: {units} = {usd(part.amount_usd)}", small=True)


def _sums(paper: Paper, statement: types.Statement) -> None:
    paper.heading("Summary", 2)
    for name, amount in (
        ("Balance before", statement.opening_usd),
        ("Charges", statement.charges_usd),
        ("Payments", f"-{statement.payments_usd}"),
        ("Refunds to you", statement.refunds_usd),
        ("Adjustments and package sessions", f"-{statement.adjustments_usd}"),
    ):
        _row(paper, "", name, usd(amount.replace("--", "")), "")
    closing = statement.closing_usd
    owed = "Your credit" if closing.startswith("-") else "Please pay"
    _row(paper, "", owed, usd(closing.lstrip("-")), "", bold=True)


def _packages(paper: Paper, statement: types.Statement) -> None:
    paper.heading("Packages of sessions", 2)
    for one in statement.packages:
        left = one.session_count - one.drawn_count if one.state == "open" else 0
        paper.line(
            f"{one.session_count} sessions for {usd(one.price_usd)}: {one.drawn_count} used, {left} left,"
            f" valid until {day(one.valid_until)}."
        )


def _row(paper: Paper, date: str, what: str, amount: str, balance: str, *, bold: bool = False) -> None:
    paper.row(
        [(date, _DATE_MM, "L"), (what, _WHAT_MM, "L"), (amount, _USD_MM, "R"), (balance, _USD_MM, "R")], bold=bold
    )
