"""Three brokers: one is killed, and nothing that was acknowledged is lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from network.kafka_cluster import KafkaCluster
from network.topics import TopicSpec, ensure_topics
from tests.network.test_kafka import read, send

pytestmark = pytest.mark.slow


def test_acknowledged_records_outlive_the_broker_that_took_them(kafka_jars: list[Path], tmp_path: Path) -> None:
    cluster = KafkaCluster(tmp_path, kafka_jars)
    cluster.start()
    try:
        ensure_topics(cluster.bootstrap, [TopicSpec("kept", 1)])
        admin = KafkaAdminClient(bootstrap_servers=cluster.bootstrap)
        described = admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, "kept")], config_filter="all")
        assert described["topic"]["kept"]["min.insync.replicas"]["value"] == "2"
        [topic] = admin.describe_topics(["kept"])
        leader = topic["partitions"][0]["leader_id"]
        assert len(topic["partitions"][0]["replica_nodes"]) == 3
        admin.close()

        values = [b"%d" % n for n in range(100)]
        send(cluster.bootstrap, "kept", values[:50])
        cluster.nodes[leader - 1].kill()
        send(cluster.bootstrap, "kept", values[50:])
        assert read(cluster.bootstrap, "kept", 100) == values
        cluster.start()
        assert all(node.pid is not None for node in cluster.nodes)
    finally:
        cluster.kill()
