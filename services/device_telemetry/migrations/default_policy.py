"""The limits that the network ships with, as rows: defaults that a medical director reviews and signs for each site.

House defaults after published practice: the label of esketamine (BP above 140/90 before a dose: weigh a delay), a clinic that
treats 180/110 twice within 5 minutes or 200/120 once, Aldrete's oxygenation thresholds 92 and 90 %. Medium asks for attention,
high asks for a pause.
"""

from uuid import UUID, uuid5

_ROWS = UUID("0d1b1c52-64a7-5d0c-8d53-7f1a4f3c9b01")
_FROM = "2020-01-01 00:00:00+00"
_MARK = "default, to be reviewed"
_MEDIUM, _HIGH = 2, 3

# kind, metric, side, bound, inclusive, priority, must last s, must be repeated within s
_LIMITS = (
    ("sbp.high.caution", "sbp", "high", 160, True, _MEDIUM, 0, 0),
    ("sbp.high.repeated.stop", "sbp", "high", 180, True, _HIGH, 0, 300),
    ("sbp.high.stop", "sbp", "high", 200, True, _HIGH, 0, 0),
    ("sbp.low.caution", "sbp", "low", 90, False, _MEDIUM, 0, 0),
    ("sbp.low.stop", "sbp", "low", 80, False, _HIGH, 0, 0),
    ("dbp.high.caution", "dbp", "high", 100, True, _MEDIUM, 0, 0),
    ("dbp.high.repeated.stop", "dbp", "high", 110, True, _HIGH, 0, 300),
    ("dbp.high.stop", "dbp", "high", 120, True, _HIGH, 0, 0),
    ("map.low.stop", "map", "low", 55, False, _HIGH, 0, 0),
    ("hr.low.caution", "hr", "low", 50, False, _MEDIUM, 0, 0),
    ("hr.low.stop", "hr", "low", 40, False, _HIGH, 0, 0),
    ("hr.high.caution", "hr", "high", 120, False, _MEDIUM, 0, 0),
    ("hr.high.stop", "hr", "high", 130, False, _HIGH, 300, 0),
    ("spo2.low.caution", "spo2", "low", 92, False, _MEDIUM, 30, 0),
    ("spo2.low.stop", "spo2", "low", 90, False, _HIGH, 15, 0),
    ("rr.low.caution", "rr", "low", 10, False, _MEDIUM, 0, 0),
    ("rr.low.stop", "rr", "low", 8, False, _HIGH, 0, 0),
)

# kind, metrics that are all silent, after s, priority, watched from the start of an infusion even if never seen.
# The cuff: a reading every 5 minutes and 60 s.
_SILENCES = (
    ("hr.silent", "hr", 30, _MEDIUM, True),
    ("spo2.silent", "spo2", 30, _MEDIUM, True),
    ("nibp.silent", "sbp", 360, _MEDIUM, True),
    ("hr_spo2.silent", "hr,spo2", 60, _HIGH, True),
)

_SECONDS = (
    # A silence limit is never below twice the declared period and this.
    ("feed_slack", 15),
    # The echo that a start rests on is not older.
    ("echo_age", 120),
    # A pump's clock may run this much behind the authorisation, a message's sample this much ahead of its sending.
    ("clock_tolerance", 5),
    # Machine time: a live session from which nothing comes for so long raises a technical alarm.
    ("log_stopped", 60),
)


def _statement(table: str, key: str, values: str) -> str:
    row_id = uuid5(_ROWS, f"{table}:{key}")
    return f"INSERT INTO {table} VALUES ('{row_id}', NULL, {values}, '{_FROM}', NULL, '{_MARK}')"


STATEMENTS = (
    *(
        _statement(
            "alarm_limit",
            kind,
            f"'{kind}', '{metric}', '{side}', {bound}, {inclusive}, {priority}, {lasts_s}, {again_s}",
        )
        for kind, metric, side, bound, inclusive, priority, lasts_s, again_s in _LIMITS
    ),
    *(
        _statement("silence_limit", kind, f"'{kind}', '{metrics}', {after_s}, {priority}, {required}")
        for kind, metrics, after_s, priority, required in _SILENCES
    ),
    *(_statement("telemetry_policy", name, f"'{name}', {seconds}") for name, seconds in _SECONDS),
)
