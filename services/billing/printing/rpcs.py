"""Prints an estimate or a statement with the name and address that intake has at this moment.

Neither reaches the database, a log or a span: they come in intake's answer and leave in ours.
"""

from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from billing.accounts import require_zone
from billing.estimates import estimate_message, estimate_row
from billing.statements import statement_message
from chassis.context import RequestContext
from chassis.index import RemoteQuery
from chassis.unit_of_work import UnitOfWork
from saguaro.billing.v1 import service_pb2 as pb
from saguaro.billing.v1 import types_pb2 as types
from saguaro.intake.v1 import service_pb2 as intake

ROLES = frozenset({"biller", "intake_clerk"})
TellT = TypeVar("TellT", types.Estimate, types.Statement)


class ToPrint(NamedTuple, Generic[TellT]):
    """What is printed, and when (clinic time)."""

    content: TellT
    at: datetime
    dispute_above_usd: str = ""


def prepare_estimate(uow: UnitOfWork, request: pb.PrintEstimateRequest) -> ToPrint[types.Estimate]:
    """The estimate. NotFound for one that was never made."""
    row = estimate_row(uow, UUID(request.estimate_id))
    return ToPrint(estimate_message(uow, row), uow.clinic_time, f"{row.dispute_above_usd:,.2f}")


def prepare_statement(uow: UnitOfWork, request: pb.PrintStatementRequest) -> ToPrint[types.Statement]:
    """The statement. NotFound for a person or site that is not on record."""
    if request.site_id:
        require_zone(uow, UUID(request.site_id))
    return ToPrint(statement_message(uow, request), uow.clinic_time)


def ask_who(peers: Any, _request: Any, question: ToPrint[Any], _context: RequestContext) -> intake.GetPersonResponse:
    """Who the person is and where they live: intake answers in the caller's own role, or refuses."""
    answer: intake.GetPersonResponse = peers.intake.GetPerson(
        intake.GetPersonRequest(person_id=question.content.person_id)
    )
    return answer


def print_estimate(
    _request: pb.PrintEstimateRequest, question: ToPrint[types.Estimate], who: intake.GetPersonResponse
) -> pb.PrintEstimateResponse:
    """The estimate as PDF."""
    # Late: workers import this module too, and never print.
    from billing.printing.estimate_pdf import estimate_pdf  # noqa: PLC0415

    return pb.PrintEstimateResponse(
        pdf=estimate_pdf(question.content, who.identity, question.at, question.dispute_above_usd)
    )


def print_statement(
    _request: pb.PrintStatementRequest, question: ToPrint[types.Statement], who: intake.GetPersonResponse
) -> pb.PrintStatementResponse:
    """The statement as PDF."""
    from billing.printing.statement_pdf import statement_pdf  # noqa: PLC0415

    return pb.PrintStatementResponse(pdf=statement_pdf(question.content, who.identity, question.at))


PRINT_ESTIMATE = RemoteQuery(
    "PrintEstimate", pb.PrintEstimateRequest, prepare_estimate, ask_who, print_estimate, roles=ROLES
)
PRINT_STATEMENT = RemoteQuery(
    "PrintStatement", pb.PrintStatementRequest, prepare_statement, ask_who, print_statement, roles=ROLES
)
