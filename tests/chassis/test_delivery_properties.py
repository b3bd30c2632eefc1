"""Whatever the delivery does, each event has one effect, in its key's order."""

from collections.abc import Callable
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chassis.database import Database
from tests.chassis.toy.app import POISONOUS
from tests.chassis.toy.harness import Log, name, order, plan

PEOPLE = ("ada", "bea", "cyd")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plans=st.integers(1, 4),
    orders=st.integers(1, 4),
    duplicates=st.integers(0, 8),
    batch=st.integers(1, 7),
    seed=st.integers(0, 2**16),
    poisonous=st.sets(st.sampled_from([f"{person}p{n}" for person in PEOPLE for n in range(1, 5)]), max_size=2),
)
def test_shuffled_doubled_and_poisonous_delivery(
    toy_database: Callable[[], Database],
    plans: int,
    orders: int,
    duplicates: int,
    batch: int,
    seed: int,
    poisonous: set[str],
) -> None:
    """Topics in any order, batches of any size, doubles anywhere, poison mended later: one effect each, order per key kept."""
    log, random = Log(toy_database()), Random(seed)
    POISONOUS.clear()
    POISONOUS.update(name(word) for word in poisonous)
    sent = {"plan": {person: [] for person in PEOPLE}, "order": {person: [] for person in PEOPLE}}  # type: ignore[var-annotated]
    todo = [("plan", person) for person in PEOPLE for _ in range(plans)]
    todo += [("order", person) for person in PEOPLE for _ in range(orders)]
    random.shuffle(todo)
    records = []
    for kind, person in todo:
        place = sent[kind][person]
        number = len(place) + 1
        word = f"{person}{kind[0]}{number}"
        event = plan(person, word) if kind == "plan" else order(person, word, f"{person}p{random.randint(1, plans)}")
        place.append(name(word))
        records.append(log.append(event, number))
        if duplicates and random.random() < 0.4:
            duplicates -= 1
            log.again(random.choice(records))
    topics = list(log.records)
    while any(log.reader.ensure_offset(topic, 0, 0) < len(log.records[topic]) for topic in topics):
        log.poll(random.choice(topics), batch)
    POISONOUS.clear()
    for topic in topics:
        for person in PEOPLE:
            log.reader.parking.drain(topic, name(person), actor="operator")
    log.reader.retry_waiting()
    assert log.parked() == []
    for kind, people in sent.items():
        for person, words in people.items():
            assert log.heard(kind, name(person)) == words
    assert len(log.heard()) == len(todo)
