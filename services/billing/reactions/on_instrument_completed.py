"""A person answered an instrument: one charge set for it, once a day for each instrument, up to the policy's cap."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select

from billing.accounts import await_account, await_zone
from billing.charges import keep_outcome, keep_source
from billing.domain import words
from billing.domain.visits import AssessmentRule, ChargedThatDay, charge_assessment
from billing.policy_tables import policy_number
from billing.pricing import assessment_rule, price_list_on
from billing.tables import charge_line, charge_set
from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from chassis.values import from_timestamp, site_date
from saguaro.intake.v1 import events_pb2 as intake_events

_Served = tuple[datetime, date]


def react(uow: UnitOfWork, event: intake_events.InstrumentCompleted) -> None:
    """Charges the instrument, or says why it charges nothing. Early while the site's zone or the person's account is not there."""
    whose = {"person_id": UUID(event.person_id), "site_id": UUID(event.site_id)}
    time_zone = await_zone(uow, whose["site_id"])
    await_account(uow, whose["person_id"])
    at = from_timestamp(event.completed_at)
    served = (at, site_date(at, time_zone))
    rule = assessment_rule(uow, whose["site_id"], event.instrument, at)
    # Counted before the set is kept. The instruments of a person come one after the other: they are events of one key.
    earlier = _charged_that_day(uow, whose, served, event.instrument, rule)
    kept = keep_source(uow, words.ASSESSMENT, UUID(event.result_id), whose, served, subject_code=event.instrument)
    if kept is None:
        return
    prices = price_list_on(uow, whose["site_id"], served[1])
    cap = number(uow, policy_number, words.DAILY_UNIT_CAP, whose["site_id"], at)
    keep_outcome(uow, kept, charge_assessment(rule, earlier, cap, None if prices is None else prices.prices))


def _charged_that_day(
    uow: UnitOfWork, whose: dict[str, UUID], served: _Served, instrument: str, rule: AssessmentRule | None
) -> ChargedThatDay:
    if rule is None:
        return ChargedThatDay(0, False)
    row = uow.execute(
        select(
            func.coalesce(func.sum(charge_line.c.units), 0).label("units"),
            func.coalesce(func.bool_or(charge_set.c.subject_code == instrument), False).label("same_instrument"),
        )
        .join(charge_line, charge_line.c.charge_set_id == charge_set.c.charge_set_id)
        .where(
            charge_set.c.person_id == whose["person_id"],
            charge_set.c.site_id == whose["site_id"],
            charge_set.c.service_date == served[1],
            charge_set.c.kind == words.ASSESSMENT,
            charge_set.c.state == words.CHARGED,
            charge_line.c.code == rule.code,
        )
    ).one()
    return ChargedThatDay(int(row.units), bool(row.same_instrument))
