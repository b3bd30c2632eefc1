"""The two statements on the hot path of a booking, prepared on psycopg's own connection inside the transaction.

Measured, one booking through SQLAlchemy's text() costs more than twice as much. Everything else here goes through Core.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from scheduling.domain import words
from scheduling.domain.booking_rules import PlanFacts, ResourceFacts
from scheduling.domain.policy import BookingPolicy
from scheduling.domain.visit import Span, Visit

# One row whatever is known: every check reads from it. No visit is longer than 24 hours, so no later shift matters.
_FACTS = """
SELECT s.site_id,
       c.kind, c.site_id, u.kind, u.site_id, m.kind, m.site_id, n.kind, n.site_id,
       p.person_id, p.state, p.sessions_planned, p.indication,
       y.preparation_min, y.recovery_min, y.first_recovery_min, y.pain_recovery_min, y.infusion_interval_min,
       y.grid_min, y.search_max_days,
       coalesce(h.starts, '{}'), coalesce(h.ends, '{}'),
       EXISTS (SELECT 1 FROM parked k WHERE k.topic = %(plan_topic)s AND k.key = %(plan_key)s)
FROM (SELECT 1) AS one
LEFT JOIN site s ON s.site_id = %(site_id)s
LEFT JOIN resource c ON c.resource_id = %(chair_id)s
LEFT JOIN resource u ON u.resource_id = %(pump_id)s
LEFT JOIN resource m ON m.resource_id = %(monitor_id)s
LEFT JOIN resource n ON n.resource_id = %(nurse_id)s
LEFT JOIN plan p ON p.plan_id = %(plan_id)s
LEFT JOIN LATERAL (
    SELECT * FROM booking_policy b WHERE b.effective_from <= %(starts_at)s ORDER BY b.effective_from DESC LIMIT 1
) y ON true
LEFT JOIN LATERAL (
    SELECT array_agg(lower(f.during)) AS starts, array_agg(upper(f.during)) AS ends FROM shift f
    WHERE f.nurse_id = %(nurse_id)s AND f.site_id = %(site_id)s
      AND f.during && tstzrange(%(starts_at)s, %(starts_at)s + interval '24 hours')
) h ON true
"""

# Claims are taken in the order of their resource, and a claim that cannot be had is left out instead of waited for in
# some other order: with plain inserts, 50 clients ended in deadlocks. The count tells whether all were had.
_TAKE = """
WITH booked AS (
    INSERT INTO booking (session_id, person_id, site_id, plan_id, ordinal, state, starts_at, infusion_min, ends_at,
                         chair_id, pump_id, monitor_id, nurse_id, booked_at, changed_at)
    VALUES (%(session_id)s, %(person_id)s, %(site_id)s, %(plan_id)s, %(ordinal)s, 'booked', %(starts_at)s,
            %(infusion_min)s, %(ends_at)s, %(chair_id)s, %(pump_id)s, %(monitor_id)s, %(nurse_id)s, %(now)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING 1
), claimed AS (
    INSERT INTO claim (session_id, kind, resource_id, person_id, site_id, during, active)
    SELECT %(session_id)s, asked.kind, asked.resource_id, %(person_id)s, %(site_id)s,
           tstzrange(asked.from_time, asked.until_time), true
    FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
         AS asked (kind, resource_id, from_time, until_time)
    ORDER BY asked.resource_id
    ON CONFLICT DO NOTHING RETURNING 1
)
SELECT (SELECT count(*) FROM booked), (SELECT count(*) FROM claimed)
"""

_HOLDERS = """
SELECT asked.kind, asked.resource_id, claim.session_id
FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
     AS asked (kind, resource_id, from_time, until_time)
JOIN claim ON claim.resource_id = asked.resource_id AND claim.during && tstzrange(asked.from_time, asked.until_time)
          AND claim.active AND claim.session_id <> %(session_id)s
ORDER BY asked.kind, lower(claim.during)
"""

_STANDING = """
SELECT session_id FROM booking
WHERE plan_id = %(plan_id)s AND ordinal = %(ordinal)s AND state IN ('booked', 'arrived', 'fulfilled')
  AND session_id <> %(session_id)s
"""


# A strict topic: while a change of the person's plan could not be applied, the copy is not to be trusted.
PLAN_TOPIC = "saguaro.treatment_plan.plan"


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

    site_known: bool
    resources: dict[str, ResourceFacts | None]
    plan: PlanFacts | None
    policy: BookingPolicy | None
    shifts: list[Span]
    # True while a change of the person's plan is parked.
    plan_uncertain: bool


def read_facts(uow: UnitOfWork, asked: Asked) -> Facts:
    """One round trip for every check."""
    parameters = asked.parameters() | {"plan_topic": PLAN_TOPIC, "plan_key": str(asked.person_id)}
    row = uow.driver.execute(_FACTS, parameters, prepare=True).fetchone()
    resources: dict[str, ResourceFacts | None] = {}
    for place, kind in enumerate(words.RESOURCE_KINDS):
        found, site_id = row[1 + 2 * place], row[2 + 2 * place]
        resources[kind] = None if found is None else ResourceFacts(found, site_id)
    return Facts(
        site_known=row[0] is not None,
        resources=resources,
        plan=None if row[9] is None else PlanFacts(*row[9:13]),
        policy=None if row[13] is None else BookingPolicy(*row[13:20]),
        shifts=[Span(start, end) for start, end in zip(row[20], row[21], strict=True)],
        plan_uncertain=row[22],
    )


def take(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID) -> bool:
    """Books the session and claims its five resources; False when any was not to be had, and the caller must raise."""
    parameters = (
        asked.parameters()
        | _claims(asked, visit, session_id)
        | {
            "ends_at": visit.ends_at,
            "now": uow.clinic_time,
        }
    )
    booked, claimed = uow.driver.execute(_TAKE, parameters, prepare=True).fetchone()
    return bool(booked == 1 and claimed == len(words.CLAIM_KINDS))


def holders(uow: UnitOfWork, asked: Asked, visit: Visit, session_id: UUID) -> list[tuple[str, UUID, UUID]]:
    """Who holds what of it, as (kind, resource or person, session), each kind's earliest first."""
    return list(uow.driver.execute(_HOLDERS, _claims(asked, visit, session_id)).fetchall())


def standing_session(uow: UnitOfWork, asked: Asked, session_id: UUID) -> UUID | None:
    """The session that stands for this ordinal of the plan already, if there is one."""
    parameters = {"plan_id": asked.plan_id, "ordinal": asked.ordinal, "session_id": session_id}
    row = uow.driver.execute(_STANDING, parameters).fetchone()
    return None if row is None else row[0]


def _claims(asked: Asked, visit: Visit, session_id: UUID) -> dict[str, Any]:
    claimed = {**asked.resources, words.PERSON: asked.person_id}
    spans = [visit.span_of(kind) for kind in claimed]
    return {
        "session_id": session_id,
        "kinds": list(claimed),
        "resources": list(claimed.values()),
        "froms": [span.start for span in spans],
        "untils": [span.end for span in spans],
    }
