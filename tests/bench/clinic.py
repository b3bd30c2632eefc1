"""Rooms, nurses, people and plans by number, in the database before the clock runs; which booking asks for which slot.

A room is a chair, a pump, a monitor and a nurse. Ids are made of numbers, so that pgbench can make the same ones.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

CLIENTS = 16
FIRST_DAY = datetime(2026, 9, 1, 6, tzinfo=UTC)
NOW = datetime(2026, 7, 15, 16, tzinfo=UTC)
SITE = UUID(int=0x5173 << 64)
STEP_H = 6
INFUSION_MIN = 40
CHAIR, PUMP, MONITOR, NURSE, PERSON, PLAN = (kind << 64 for kind in range(1, 7))
_KINDS = {"chair": CHAIR, "pump": PUMP, "monitor": MONITOR, "nurse": NURSE}


def fill(connection: Any, rooms: int, people: int) -> None:
    """Everything that a booking is checked against."""
    connection.execute("INSERT INTO site VALUES (%s, 'bench', 'America/Phoenix', %s)", (SITE, NOW))
    with connection.cursor() as cursor:
        with cursor.copy("COPY resource (resource_id, site_id, kind, resource_code) FROM STDIN") as copy:
            for kind, base in _KINDS.items():
                for room in range(rooms):
                    copy.write_row((UUID(int=base + room), SITE, kind, f"{kind}-{room}"))
        with cursor.copy("COPY shift (shift_id, nurse_id, site_id, during) FROM STDIN") as copy:
            for room in range(rooms):
                during = f"[{FIRST_DAY.isoformat()},{(FIRST_DAY + timedelta(days=90)).isoformat()})"
                copy.write_row((UUID(int=room + 1), UUID(int=NURSE + room), SITE, during))
        with cursor.copy(
            "COPY plan (plan_id, person_id, site_id, state, sessions_planned, indication) FROM STDIN"
        ) as copy:
            for number in range(people):
                copy.write_row((UUID(int=PLAN + number), UUID(int=PERSON + number), SITE, "signed", 6, "mdd"))
    connection.execute("VACUUM ANALYZE")


@dataclass(frozen=True)
class Wish:
    """One booking that is asked for: person (and plan) by number, slot by number."""

    person: int
    slot: int

    def room(self, rooms: int) -> int:
        """The room of the slot."""
        return self.slot % rooms

    def starts_at(self, rooms: int) -> datetime:
        """When the slot begins."""
        return FIRST_DAY + timedelta(hours=STEP_H * (self.slot // rooms))


def wishes(bookings: int) -> list[list[Wish]]:
    """For each client its bookings in order. In turns 7, 8 and 9 of ten it asks for the slot of its neighbour, three turns ago.

    The neighbour may just be asking too: then the first one has it. So 70 % of the wishes come true, whoever is faster.
    """
    turns = bookings // CLIENTS // 10 * 10
    return [[Wish(turn * CLIENTS + client, _slot(client, turn)) for turn in range(turns)] for client in range(CLIENTS)]


def _slot(client: int, turn: int) -> int:
    if turn % 10 < 7:
        return turn * CLIENTS + client
    return (turn - 3) * CLIENTS + (client + 1) % CLIENTS
