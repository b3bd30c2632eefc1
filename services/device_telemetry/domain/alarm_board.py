"""The alarms of one session: raised once on entering, cleared once on leaving, driven by its ordered log alone."""

from uuid import UUID, uuid5

from device_telemetry.domain.findings import AlarmOff, AlarmOn, Finding
from device_telemetry.domain.session_state import SessionState

_ALARMS = UUID("6f0b3a52-8a55-5c39-9a86-0d6f1f1f7a11")


def alarm_id_of(session_id: str, kind: str, measured_ms: int, ordinal: int) -> str:
    """The same log gives the same ids, however often it is read."""
    return str(uuid5(_ALARMS, f"{session_id}:{kind}:{measured_ms}:{ordinal}"))


def key_of(kind: str, device_id: str) -> str:
    """The key of an alarm that each device has for itself."""
    return f"{kind}@{device_id}"


class AlarmBoard:
    """Turns conditions into findings while one frame is judged."""

    def __init__(self, state: SessionState, device_id: str, found: list[Finding]) -> None:
        self._state = state
        self._device_id = device_id
        self._found = found

    def is_on(self, kind: str) -> bool:
        """Whether an alarm of this kind is on."""
        return kind in self._state.active

    def on(self, kind: str, priority: int, category: int, measured_ms: int, device_id: str = "", key: str = "") -> None:
        """The condition holds; nothing happens if its alarm is on already.

        `key` keeps alarms of one kind apart, where more than one device can have it.
        """
        state, key = self._state, key or kind
        if key in state.active:
            return
        state.alarms_raised += 1
        alarm_id = alarm_id_of(state.session_id, key, measured_ms, state.alarms_raised)
        state.active[key] = alarm_id
        state.told[key] = [max(state.log_ms, measured_ms), priority, 0]
        self._found.append(
            AlarmOn(
                alarm_id,
                kind,
                priority,
                category,
                device_id or self._device_id,
                measured_ms,
                max(state.log_ms, measured_ms),
            )
        )

    def off(self, key: str, at_ms: int) -> None:
        """The condition does not hold; nothing happens if no alarm is on."""
        alarm_id = self._state.active.pop(key, None)
        self._state.told.pop(key, None)
        if alarm_id is not None:
            self._found.append(AlarmOff(alarm_id, at_ms))
