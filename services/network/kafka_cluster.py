"""Several embedded brokers as one cluster, for the tests that kill one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from network.kafka import Kafka
from network.kafka_format import new_cluster_id
from network.ports import PortBook


class KafkaCluster:
    """`n` brokers under one home; replication 3 and two in sync if there are three."""

    def __init__(
        self, home: Path, jars: Sequence[Path], n: int = 3, *, settings: Mapping[str, str] | None = None
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        ports = PortBook(home / "ports.json")
        numbers = range(1, n + 1)
        self._id_file = home / "kafka-cluster.id"
        self.nodes = [Kafka(home, jars, ports=ports, settings=settings, node=node, nodes=numbers) for node in numbers]

    @property
    def bootstrap(self) -> str:
        """The addresses of all brokers."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Start every broker that does not run; return when all serve."""
        if not self._id_file.exists():
            self._id_file.write_text(new_cluster_id())
        cluster_id = self._id_file.read_text()
        stopped = [node for node in self.nodes if node.pid is None]
        # A broker counts as ready once a majority of controllers agrees, so they have to start side by side.
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: node.stop_orphans(), stopped))
            for node in stopped:
                node.choose_ports()
            list(pool.map(lambda node: node.format(cluster_id), stopped))
            list(pool.map(lambda node: node.start(), stopped))

    def stop(self) -> None:
        """Stop every broker; side by side, since the last controllers would wait for a majority that has left."""
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: node.stop(), self.nodes))

    def kill(self) -> None:
        """End every broker with SIGKILL."""
        for node in self.nodes:
            node.kill()
