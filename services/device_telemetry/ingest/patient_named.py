"""Whether the patient that a device names (PID-3) can be the person of the session that it is attached to.

House policy: data go to the session that the device was attached to, by the device's id; a PID that contradicts the attachment is kept
unassigned for an operator, never charted, and is a technical alarm. Saguaro's own ids are compared with the person and the session. Of
another numbering the first identifier that any device of the session names is kept, sealed, and each later one must agree with it.
"""

import json
import re
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from chassis.unit_of_work import UnitOfWork
from device_telemetry.device_alarms import clear_device_alarm, raise_device_alarm
from device_telemetry.domain.alarm_kinds import WRONG_PERSON

_OURS: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_SESSION: Final = "SELECT person_id, site_id FROM infusion_session WHERE session_id = %s"
_NAMED: Final = "SELECT identifiers_sealed FROM session_patient WHERE session_id = %s"
_KEEP: Final = """
INSERT INTO session_patient (session_id, person_id, site_id, identifiers_sealed) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_ALARMED: Final = (
    "SELECT 1 FROM alarm WHERE session_id = %s AND device_id = %s AND kind_code = %s AND cleared_at IS NULL"
)


def judge(uow: UnitOfWork, session_id: str, device_id: str, patients: Sequence[str], at_ms: int) -> bool:
    """Whether the device names somebody else; an alarm of the session from then until it names the person again."""
    other = contradicts(uow, session_id, patients)
    if other:
        raise_device_alarm(uow, session_id, device_id, WRONG_PERSON, at_ms)
    elif patients:
        # The board of a session is locked to change it, so it is asked first.
        ids = (UUID(session_id), UUID(device_id), WRONG_PERSON.code)
        if uow.driver.execute(_ALARMED, ids).fetchone() is not None:
            clear_device_alarm(uow, session_id, device_id, WRONG_PERSON, at_ms)
    return other


def contradicts(uow: UnitOfWork, session_id: str, patients: Sequence[str]) -> bool:
    """True when the identifiers name somebody else. A message without identifiers contradicts nothing."""
    if not patients:
        return False
    session = uow.driver.execute(_SESSION, (UUID(session_id),)).fetchone()
    if session is None:
        return False
    ours = {text.lower() for text in patients if _OURS.fullmatch(text)}
    if ours:
        return not ours & {str(session[0]), session_id}
    subject = f"session_patient:{session_id}"
    row = uow.driver.execute(_NAMED, (UUID(session_id),)).fetchone()
    if row is None:
        sealed = uow.seal(subject, json.dumps(sorted(patients)))
        uow.driver.execute(_KEEP, (UUID(session_id), session[0], session[1], sealed))
        # Another device of the session may have been first.
        row = uow.driver.execute(_NAMED, (UUID(session_id),)).fetchone()
    return not set(json.loads(uow.open(subject, bytes(row[0])))) & set(patients)
