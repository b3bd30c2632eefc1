"""A practitioner saw the person: one charge set for the evaluation, beside whatever infusion there was."""

from uuid import UUID

from billing.accounts import await_account, await_zone
from billing.charges import keep_outcome, keep_source
from billing.domain import words
from billing.pricing import outcome_of
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, site_date
from saguaro.intake.v1 import events_pb2 as intake_events


def react(uow: UnitOfWork, event: intake_events.EvaluationRecorded) -> None:
    """Charges the evaluation's code, holds it, or says that it charges nothing. Early without the site's zone or the account."""
    whose = {"person_id": UUID(event.person_id), "site_id": UUID(event.site_id)}
    time_zone = await_zone(uow, whose["site_id"])
    await_account(uow, whose["person_id"])
    at = from_timestamp(event.evaluated_at)
    served = (at, site_date(at, time_zone))
    source_id = UUID(event.evaluation_id)
    kept = keep_source(uow, words.EVALUATION, source_id, whose, served, subject_code=event.cpt_code)
    if kept is not None:
        keep_outcome(uow, kept, outcome_of(uow, kept))
