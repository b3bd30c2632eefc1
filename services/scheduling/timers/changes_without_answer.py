"""A change on which somebody does not answer in time is refused; the session stands as it was.

How long machines take to answer each other is a matter of their own clock, so this asks the wall, as the alarm about a
stopped log does. The refusal's clinic time is that of the proposal and the time that was waited.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from chassis.policy import number
from chassis.unit_of_work import UnitOfWork
from scheduling.commands.settle_change import open_change, settle_refused
from scheduling.domain import words
from scheduling.tables import policy_number

_WAITING: Final = """
SELECT c.session_id, c.change_id, c.site_id, extract(epoch FROM clock_timestamp() - c.asked_at)
FROM session_change c JOIN booking b ON b.session_id = c.session_id
WHERE c.state = 'proposed' ORDER BY c.asked_at LIMIT 100 FOR UPDATE OF b SKIP LOCKED
"""


def run(uow: UnitOfWork) -> None:
    """Refuses, with "no.answer", each change that waited longer than the policy change_answer_s."""
    for session_id, change_id, site_id, waited_s in uow.driver.execute(_WAITING).fetchall():
        change = open_change(uow, session_id)
        if change is None or change.change_id != change_id:
            continue
        limit_s = number(uow, policy_number, "change_answer_s", site_id, change.proposed_at)
        if waited_s < limit_s:
            continue
        before = uow.context
        uow.context = replace(
            before,
            site_id=str(site_id),
            purpose="treatment",
            correlation_id=change.correlation_id,
            clinic_time=change.proposed_at + timedelta(seconds=int(limit_s)),
        )
        try:
            settle_refused(uow, change, words.NO_ANSWER)
        finally:
            uow.context = before
