"""The settings of an embedded Kafka broker, and the files it reads at start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

# Said by the broker when it is unfenced and serves clients. Only this logger speaks at INFO.
READY = "Kafka Server started"

# 256 MB of heap: one broker stays under 250 MB resident in a clinic day. Serial GC needs the least beside the heap.
JVM_FLAGS = ("-Xms64m", "-Xmx256m", "-XX:ReservedCodeCacheSize=64m", "-XX:MaxMetaspaceSize=128m")

_ALWAYS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "listener.security.protocol.map": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "BROKER",
    "controller.listener.names": "CONTROLLER",
    # A topic is declared with its partitions and retention; a typing error must not become a topic.
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "offsets.topic.num.partitions": "8",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "2",
    # A killed broker is refused until the session of its former self has run out (9 s by default). Well above what a
    # busy machine of two cores delays a heartbeat; a broker fenced by mistake is back with its next one.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Threads and buffers of a small machine; the cleaner's buffer alone would take half the heap.
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "num.recovery.threads.per.data.dir": "2",
    "log.cleaner.dedupe.buffer.size": "16777216",
}

# With three brokers: a dead one is noticed, and its partitions are led by another, within about three seconds.
_FAULT_TOLERANT: Mapping[str, str] = {
    "min.insync.replicas": "2",
    "replica.lag.time.max.ms": "3000",
    "controller.quorum.election.timeout.ms": "1000",
    "controller.quorum.fetch.timeout.ms": "2000",
}

_LOGGING = """\
<?xml version="1.0" encoding="UTF-8"?>
<!-- Warnings go to a file of bounded size; readiness goes to standard output, which every start begins anew. -->
<Configuration status="ERROR" shutdownHook="disable">
  <Appenders>
    <Console name="ready"><PatternLayout pattern="%d{{ISO8601}} %p %c %m%n"/></Console>
    <RollingFile name="file" fileName="{log}" filePattern="{log}.%i">
      <PatternLayout pattern="%d{{ISO8601}} %p %c %m%n"/>
      <SizeBasedTriggeringPolicy size="10 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"><AppenderRef ref="ready"/></Logger>
    <Root level="WARN"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
"""


@dataclass(frozen=True)
class Member:
    """One broker of a cluster, which is its own controller too."""

    node: int
    port: int
    controller_port: int


@dataclass(frozen=True)
class NodeSettings:
    """All that `server.properties` of one broker is made of."""

    node: int
    members: Sequence[Member]
    data: Path
    overrides: Mapping[str, str] = field(default_factory=dict)

    def properties(self) -> str:
        """The text of the properties file."""
        me = next(member for member in self.members if member.node == self.node)
        copies = str(min(3, len(self.members)))
        least = str(min(2, len(self.members)))
        settings = {
            **_ALWAYS,
            "node.id": str(self.node),
            "controller.quorum.voters": ",".join(f"{m.node}@127.0.0.1:{m.controller_port}" for m in self.members),
            "listeners": f"BROKER://127.0.0.1:{me.port},CONTROLLER://127.0.0.1:{me.controller_port}",
            "advertised.listeners": f"BROKER://127.0.0.1:{me.port}",
            "log.dirs": str(self.data),
            "default.replication.factor": copies,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": least,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": least,
            **(_FAULT_TOLERANT if len(self.members) > 1 else {}),
            **self.overrides,
        }
        # A backslash would begin an escape.
        return "".join(f"{name}={value}\n" for name, value in settings.items()).replace("\\", "\\\\")


def logging_file(log: Path) -> str:
    """The text of the log4j2 configuration that writes to `log`."""
    return _LOGGING.format(log=log)
