"""The statements of a booking as pgbench runs them: the service's own, their parameters made of pgbench's variables."""

import re

from chassis.outbox import _PUT
from chassis.unit_of_work import _BEGIN_WITH_REQUEST
from scheduling.commands.booking_statements import _FACTS, _HOLDERS, _TAKE, PLAN_TOPIC
from tests.bench.clinic import CHAIR, FIRST_DAY, INFUSION_MIN, MONITOR, NOW, NURSE, PERSON, PLAN, PUMP, SITE, STEP_H

# What the domain computes with the default policy: preparation 15 min, recovery of a first session 120, cleaning 10,
# interval 24 h, softly 44 h.
_PREPARATION_MIN, _RECOVERY_MIN, _CLEANING_MIN, _INTERVAL_MIN, _SOFT_MIN = 15, 120, 10, 1440, 2640
_TOPIC = "saguaro.scheduling.booking"


def _id(base: int, number: str) -> str:
    return f"('00000000-0000-{base >> 64:04x}-0000-' || lpad(to_hex({number}::int), 12, '0'))::uuid"


_START = f"(timestamptz '{FIRST_DAY.isoformat()}' + :hours::int * interval '1 hour')"
_SESSION = _id(8 << 64, ":person")
_ROOM_IDS = {"chair_id": CHAIR, "pump_id": PUMP, "monitor_id": MONITOR, "nurse_id": NURSE}


def _after(minutes: int) -> str:
    return f"{_START} + interval '{minutes} minutes'"


_INFUSION_END = _PREPARATION_MIN + INFUSION_MIN
_VISIT_END = _INFUSION_END + _RECOVERY_MIN
_PERSON_ID = _id(PERSON, ":person")
_IDS = {name: _id(base, ":room") for name, base in _ROOM_IDS.items()}
_PARAMETERS = {
    **_IDS,
    "plan_topic": f"'{PLAN_TOPIC}'",
    "plan_key": f"{_PERSON_ID}::text",
    "site_id": f"'{SITE}'::uuid",
    "plan_id": _id(PLAN, ":person"),
    "person_id": _PERSON_ID,
    "session_id": _SESSION,
    "starts_at": _START,
    "ordinal": "1",
    "infusion_min": str(INFUSION_MIN),
    "ends_at": _after(_VISIT_END),
    "infusion_starts_at": _after(_PREPARATION_MIN),
    "infusion_ends_at": _after(_INFUSION_END),
    "near_from": _after(_PREPARATION_MIN - (_SOFT_MIN - _INTERVAL_MIN)),
    "near_until": _after(_INFUSION_END + _SOFT_MIN),
    "scope": f"'{SITE}'",
    "person_lock": ":person",
    "now": f"timestamptz '{NOW.isoformat()}'",
    "kinds": "ARRAY['chair', 'pump', 'monitor', 'nurse', 'person']",
    "resources": f"ARRAY[{', '.join(_IDS.values())}, {_PERSON_ID}]",
    "froms": f"ARRAY[{_START}, {_START}, {_START}, {_START}, {_after(_PREPARATION_MIN)}]",
    "untils": (
        f"ARRAY[{_after(_VISIT_END + _CLEANING_MIN)}, {_after(_INFUSION_END)}, {_after(_VISIT_END)}, {_after(_VISIT_END)},"
        f" {_after(_INFUSION_END + _INTERVAL_MIN)}]"
    ),
    "topic": f"'{_TOPIC}'",
    "key": f"{_PERSON_ID}::text",
    "event_id": _SESSION,
    # As long as a real event's headers and value.
    "headers": "repeat('x', 760)",
    "value": "convert_to(repeat('y', 400), 'UTF8')",
}


def _filled(statement: str) -> str:
    """The statement with each named parameter replaced, on one line, as pgbench reads scripts."""
    filled = re.sub(r"%\((\w+)\)s", lambda found: _PARAMETERS[found[1]], statement)
    return " ".join(re.sub(r"--.*", "", filled).split())


def _named(statement: str) -> str:
    """The counts of the statement with names that \\gset can take."""
    for name in ("booked", "claimed"):
        statement = statement.replace(f"count(*) FROM {name})", f"count(*) FROM {name}) AS {name}")
    return statement


def _numbered(statement: str, values: list[str]) -> str:
    pieces = statement.split("%s")
    return " ".join((pieces[0] + "".join(v + p for v, p in zip(values, pieces[1:], strict=True))).split())


_REQUEST = [f"'{SITE}'", _id(9 << 64, ":person")]
_LOOK = _numbered(
    _BEGIN_WITH_REQUEST,
    ["'00000000-0000-0000-0000-000000000001'", "'scheduler'", f"'{SITE}'", "'treatment'", *_REQUEST],
)
_KEEP = (
    "INSERT INTO idempotency (actor_id, request_id, rpc, body_sha256, result_ids)"
    f" VALUES ('{SITE}', {_id(9 << 64, ':person')}, 'BookSession', sha256('x'), repeat('z', 110)) ON CONFLICT DO NOTHING"
)

SCRIPT = f"""\
\\set mine :turn % 10 < 7
\\if :mine
\\set slot :turn * 16 + :client_id
\\else
\\set slot (:turn - 3) * 16 + (:client_id + 1) % 16
\\endif
\\set person :turn * 16 + :client_id
\\set room :slot % :rooms
\\set hours {STEP_H} * (:slot / :rooms)
\\set turn :turn + 1
BEGIN;
{_LOOK};
{_filled(_FACTS)};
{_named(_filled(_TAKE))} \\gset
\\if :claimed = 5
{_filled(_PUT)};
{_KEEP};
COMMIT;
\\else
{_filled(_HOLDERS)};
ROLLBACK;
BEGIN;
{_LOOK};
COMMIT;
\\endif
"""
