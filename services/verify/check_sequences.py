"""Nothing that was raised is lost, nothing stands twice, and each key's events stand in their order.

An event may stand in a topic more than once (a relay that died after sending sends again): records of one id count once.
"""

from __future__ import annotations

from collections import defaultdict

from verify.outcome import Check, Outcome
from verify.topics import Log
from verify.world import World

Key = tuple[str, str]


def last_sequences(log: Log) -> dict[Key, int]:
    """The highest sequence of each topic and key."""
    found: dict[Key, int] = {}
    for record in log.events():
        key = (record.topic, (record.key or b"").decode("utf-8", "replace"))
        found[key] = max(found.get(key, 0), record.sequence or 0)
    return found


def contiguous(world: World) -> Outcome:
    """After taking out repeated ids, the sequences of each key are 1, 2, 3 ... in the order of the log, each with one id."""
    outcome = Outcome()
    seen: set[tuple[str, str]] = set()
    sequences: dict[Key, dict[int, str]] = defaultdict(dict)
    highest: dict[Key, int] = {}
    for record in world.log.events():
        if (record.topic, record.event_id) in seen:
            continue
        seen.add((record.topic, record.event_id))
        key = (record.topic, (record.key or b"").decode("utf-8", "replace"))
        number = record.sequence
        if number is None or number < 1:
            outcome.look(False, f"event {record.event_id} at {record.place}: has no sequence")
            continue
        other = sequences[key].get(number)
        outcome.look(
            other is None, f"{record.topic} {key[1]}: sequence {number} belongs to events {other} and {record.event_id}"
        )
        outcome.look(
            number > highest.get(key, 0) or other is not None,
            f"event {record.event_id} at {record.place}: stands behind a later one of its key",
        )
        sequences[key].setdefault(number, record.event_id)
        highest[key] = max(highest.get(key, 0), number)
    for (topic, text), numbers in sorted(sequences.items()):
        missing = sorted(set(range(1, max(numbers) + 1)) - numbers.keys())
        outcome.look(not missing, f"{topic} {text}: sequences {missing[:5]} are missing")
    return outcome


def all_arrived(world: World) -> Outcome:
    """The last version that each service gave an event of a key is in its topic, or still in the outbox."""
    outcome = Outcome()
    last = last_sequences(world.log)
    owners: dict[Key, str] = {}
    for service in world.databases.services:
        waiting = {
            (row.topic, row.key)
            for row in world.databases.rows(
                service, "SELECT topic, key FROM outbox UNION SELECT topic, key FROM outbox_refused"
            )
        }
        for row in world.databases.rows(service, "SELECT topic, key, last FROM event_sequence ORDER BY topic, key"):
            key = (row.topic, row.key)
            owners[key] = service
            if key not in waiting:
                outcome.look(
                    last.get(key, 0) == row.last or (last.get(key, 0) > row.last and _came_since(world, key, row.last)),
                    f"{service}: {row.topic} {row.key}: the topic does not end with the last event that was raised",
                )
    for topic, text in sorted(last_sequences(world.before).keys() - owners.keys()):
        outcome.look(False, f"{topic} {text}: no service has raised events of this key")
    return outcome


def _came_since(world: World, key: Key, last: int) -> bool:
    """Whether every later event of the key came to the topic only after it was first read: the network is at work."""
    return last_sequences(world.before).get(key, 0) <= last


CHECKS = (Check("events.sequence", contiguous), Check("events.all_arrived", all_arrived))
