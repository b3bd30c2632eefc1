"""Whoever diagnosed, cleared, signed, decided or administered held that privilege at the site on the site's day (house policy).

Judged by intake's own record of practitioners: the revision that held at the moment of the act. Signing needs a DEA registration for the
site as well (21 CFR 1301.12: each place of practice is registered).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, LiteralString
from zoneinfo import ZoneInfo

from verify.outcome import Check, Outcome
from verify.world import World

# Service, what was done, and the statement for who did it, where and when; each needs one of the privileges.
_ACTS: tuple[tuple[str, tuple[str, ...], str, LiteralString], ...] = (
    ("intake", ("diagnose",), "diagnosis", "SELECT diagnosis_id, recorded_by, site_id, recorded_at FROM diagnosis"),
    ("intake", ("clear",), "clearance", "SELECT clearance_id, decided_by, site_id, decided_at FROM clearance"),
    (
        "intake",
        ("clear", "diagnose"),
        "evaluated flag",
        "SELECT flag_id, cleared_by, site_id, cleared_at FROM safety_flag WHERE cleared_at IS NOT NULL",
    ),
    (
        "treatment_plan",
        ("sign",),
        "signed plan",
        "SELECT plan_id, signed_by, site_id, signed_at FROM plan WHERE signed_at IS NOT NULL",
    ),
    ("treatment_plan", ("sign",), "order", "SELECT order_id, prescriber_id, site_id, issued_at FROM treatment_order"),
    (
        "treatment_plan",
        ("administer",),
        "checked identity",
        "SELECT check_id, checked_by, site_id, checked_at FROM identity_check",
    ),
    (
        "treatment_plan",
        ("administer",),
        "prepared bag",
        "SELECT bag_id, prepared_by, site_id, prepared_at FROM bag",
    ),
    (
        "treatment_plan",
        ("administer",),
        "checked bag",
        "SELECT bag_id, checked_by, site_id, checked_at FROM bag WHERE checked_at IS NOT NULL",
    ),
    (
        "device_telemetry",
        ("administer",),
        "start",
        "SELECT authorisation_id, authorised_by, site_id, authorised_at FROM authorisation",
    ),
)


def qualified(world: World) -> Outcome:
    """Each act was done by somebody who might do it there and then."""
    outcome = Outcome()
    record = _Record(world)
    for service, privileges, what, statement in _ACTS:
        for act_id, who, site_id, at in world.databases.rows(service, statement):
            missing = record.missing(who, site_id, at, privileges)
            outcome.look(not missing, f"{what} {act_id}: by {who}, {missing}")
    return outcome


class _Record:
    """Practitioners as intake has them, revision by revision."""

    def __init__(self, world: World) -> None:
        self._zones = {
            row.site_id: ZoneInfo(row.time_zone)
            for row in world.databases.rows("intake", "SELECT site_id, time_zone FROM site")
        }
        self._revisions: dict[Any, list[Any]] = {}
        for row in world.databases.rows(
            "intake",
            "SELECT practitioner_id, revision, recorded_at, licence_expires_on FROM practitioner_revision ORDER BY revision",
        ):
            self._revisions.setdefault(row.practitioner_id, []).append(row)
        self._sites = {
            (row.practitioner_id, row.revision, row.site_id): row
            for row in world.databases.rows(
                "intake",
                "SELECT practitioner_id, revision, site_id, privileges, dea_expires_on FROM practitioner_site",
            )
        }

    def missing(self, who: Any, site_id: Any, at: datetime, privileges: tuple[str, ...]) -> str:
        """What was missing by the revision that held then, in words; empty when nothing was."""
        known = [row for row in self._revisions.get(who, []) if row.recorded_at <= at]
        return self._missing_in(known[-1], site_id, at, privileges) if known else "who is not on record"

    def _missing_in(self, row: Any, site_id: Any, at: datetime, privileges: tuple[str, ...]) -> str:
        zone = self._zones.get(site_id)
        if zone is None:
            return "at a site that is not on record"
        today = at.astimezone(zone).date()
        if row.licence_expires_on < today:
            return "whose licence had expired"
        held = self._sites.get((row.practitioner_id, row.revision, site_id))
        if held is None or not set(privileges) & set(held.privileges):
            return f"without the privilege {' or '.join(privileges)} at the site"
        if "sign" in privileges and (held.dea_expires_on is None or held.dea_expires_on < today):
            return "without a DEA registration for the site"
        return ""


CHECKS = (Check("qualified.acts", qualified),)
