"""The toy's worker as a real process between a real Kafka and a real PostgreSQL, and everything that may happen to it meanwhile."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chassis.database import Database
from network.kafka import Kafka
from network.topics import TopicSpec, ensure_topics
from tests.chassis.toy.harness import Log, name
from tests.chassis.toy.processes import PLANS, Stand, until
from tests.conftest import Server

pytestmark = pytest.mark.timeout(240)

PEOPLE = 20


@pytest.fixture
def stand(toy_database: Callable[[], Database], server: Server, broker: Kafka, tmp_path: Path) -> Iterator[Stand]:
    """An empty database behind the end of the topics; what is left of the workers is killed."""
    ensure_topics(broker.bootstrap, [TopicSpec(PLANS, 4), TopicSpec("saguaro.treatment_plan.order", 4)])
    ensure_topics(broker.bootstrap, [TopicSpec("saguaro.billing.account", 2, {"max.message.bytes": "20000"})])
    made = Stand(Log(toy_database()), server.password("toy_worker"), broker.bootstrap, tmp_path)
    made.begin_at_the_end()
    yield made
    for worker in made.workers:
        worker.process.kill()
        worker.process.wait()


def test_it_is_not_ready_before_it_has_its_partitions(stand: Stand) -> None:
    worker = stand.start(SAGUARO_KAFKA_BOOTSTRAP="127.0.0.1:9")
    until(lambda: worker.page("/started")[0] == 200)
    status, page = until(lambda: found if (found := worker.page("/ready"))[0] == 503 else None)
    assert status == 503
    assert "NOT_ASSIGNED" in until(lambda: found if "NOT_YET" not in (found := worker.page("/ready")[1]) else None), (
        page
    )
    assert worker.page("/live")[0] == 200
    assert worker.end(signal.SIGTERM) == 0, worker.events()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_it_ends_in_the_middle_of_a_stream_and_its_successor_goes_on(stand: Stand, number: signal.Signals) -> None:
    stand.send(PEOPLE, 100)
    with stand.held():
        first = stand.start()
        until(stand.standing)
        first.process.send_signal(number)
        if number == signal.SIGTERM:
            until(lambda: "draining" in first.events())
    code = first.process.wait(timeout=30)
    assert code == (0 if number == signal.SIGTERM else -number), first.events()
    # Nothing half done: what is applied is what the offsets say.
    left = sum(stand.placed.values()) - sum(stand.offsets().values())
    assert left == PEOPLE * 100 - stand.applied()
    assert left > 0
    second = stand.start()
    stand.assert_all_once_in_order()
    until(second.ready)
    assert "partitions assigned" in second.events()
    assert second.end(signal.SIGTERM) == 0


def test_the_database_is_cut_off_in_the_middle(stand: Stand) -> None:
    stand.send(PEOPLE, 50)
    worker = stand.start()
    with stand.held("person7"):
        until(stand.standing)
        assert stand.cut() >= 2
    stand.assert_all_once_in_order()
    stand.send(PEOPLE, 5)
    stand.assert_all_once_in_order()
    until(worker.ready)
    assert worker.process.poll() is None


def test_a_statement_that_waits_too_long_is_no_fault_of_its_event(stand: Stand) -> None:
    stand.send(PEOPLE, 5)
    worker = stand.start(SAGUARO_STATEMENT_TIMEOUT_SECONDS="0.3")
    # It pauses the partition, longer each time, and polls on.
    with stand.held():
        until(lambda: all(f'"delay_s": {pause},' in worker.said.read_text() for pause in ("0.1", "0.2", "0.4")))
    stand.assert_all_once_in_order()
    assert stand.log.parked() == []
    assert worker.events().count("partitions assigned") == 1


def test_poison_in_the_middle_stops_its_key_alone(stand: Stand) -> None:
    stand.send(PEOPLE, 20)
    stand.start(TOY_POISON=name("person7-11"))
    until(lambda: stand.offsets() == stand.placed)
    sent = stand.sent.pop(name("person7"))
    assert stand.log.heard("plan", name("person7")) == sent[:10]
    assert [reason for reason, _ in stand.log.parked()] == ["poison"] + ["follower"] * 9
    for person, words in stand.sent.items():
        assert stand.log.heard("plan", person) == words


def test_the_broker_goes_and_comes_back_in_the_middle(stand: Stand, broker: Kafka) -> None:
    stand.send(PEOPLE, 50)
    worker = stand.start()
    with stand.held():
        until(stand.standing)
        broker.kill()
    broker.start()
    stand.assert_all_once_in_order()
    stand.send(PEOPLE, 10)
    stand.assert_all_once_in_order()
    until(worker.ready)
    assert worker.process.poll() is None


def test_two_share_the_work_and_one_takes_over(stand: Stand) -> None:
    """A second process joins while the first is at work, then the first is killed: nothing is lost, nothing doubled."""
    stand.send(PEOPLE, 50)
    first = stand.start(0)
    until(lambda: stand.applied() > 0)
    second = stand.start(1)
    until(lambda: "partitions assigned" in second.events())
    stand.send(PEOPLE, 25)
    stand.assert_all_once_in_order()
    stand.send(PEOPLE, 25)
    first.end(signal.SIGKILL)
    stand.assert_all_once_in_order()
    until(second.ready)
    assert second.end(signal.SIGTERM) == 0


def test_a_partition_that_is_paused_in_the_middle_of_a_fetch_goes_on(stand: Stand) -> None:
    """The client itself, without a worker: it forgets such a partition, unless it is resumed in our way."""
    from kafka import TopicPartition

    from chassis.kafka_client import make_consumer, resume_at

    stand.send(PEOPLE, 30)
    consumer = make_consumer(stand.bootstrap, group="pausing", slot="0", client_id="pausing", max_poll_records=7)
    places = {TopicPartition(PLANS, number): start for number, start in stand.offsets().items()}
    consumer.assign(list(places))
    for place, start in places.items():
        consumer.seek(place, start)
    seen: dict[TopicPartition, list[int]] = {place: [] for place in places}
    paused: set[TopicPartition] = set()

    def all_read() -> bool:
        for place, records in consumer.poll(timeout_ms=200).items():
            if len(seen[place]) > 20 and place not in paused:
                paused.add(place)
                consumer.pause(place)
                continue
            seen[place] += [record.offset for record in records]
        for place in paused & consumer.paused():
            if sum(map(len, seen.values())) > len(seen[place]) + 40:
                resume_at(consumer, place, seen[place][-1] + 1)
        return all(len(found) == stand.placed[place.partition] - places[place] for place, found in seen.items())

    until(all_read)
    assert len(paused) >= 2
    for place, start in places.items():
        assert seen[place] == list(range(start, stand.placed[place.partition]))
    consumer.close()
