"""The end of a change: done when both agreed, refused when one did not or nobody answered in time.

Every path is one transaction with its event. A second answer, and one that comes after the end, change nothing.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, select, update

from chassis.unit_of_work import UnitOfWork
from chassis.values import to_timestamp
from saguaro.scheduling.v1 import events_pb2 as events
from scheduling.commands.change_booking import change_booking, free_claims
from scheduling.commands.offers import offer_freed
from scheduling.domain import words
from scheduling.domain.visit import Span, Visit
from scheduling.tables import booking, claim, session_change, visit_check

_MOVE_CLAIMS = """
UPDATE claim SET resource_id = asked.resource_id, during = tstzrange(asked.from_time, asked.until_time)
FROM unnest(%(kinds)s::text[], %(resources)s::uuid[], %(froms)s::timestamptz[], %(untils)s::timestamptz[])
     AS asked (kind, resource_id, from_time, until_time)
WHERE claim.session_id = %(session_id)s AND claim.kind = asked.kind
"""


def open_change(uow: UnitOfWork, session_id: UUID) -> Row[Any] | None:
    """The change of the session that waits for answers, with the booking locked before it, as everybody locks them."""
    uow.execute(select(booking.c.session_id).where(booking.c.session_id == session_id).with_for_update())
    return uow.execute(
        select(session_change)
        .where(session_change.c.session_id == session_id, session_change.c.state == words.PROPOSED)
        .with_for_update()
    ).one_or_none()


def settle_done(uow: UnitOfWork, change: Row[Any]) -> None:
    """Both agreed: the session is moved or cancelled, and what it had goes to who waits for it."""
    row = uow.execute(select(booking).where(booking.c.session_id == change.session_id)).one()
    _settled(uow, change, state=words.DONE)
    if change.kind == words.CANCEL:
        _cancel(uow, change, row)
    else:
        _move(uow, change, row)
    offer_freed(uow, row.site_id, Span(row.starts_at, row.ends_at))


def settle_refused(uow: UnitOfWork, change: Row[Any], reason_code: str) -> None:
    """The session stands as it was; what was held for the new time is free again."""
    _settled(uow, change, state=words.REFUSED, refused_reason_code=reason_code)
    _let_new_time_go(uow, change)
    uow.emit(
        events.SessionChangeRefused(
            change_id=str(change.change_id),
            session_id=str(change.session_id),
            person_id=str(change.person_id),
            site_id=str(change.site_id),
            reason_code=reason_code,
            refused_at=to_timestamp(uow.clinic_time),
        )
    )


def _settled(uow: UnitOfWork, change: Row[Any], **values: str) -> None:
    uow.execute(
        update(session_change)
        .where(session_change.c.change_id == change.change_id)
        .values(settled_at=uow.clinic_time, **values)
    )


def _let_new_time_go(uow: UnitOfWork, change: Row[Any]) -> None:
    if change.kind == words.MOVE:
        uow.execute(
            update(claim)
            .where(claim.c.session_id.in_((change.earlier_hold_id, change.later_hold_id)))
            .values(active=False)
        )


def _cancel(uow: UnitOfWork, change: Row[Any], row: Row[Any]) -> None:
    change_booking(uow, row.session_id, state=words.CANCELLED, cancel_reason_code=change.reason_code)
    free_claims(uow, row.session_id)
    uow.emit(
        events.SessionCancelled(
            session_id=str(row.session_id),
            person_id=str(row.person_id),
            site_id=str(row.site_id),
            reason_code=change.reason_code,
            cancelled_at=to_timestamp(uow.clinic_time),
        )
    )


def _move(uow: UnitOfWork, change: Row[Any], row: Row[Any]) -> None:
    _let_new_time_go(uow, change)
    resources = {kind: getattr(change, f"{kind}_id") for kind in words.INFUSION_KINDS}
    visit = Visit(
        starts_at=change.starts_at,
        infusion_starts_at=change.infusion_starts_at,
        infusion_ends_at=change.infusion_ends_at,
        ends_at=change.ends_at,
        cleaned_at=change.cleaned_at,
        person_free_at=change.person_free_at,
        phases={kind: (first, last) for kind, (first, last) in change.phases.items()},
    )
    named = {**resources, words.PERSON: change.person_id}
    spans = [visit.span_of(kind) for kind in named]
    uow.driver.execute(
        _MOVE_CLAIMS,
        {
            "session_id": change.session_id,
            "kinds": list(named),
            "resources": list(named.values()),
            "froms": [span.start for span in spans],
            "untils": [span.end for span in spans],
        },
    )
    change_booking(
        uow,
        change.session_id,
        starts_at=change.starts_at,
        infusion_starts_at=change.infusion_starts_at,
        infusion_ends_at=change.infusion_ends_at,
        ends_at=change.ends_at,
        moves=row.moves + 1,
        **{f"{kind}_id": resource_id for kind, resource_id in resources.items()},
    )
    # What was confirmed was confirmed for another day.
    uow.execute(delete(visit_check).where(visit_check.c.session_id == change.session_id))
    uow.emit(
        events.SessionMoved(
            change_id=str(change.change_id),
            session_id=str(change.session_id),
            person_id=str(change.person_id),
            site_id=str(change.site_id),
            starts_at=to_timestamp(change.starts_at),
            ends_at=to_timestamp(change.ends_at),
            moved_at=to_timestamp(uow.clinic_time),
            infusion_starts_at=to_timestamp(change.infusion_starts_at),
            infusion_ends_at=to_timestamp(change.infusion_ends_at),
            **{f"{kind}_id": str(resource_id) for kind, resource_id in resources.items()},
        )
    )
