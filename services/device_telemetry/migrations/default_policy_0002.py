"""What revision 0002 adds to the policy that the network ships with: relative limits, escalation, pauses, volumes."""

from typing import Final

_FROM: Final = "2020-01-01 00:00:00+00"
_HOUSE: Final = "house policy"
_OPEN_PCA: Final = "Open PCA System Requirements 1.0.0 (2020)"
_LOW, _MEDIUM, _HIGH = 1, 2, 3

# kind, metric, side, bound in percent of the person's own baseline, priority
RELATIVE_LIMITS: Final = (
    ("sbp.rise.caution", "sbp", "high", 130, _MEDIUM),
    ("dbp.rise.caution", "dbp", "high", 130, _MEDIUM),
    ("sbp.fall.caution", "sbp", "low", 70, _MEDIUM),
)

# kind, seconds, priority: a pump that infuses and says nothing while the session's log goes on.
PUMP_SILENCE: Final = ("pump.silent", 60, _MEDIUM)

# priority, repetition, seconds after it was raised, who is told then. After the last one it goes on at the same distance.
ESCALATIONS: Final = (
    (_HIGH, 1, 60, "nurse"),
    (_HIGH, 2, 120, "charge_nurse"),
    (_HIGH, 3, 180, "prescriber"),
    (_MEDIUM, 1, 180, "nurse"),
    (_MEDIUM, 2, 360, "charge_nurse"),
    (_MEDIUM, 3, 600, "prescriber"),
    (_LOW, 1, 600, "nurse"),
    (_LOW, 2, 1200, "charge_nurse"),
)

# code, value, unit, source
NUMBERS: Final = (
    # Paused for longer, or at a stop limit for the second time: only who may sign lets it go on.
    ("pause_limit", "1800", "s", _HOUSE),
    ("stop_limits_before_sign", "2", "{count}", _HOUSE),
    # Alarms of this priority and above mean that a vital sign is outside its limits, at a resume.
    ("resume_alarm_priority", "2", "{priority}", _HOUSE),
    # What is still to go in must be what was ordered without what went in.
    ("remaining_tolerance", "0.5", "mL", _HOUSE),
    # Rate times time is a cross-check of the counter: further apart than the larger of these is a discrepancy.
    ("discrepancy_percent", "5", "%", _HOUSE),
    ("discrepancy_volume", "0.5", "mL", _HOUSE),
    # Too fast or too slow: out of the larger tolerance in every stretch, for longer than the window.
    ("flow_tolerance_percent", "5", "%", _HOUSE),
    ("flow_tolerance_volume", "0.1", "mL", _HOUSE),
    ("flow_stretch", "60", "s", _HOUSE),
    ("flow_window", "300", "s", _OPEN_PCA),
    ("reservoir_low", "1", "mL", _OPEN_PCA),
    ("reservoir_empty", "0.5", "mL", _OPEN_PCA),
    ("battery_low", "3", "min", _OPEN_PCA),
    # IEC 60601-1-8: an alarm of this priority and above stays, after its condition is over, until somebody acknowledges it.
    ("latching_priority", "3", "{priority}", "IEC 60601-1-8"),
)

# Published sources of what revision 0001 shipped.
_SOURCES: Final = (
    ("alarm_limit", "kind_code LIKE 'spo2.%'", "modified Aldrete score, oxygenation thresholds 92 and 90 %"),
    (
        "alarm_limit",
        "kind_code IN ('sbp.high.repeated.stop', 'sbp.high.stop', 'dbp.high.repeated.stop', 'dbp.high.stop')",
        "published practice of an academic esketamine clinic: above 180/110 twice 5 minutes apart, 200/120 once",
    ),
)

STATEMENTS: Final = (
    *(f"UPDATE {table} SET source = '{source}' WHERE {which}" for table, which, source in _SOURCES),
    *(
        "INSERT INTO alarm_limit (kind_code, metric, side, bound, inclusive, priority, duration_s, confirm_s, unit, effective_from)"
        f" VALUES ('{kind}', '{metric}', '{side}', {bound}, true, {priority}, 0, 0, '%{{baseline}}', '{_FROM}')"
        for kind, metric, side, bound, priority in RELATIVE_LIMITS
    ),
    "INSERT INTO silence_limit (kind_code, metrics, after_s, priority, required, effective_from)"
    f" VALUES ('{PUMP_SILENCE[0]}', 'pump', {PUMP_SILENCE[1]}, {PUMP_SILENCE[2]}, true, '{_FROM}')",
    *(
        "INSERT INTO alarm_escalation (priority, repetition, after_s, escalated_to, effective_from)"
        f" VALUES ({priority}, {repetition}, {after_s}, '{who}', '{_FROM}')"
        for priority, repetition, after_s, who in ESCALATIONS
    ),
    *(
        "INSERT INTO policy_number (policy_code, value, unit, source, effective_from)"
        f" VALUES ('{code}', {value}, '{unit}', '{source}', '{_FROM}')"
        for code, value, unit, source in NUMBERS
    ),
)
