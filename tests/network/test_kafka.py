"""The embedded Kafka keeps its records and its port, and leaves nobody behind."""

from __future__ import annotations

import os
import socket
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError

from network.cache import cache_dir
from network.java import RECORDING_FLAG, AotCache
from network.kafka import Kafka
from network.topics import TopicsDiffer, TopicSpec, ensure_topics


def send(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, request_timeout_ms=10_000, reconnect_backoff_max_ms=200)
    try:
        for sent in [producer.send(topic, value, partition=0) for value in values]:
            sent.get(20)
    finally:
        producer.close()


def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000)
    try:
        partition = TopicPartition(topic, 0)
        consumer.assign([partition])
        consumer.seek_to_beginning(partition)
        return [record.value for record in islice(consumer, count)]
    finally:
        consumer.close()


def test_records_and_the_port_survive_a_kill(kafka: Kafka) -> None:
    ensure_topics(kafka.bootstrap, [TopicSpec("kept", 1)])
    values = [b"%d" % n for n in range(500)]
    send(kafka.bootstrap, "kept", values)
    port = kafka.port
    kafka.kill()
    assert kafka.pid is None
    kafka.start()
    assert kafka.port == port
    assert read(kafka.bootstrap, "kept", len(values)) == values


def test_a_broker_that_a_dead_supervisor_left_is_replaced(kafka: Kafka) -> None:
    home = kafka.log.parent.parent
    successor = Kafka(home, kafka._jars, settings={"message.max.bytes": "200000"})
    [left] = successor.running()
    assert left.pid == kafka.pid
    successor.start()
    try:
        assert not left.is_running() or kafka.pid is None
        assert successor.port == kafka.port
    finally:
        successor.stop()
        kafka.start()


def test_topics_are_made_once_and_brought_into_line(kafka: Kafka) -> None:
    spec = TopicSpec("aligned", 3, {"retention.ms": "-1"})
    assert ensure_topics(kafka.bootstrap, [spec]) == ["aligned"]
    assert ensure_topics(kafka.bootstrap, [spec, TopicSpec("second", 1)]) == ["second"]
    assert settings_of(kafka.bootstrap, "aligned") == {"retention.ms": "-1"}
    ensure_topics(kafka.bootstrap, [TopicSpec("aligned", 3, {"max.message.bytes": "1000"})])
    assert settings_of(kafka.bootstrap, "aligned") == {"max.message.bytes": "1000"}
    with pytest.raises(TopicsDiffer, match="aligned has 3, declared 4"):
        ensure_topics(kafka.bootstrap, [TopicSpec("aligned", 4)])


def settings_of(bootstrap: str, topic: str) -> dict[str, str]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])["topic"][topic]
        return {n: e["value"] for n, e in described.items() if e["config_source"] == "DYNAMIC_TOPIC_CONFIG"}
    finally:
        admin.close()


def test_a_topic_that_nobody_declared_is_not_made_by_using_it(kafka: Kafka) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap, max_block_ms=500)
    try:
        with pytest.raises(KafkaError):
            producer.send("mistyped", b"x").get(2)
    finally:
        producer.close()


def test_settings_can_be_overridden(kafka: Kafka) -> None:
    ensure_topics(kafka.bootstrap, [TopicSpec("small", 1)])
    with pytest.raises(KafkaError):
        send(kafka.bootstrap, "small", [os.urandom(300_000)])


def test_two_homes_with_a_broken_aot_cache_and_a_taken_port(
    kafka: Kafka, kafka_jars: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = tmp_path / "cache"
    monkeypatch.setenv("SAGUARO_CACHE", str(ours))
    cache = AotCache(kafka_jars)
    [flag] = cache.begin_recording()
    assert AotCache(kafka_jars).begin_recording() == []
    Path(flag.removeprefix(RECORDING_FLAG)).write_bytes(os.urandom(4096))
    cache.end_recording(keep=True)
    assert cache.flags()

    other = Kafka(tmp_path, kafka_jars)
    other.choose_ports()
    with socket.create_server(("127.0.0.1", other.port)):
        taken = other.port
        other.start()
    try:
        assert other.port not in (taken, kafka.port)
        ensure_topics(other.bootstrap, [TopicSpec("here", 1)])
        send(other.bootstrap, "here", [b"1"])
    finally:
        other.stop()
    assert cache_dir() == ours
    assert kafka.poll() is None
