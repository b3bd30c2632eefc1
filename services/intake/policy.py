"""Reads the policy data that are in effect at a moment of clinic time."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Table, and_, or_, select

from chassis.unit_of_work import UnitOfWork
from intake.domain.eligibility import Rule, absent
from intake.policy_tables import (
    contraindication,
    diagnosis_group,
    flag_policy,
    gate_rule,
    policy_value,
)


def effective(table: Table, at: datetime) -> ColumnElement[bool]:
    """Rows that hold at a moment: from `effective_from` up to but not at `effective_until`."""
    until = table.c.effective_until
    return and_(table.c.effective_from <= at, or_(until.is_(None), until > at))


def numbers(uow: UnitOfWork, beginning: str) -> dict[str, Decimal]:
    """Every policy number whose code begins so, by code."""
    query = select(policy_value.c.code, policy_value.c.value).where(
        policy_value.c.code.startswith(beginning, autoescape=True), effective(policy_value, uow.clinic_time)
    )
    return {row.code: row.value for row in uow.execute(query)}


def number(uow: UnitOfWork, code: str) -> Decimal:
    """One policy number. KeyError when none is in effect: a rule without its number must not be guessed."""
    return numbers(uow, code)[code]


def flags(uow: UnitOfWork) -> dict[str, tuple[bool, int | None]]:
    """Reason code -> (blocks, minutes until due; None: the end of the same day at the site)."""
    query = select(flag_policy).where(effective(flag_policy, uow.clinic_time))
    return {row.reason_code: (row.blocks, row.due_minutes) for row in uow.execute(query)}


def gate(uow: UnitOfWork, name: str) -> list[Rule]:
    """The rules of a gate, in order."""
    query = (
        select(gate_rule)
        .where(gate_rule.c.gate == name, effective(gate_rule, uow.clinic_time))
        .order_by(gate_rule.c.position)
    )
    return [Rule(row.code, row.level, row.source) for row in uow.execute(query)]


def contraindications(uow: UnitOfWork) -> dict[str, Rule]:
    """Contraindication code -> the rule that it is absent, in the order of the codes."""
    query = (
        select(contraindication).where(effective(contraindication, uow.clinic_time)).order_by(contraindication.c.code)
    )
    return {row.code: Rule(absent(row.code), row.level, row.source) for row in uow.execute(query)}


def diagnosis_groups(uow: UnitOfWork, indication: str) -> list[str]:
    """Code groups that support an indication."""
    query = select(diagnosis_group.c.code_group).where(
        diagnosis_group.c.indication == indication, effective(diagnosis_group, uow.clinic_time)
    )
    return [row.code_group for row in uow.execute(query)]
