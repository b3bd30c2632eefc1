"""Reads the policy data that are in force at a site and a moment of clinic time; without a site, the network's."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from chassis.policy import in_force
from chassis.policy import number as number_in_force
from chassis.unit_of_work import UnitOfWork
from intake.domain.answers import Drug
from intake.domain.eligibility import Rule, absent
from intake.policy_tables import contraindication, diagnosis_group, flag_policy, gate_rule, policy_number
from intake.rule_tables import medication, reason_code


def rows(uow: UnitOfWork, table: Table, keys: tuple[str, ...], site_id: UUID | str, **only: object) -> list[Any]:
    """The row in force of each key, where these columns have these values."""
    query = in_force(table, keys, site_id, uow.clinic_time)
    return list(uow.execute(query.where(*(table.c[name] == value for name, value in only.items()))).all())


def numbers(uow: UnitOfWork, beginning: str, site_id: UUID | str = "") -> dict[str, Decimal]:
    """Every policy number whose code begins so, by code."""
    query = in_force(policy_number, ("policy_code",), site_id, uow.clinic_time)
    mine = query.where(policy_number.c.policy_code.startswith(beginning, autoescape=True))
    return {row.policy_code: row.value for row in uow.execute(mine)}


def number(uow: UnitOfWork, code: str, site_id: UUID | str = "") -> Decimal:
    """One policy number. POLICY_NOT_IN_FORCE when none is: a rule without its number must not be guessed."""
    return number_in_force(uow, policy_number, code, site_id)


def flags(uow: UnitOfWork, site_id: UUID | str = "") -> dict[str, Any]:
    """Reason code -> its row: blocks, due_minutes (None: the end of the same day at the site), needs_cssrs."""
    return {row.reason_code: row for row in rows(uow, flag_policy, ("reason_code",), site_id)}


def reasons(uow: UnitOfWork, list_code: str, site_id: UUID | str = "") -> list[str]:
    """The reasons of a closed list that are allowed."""
    found = rows(uow, reason_code, ("list_code", "reason_code"), site_id, list_code=list_code)
    return [row.reason_code for row in found if row.allowed]


def drugs(uow: UnitOfWork, site_id: UUID | str = "") -> dict[str, Drug]:
    """Medication code -> the interactions that it stands for."""
    found = rows(uow, medication, ("code",), site_id)
    return {row.code: Drug(tuple(row.interaction_codes), row.equal_to_1_mg_lorazepam_mg) for row in found}


def gate(uow: UnitOfWork, name: str, site_id: UUID | str = "") -> list[Rule]:
    """The rules of a gate, in order."""
    found = sorted(rows(uow, gate_rule, ("gate", "code"), site_id, gate=name), key=lambda row: row.position)
    return [Rule(row.code, row.level, row.source, tuple(row.may_override)) for row in found]


def contraindications(uow: UnitOfWork, site_id: UUID | str = "") -> dict[str, Rule]:
    """Contraindication code -> the rule that it is absent, in the order of the codes."""
    found = rows(uow, contraindication, ("code",), site_id)
    return {
        row.code: Rule(
            absent(row.code),
            row.level,
            row.source,
            tuple(row.may_override),
            tuple(row.monitoring_codes),
            row.asked_of,
        )
        for row in found
    }


def diagnosis_groups(uow: UnitOfWork, indication: str, site_id: UUID | str = "") -> list[str]:
    """Code groups that support an indication."""
    found = rows(uow, diagnosis_group, ("indication", "code_group"), site_id, indication=indication)
    return [row.code_group for row in found]
