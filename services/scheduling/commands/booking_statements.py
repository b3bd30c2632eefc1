"""The statements on the hot path of a booking, prepared on psycopg's own connection inside the transaction.

Measured, one booking through SQLAlchemy's text() costs more than twice as much. Everything else here goes through Core.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from scheduling.domain import words
from scheduling.domain.booking_rules import PlanFacts, ResourceFacts
from scheduling.domain.policy import BookingPolicy, Phases
from scheduling.domain.visit import Span, Visit

# One row whatever is known: every check reads from it. No visit is longer than 24 hours, so no later shift matters.
# The lock is the person's: two of one person's bookings are decided one after the other, which makes the rules that no
# constraint holds (the soft interval, consultations) as exact as those that one does.
_FACTS = """
SELECT s.time_zone,
       c.kind, c.site_id, u.kind, u.site_id, m.kind, m.site_id, n.kind, n.site_id,
       p.person_id, p.state, p.sessions_planned, p.indication,
       y.preparation_min, y.recovery_min, y.first_recovery_min, y.pain_recovery_min, y.infusion_interval_min,
       y.soft_interval_min, y.cleaning_min, y.grid_min, y.search_max_days,
       coalesce(h.starts, '{}'), coalesce(h.ends, '{}'),
       EXISTS (SELECT 1 FROM parked k WHERE k.topic = %(plan_topic)s AND k.key = %(plan_key)s),
       t.kinds, t.froms, t.untils, o.opens, o.closes, pg_advisory_xact_lock(%(person_lock)s)
FROM (SELECT 1) AS one
LEFT JOIN site s ON s.site_id = %(site_id)s
LEFT JOIN resource c ON c.resource_id = %(chair_id)s
LEFT JOIN resource u ON u.resource_id = %(pump_id)s
LEFT JOIN resource m ON m.resource_id = %(monitor_id)s
LEFT JOIN resource n ON n.resource_id = %(nurse_id)s
LEFT JOIN plan p ON p.plan_id = %(plan_id)s
LEFT JOIN LATERAL (
    SELECT * FROM booking_policy b
    WHERE b.type_code = 'infusion' AND b.scope IN ('network', %(scope)s) AND b.effective_from <= %(starts_at)s
      AND (b.effective_until IS NULL OR b.effective_until > %(starts_at)s)
    ORDER BY b.scope = 'network', b.effective_from DESC LIMIT 1
) y ON true
LEFT JOIN LATERAL (
    SELECT array_agg(lower(f.during)) AS starts, array_agg(upper(f.during)) AS ends FROM shift f
    WHERE f.nurse_id = %(nurse_id)s AND f.site_id = %(site_id)s
      AND f.during && tstzrange(%(starts_at)s, %(starts_at)s + interval '24 hours')
) h ON true
LEFT JOIN LATERAL (
    SELECT array_agg(k.resource_kind) AS kinds, array_agg(k.from_phase) AS froms, array_agg(k.until_phase) AS untils FROM (
        SELECT DISTINCT ON (a.resource_kind) a.resource_kind, a.from_phase, a.until_phase FROM appointment_resource a
        WHERE a.type_code = 'infusion' AND a.scope IN ('network', %(scope)s) AND a.effective_from <= %(starts_at)s
          AND (a.effective_until IS NULL OR a.effective_until > %(starts_at)s)
        ORDER BY a.resource_kind, a.scope = 'network', a.effective_from DESC
    ) k
) t ON true
LEFT JOIN LATERAL (
    SELECT w.opens, w.closes FROM opening_hours w
    WHERE w.iso_weekday = extract(isodow FROM %(starts_at)s AT TIME ZONE s.time_zone)::integer
      AND w.scope IN ('network', %(scope)s) AND w.effective_from <= %(starts_at)s
      AND (w.effective_until IS NULL OR w.effective_until > %(starts_at)s)
    ORDER BY w.scope = 'network', w.effective_from DESC LIMIT 1
) o ON true
"""

# Claims are taken in the order of their resource, and a claim that cannot be had is left out instead of waited for in
# some other order: with plain inserts, 50 clients ended in deadlocks. The counts tell whether all were had, whether the
# person has another infusion within the soft interval, and whether the person sees somebody meanwhile.
_TAKE = """
WITH booked AS (
    INSERT INTO booking (session_id, person_id, site_id, plan_id, ordinal, state, starts_at, infusion_min, ends_at,
                         chair_id, pump_id, monitor_id, nurse_id, booked_at, changed_at, infusion_starts_at,
                         infusion_ends_at)
    VALUES (%(session_id)s, %(person_id)s, %(site_id)s, %(plan_id)s, %(ordinal)s, 'booked', %(starts_at)s,
            %(infusion_min)s, %(ends_at)s, %(chair_id)s, %(pump_id)s, %(monitor_id)s, %(nurse_id)s, %(now)s, %(now)s,
            %(infusion_starts_at)s, %(infusion_ends_at)s)
    ON CONFLICT DO NOTHING RETURNING 1
), claimed AS (
    INSERT INTO claim (session_id, kind, resource_id, person_id, site_id, during, active)
    SELECT %(session_id)s, asked.kind, asked.resource_id, %(person_id)s, %(site_id)s,
           tstzrange(asked.from_time, asked.until_time), true
    FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
         AS asked (kind, resource_id, from_time, until_time)
    ORDER BY asked.resource_id
    ON CONFLICT DO NOTHING RETURNING 1
), near AS (
    SELECT 1 FROM claim WHERE resource_id = %(person_id)s AND active AND during && tstzrange(%(near_from)s, %(near_until)s)
    LIMIT 1
), seen AS (
    SELECT 1 FROM consultation WHERE person_id = %(person_id)s AND state <> 'cancelled'
    AND during && tstzrange(%(starts_at)s, %(ends_at)s) LIMIT 1
)
SELECT (SELECT count(*) FROM booked), (SELECT count(*) FROM claimed), (SELECT count(*) FROM near),
       (SELECT count(*) FROM seen)
"""

# A hold is taken as a booking is, but for the row: the ids of its claims are the hold's.
_HOLD = """
WITH booked AS (
    INSERT INTO hold (hold_id, person_id, site_id, plan_id, ordinal, state, starts_at, infusion_min, ends_at, chair_id,
                      pump_id, monitor_id, nurse_id, held_at, changed_at, infusion_starts_at, infusion_ends_at, expires_at,
                      waiting_id)
    VALUES (%(session_id)s, %(person_id)s, %(site_id)s, %(plan_id)s, %(ordinal)s, 'held', %(starts_at)s,
            %(infusion_min)s, %(ends_at)s, %(chair_id)s, %(pump_id)s, %(monitor_id)s, %(nurse_id)s, %(now)s, %(now)s,
            %(infusion_starts_at)s, %(infusion_ends_at)s, %(expires_at)s, %(waiting_id)s)
    ON CONFLICT DO NOTHING RETURNING 1
)""" + _TAKE.partition("RETURNING 1\n)")[2]

_HOLDERS = """
SELECT asked.kind, asked.resource_id, claim.session_id, coalesce(hold.expires_at <= %(now)s, false)
FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
     AS asked (kind, resource_id, from_time, until_time)
JOIN claim ON claim.resource_id = asked.resource_id AND claim.during && tstzrange(asked.from_time, asked.until_time)
          AND claim.active AND claim.session_id <> %(session_id)s
LEFT JOIN hold ON hold.hold_id = claim.session_id AND hold.state = 'held'
ORDER BY asked.kind, lower(claim.during)
"""

_STANDING = """
SELECT session_id FROM booking
WHERE plan_id = %(plan_id)s AND ordinal = %(ordinal)s AND state IN ('booked', 'arrived', 'fulfilled')
  AND session_id <> %(session_id)s
"""


# A strict topic: while a change of the person's plan could not be applied, the copy is not to be trusted.
PLAN_TOPIC = "saguaro.treatment_plan.plan"


# Kind, resource or person, the session, hold or consultation that has it, and whether that is a hold that is over.
Holder = tuple[str, UUID, UUID, bool]


@dataclass(frozen=True)
class Asked:
    """The ids and numbers of one booking, ready for the statements."""

    person_id: UUID
    site_id: UUID
    plan_id: UUID
    ordinal: int
    starts_at: datetime
    infusion_min: int
    # By kind: chair, pump, monitor, nurse.
    resources: Mapping[str, UUID]

    def parameters(self) -> dict[str, Any]:
        """As the statements name them."""
        named = {f"{kind}_id": resource_id for kind, resource_id in self.resources.items()}
        return {
            "person_id": self.person_id,
            "site_id": self.site_id,
            "plan_id": self.plan_id,
            "ordinal": self.ordinal,
            "starts_at": self.starts_at,
            "infusion_min": self.infusion_min,
            **named,
        }


@dataclass(frozen=True)
class Facts:
    """What is known of everything that a booking names."""

    # None for a site that nobody opened.
    time_zone: str | None
    resources: dict[str, ResourceFacts | None]
    plan: PlanFacts | None
    policy: BookingPolicy | None
    shifts: list[Span]
    # True while a change of the person's plan is parked.
    plan_uncertain: bool
    phases: Phases
    # Wall times between which the site is open on the weekday of the start; None where nobody said.
    opening: tuple[str, str] | None


@dataclass(frozen=True)
class Taken:
    """What came of taking: all of it, and which soft rule and which other appointment stand against it."""

    all_had: bool
    near: bool
    sees_somebody: bool


def person_lock(person_id: UUID) -> int:
    """The key of the advisory lock under which a person's bookings are decided."""
    return person_id.int & (2**63 - 1)


def read_facts(uow: UnitOfWork, asked: Asked) -> Facts:
    """One round trip for every check; takes the person's lock."""
    parameters = asked.parameters() | {
        "plan_topic": PLAN_TOPIC,
        "plan_key": str(asked.person_id),
        "scope": str(asked.site_id),
        "person_lock": person_lock(asked.person_id),
    }
    row = uow.driver.execute(_FACTS, parameters, prepare=True).fetchone()
    resources: dict[str, ResourceFacts | None] = {}
    for place, kind in enumerate(words.INFUSION_KINDS):
        found, site_id = row[1 + 2 * place], row[2 + 2 * place]
        resources[kind] = None if found is None else ResourceFacts(found, site_id)
    kinds, froms, untils = row[25], row[26], row[27]
    return Facts(
        time_zone=row[0],
        resources=resources,
        plan=None if row[9] is None else PlanFacts(*row[9:13]),
        policy=None if row[13] is None else BookingPolicy(*row[13:22]),
        shifts=[Span(start, end) for start, end in zip(row[22], row[23], strict=True)],
        plan_uncertain=row[24],
        phases={} if kinds is None else dict(zip(kinds, zip(froms, untils, strict=True), strict=True)),
        opening=None if row[28] is None else (row[28], row[29]),
    )


def take(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID, near: Span) -> Taken:
    """Books the session and claims its five resources; when any was not to be had, the caller must raise or undo."""
    return _taken(uow, _TAKE, asked, visit, session_id, near, {})


def take_hold(
    uow: UnitOfWork,
    asked: Asked,
    visit: Visit,
    hold_id: UUID,
    near: Span,
    expires_at: datetime,
    waiting_id: UUID | None,
) -> Taken:
    """The same for a hold, until `expires_at` by clinic time; `waiting_id` says whose offer it is."""
    more = {"expires_at": expires_at, "waiting_id": waiting_id}
    return _taken(uow, _HOLD, asked, visit, hold_id, near, more)


def _taken(
    uow: UnitOfWork, statement: str, asked: Asked, visit: Visit, session_id: UUID, near: Span, more: Mapping[str, Any]
) -> Taken:
    parameters = {
        **asked.parameters(),
        **claims_of(asked, visit, session_id),
        "ends_at": visit.ends_at,
        "infusion_starts_at": visit.infusion_starts_at,
        "infusion_ends_at": visit.infusion_ends_at,
        "near_from": near.start,
        "near_until": near.end,
        "now": uow.clinic_time,
        **more,
    }
    booked, claimed, close, seen = uow.driver.execute(statement, parameters, prepare=True).fetchone()
    return Taken(booked == 1 and claimed == len(asked.resources) + 1, close > 0, seen > 0)


def give_back(uow: UnitOfWork, session_id: UUID) -> None:
    """Undoes what an attempt that was not had whole left in this transaction."""
    for statement in (
        "DELETE FROM claim WHERE session_id = %s",
        "DELETE FROM booking WHERE session_id = %s",
        "DELETE FROM hold WHERE hold_id = %s",
    ):
        uow.driver.execute(statement, (session_id,))


def holders(uow: UnitOfWork, claims: Mapping[str, Any]) -> list[Holder]:
    """Who holds what of the claims of claims_of or of a move, each kind's earliest first."""
    return list(uow.driver.execute(_HOLDERS, {**claims, "now": uow.clinic_time}).fetchall())


def standing_session(uow: UnitOfWork, asked: Asked, session_id: UUID) -> UUID | None:
    """The session that stands for this ordinal of the plan already, if there is one."""
    parameters = {"plan_id": asked.plan_id, "ordinal": asked.ordinal, "session_id": session_id}
    row = uow.driver.execute(_STANDING, parameters).fetchone()
    return None if row is None else row[0]


def infusions_near(uow: UnitOfWork, person_id: UUID, near: Span, but: Iterable[UUID]) -> bool:
    """Whether the person has an infusion in that stretch, holds that are over and the sessions of `but` aside."""
    row = uow.driver.execute(
        "SELECT 1 FROM claim LEFT JOIN hold ON hold.hold_id = claim.session_id AND hold.state = 'held'"
        " WHERE claim.resource_id = %s AND claim.active AND claim.during && tstzrange(%s, %s)"
        " AND claim.session_id <> ALL (%s) AND (hold.expires_at > %s) IS NOT FALSE LIMIT 1",
        (person_id, near.start, near.end, list(but), uow.clinic_time),
    ).fetchone()
    return row is not None


def claims_of(asked: Asked, visit: Visit, session_id: UUID) -> dict[str, Any]:
    """The parameters of the claims of a visit."""
    claimed = {**asked.resources, words.PERSON: asked.person_id}
    spans = [visit.span_of(kind) for kind in claimed]
    return {
        "session_id": session_id,
        "kinds": list(claimed),
        "resources": list(claimed.values()),
        "froms": [span.start for span in spans],
        "untils": [span.end for span in spans],
    }
