"""An alarm that nobody acknowledges is told again, by the session's own clock, and each time to the next in line.

House policy, as rows by priority: first the nurse, then the charge nurse, then the prescriber. Only while its condition lasts: a
latched alarm stands on the list until it is acknowledged, but is not told again.
"""

from collections.abc import Collection

from device_telemetry.domain.findings import AlarmAgain, Finding
from device_telemetry.domain.policy import Policy, Step
from device_telemetry.domain.session_state import SessionState


def escalate(state: SessionState, policy: Policy, acknowledged: Collection[str], found: list[Finding]) -> None:
    """Adds what is due at the session's clock. `acknowledged`: ids of alarms that are on and acknowledged."""
    # Sorted, as the order of keys is lost where the state is kept.
    for key, alarm_id in sorted(state.active.items()):
        told = state.told.get(key)
        if told is None or alarm_id in acknowledged:
            continue
        detected_ms, priority, repetitions = told
        steps = policy.steps.get(priority, ())
        age_ms = state.log_ms - detected_ms
        if not steps or age_ms < steps[0].after_ms:
            continue
        due = _due(steps, age_ms)
        # Each step of the line is told; what came due beyond it meanwhile is told once.
        line = range(repetitions + 1, min(due, len(steps)) + 1)
        for number in (*line, *((due,) if due > max(len(steps), repetitions) else ())):
            step = steps[min(number, len(steps)) - 1]
            found.append(AlarmAgain(alarm_id, number, priority, step.who, detected_ms + _after_ms(steps, number)))
        told[2] = max(due, repetitions)


def _distance_ms(steps: tuple[Step, ...]) -> int:
    """After the last step it goes on at the distance of the last two."""
    return steps[-1].after_ms - steps[-2].after_ms if len(steps) > 1 else steps[-1].after_ms


def _after_ms(steps: tuple[Step, ...], number: int) -> int:
    if number <= len(steps):
        return steps[number - 1].after_ms
    return steps[-1].after_ms + (number - len(steps)) * _distance_ms(steps)


def _due(steps: tuple[Step, ...], age_ms: int) -> int:
    """How often it should have been told by now."""
    if age_ms < steps[-1].after_ms:
        return sum(step.after_ms <= age_ms for step in steps)
    return len(steps) + (age_ms - steps[-1].after_ms) // _distance_ms(steps)
