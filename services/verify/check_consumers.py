"""Every event on a topic that a service reads has been applied there."""

from __future__ import annotations

from verify.check_sequences import last_sequences
from verify.contract import event_topics
from verify.outcome import Check, Outcome
from verify.world import World


def applied(world: World) -> Outcome:
    """The last sequence that a service applied of each key is the last one on the topic. What it reads is what it keeps offsets of."""
    outcome = Outcome()
    asked, known = last_sequences(world.before), last_sequences(world.log)
    for service in world.databases.services:
        read = {row.topic for row in world.databases.rows(service, "SELECT DISTINCT topic FROM consumer_offset")}
        positions = {
            (row.topic, row.key): row.last
            for row in world.databases.rows(service, "SELECT topic, key, last FROM inbox_position")
        }
        for (topic, key), last in sorted(asked.items()):
            if topic in read:
                done = positions.get((topic, key), 0)
                outcome.look(done >= last, f"{service}: {topic} {key} is applied to {done} of {last}")
        for (topic, key), done in sorted(positions.items()):
            outcome.look(
                done <= known.get((topic, key), 0),
                f"{service}: {topic} {key} is applied to {done}, which is not on the topic",
            )
    return outcome


def read_to_the_end(world: World) -> Outcome:
    """The next offset of each partition that a service reads lies behind the last event there; watermarks may come after it."""
    outcome = Outcome()
    for service in world.databases.services:
        rows = world.databases.rows(
            service, "SELECT topic, partition, next FROM consumer_offset ORDER BY topic, partition"
        )
        following = {(row.topic, row.partition): row.next for row in rows}
        topics = {topic for topic, _ in following}
        for place in sorted(place for place in world.before.ends if place[0] in topics):
            last = world.before.ends[place] - 1
            if place[0] in event_topics():
                events = [record for record in world.before.records.get(place, []) if not record.is_watermark]
                last = events[-1].offset if events else -1
            done = following.get(place)
            outcome.look(
                done is not None and done > last, f"{service}: {place[0]}[{place[1]}] is not read to its last event"
            )
            outcome.look(
                done is None or done <= world.log.ends.get(place, 0),
                f"{service}: {place[0]}[{place[1]}] is read past its end",
            )
    return outcome


CHECKS = (Check("events.applied", applied), Check("events.read_to_the_end", read_to_the_end))
