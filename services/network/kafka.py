"""One embedded Kafka broker: formatted once, started as a child, found again on the same port, never left behind."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import psutil

from network.children import Child, Steps, find_processes, spawn, stop_orphans
from network.java import RECORDING_FLAG, AotCache, java_environment, java_program
from network.kafka_format import KafkaFailed, format_data, new_cluster_id
from network.kafka_settings import JVM_FLAGS, READY, Member, NodeSettings, logging_file
from network.ports import PortBook

__all__ = ["Kafka", "KafkaFailed"]

# SIGTERM is Kafka's controlled shutdown. Where it is also recording its AOT cache, Java needs some seconds more.
_STOP: Steps = ((signal.SIGTERM, 30.0),)
_STOP_ORPHAN: Steps = ((signal.SIGTERM, 15.0),)
_START_SECONDS = 60.0
_PORT_ATTEMPTS = 3


class Kafka:
    """One broker, its own controller, under `home`; alone, or one of `nodes` (see `KafkaCluster`)."""

    def __init__(
        self,
        home: Path,
        jars: Sequence[Path],
        *,
        ports: PortBook | None = None,
        settings: Mapping[str, str] | None = None,
        jvm: Sequence[str] = JVM_FLAGS,
        node: int = 1,
        nodes: Sequence[int] = (1,),
    ) -> None:
        self._jars = list(jars)
        self._ports = ports or PortBook(home / "ports.json")
        self._overrides = dict(settings or {})
        self._jvm = list(jvm)
        self._node = node
        self._nodes = list(nodes)
        self._root = home.resolve() / ("kafka" if len(self._nodes) == 1 else f"kafka-{node}")
        self._properties = self._root / "server.properties"
        self._data = self._root / "data"
        name = self._root.name
        self.log = home.resolve() / "logs" / f"{name}.log"
        self._output = home.resolve() / "logs" / f"{name}.out"
        self._aot = AotCache(self._jars)
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the broker that this object started, None if it does not run."""
        return self._child.pid if self._child is not None and self._child.poll() is None else None

    @property
    def port(self) -> int:
        """The port that clients use, running or not."""
        return self._known(self._port_name(self._node))

    @property
    def bootstrap(self) -> str:
        """The address that clients use."""
        return f"127.0.0.1:{self.port}"

    def poll(self) -> int | None:
        """None while it runs (or before the first start), else its exit code."""
        return self._child.poll() if self._child is not None else None

    def choose_ports(self) -> None:
        """Settle this broker's two ports; its predecessor must be dead. Every broker of a cluster before any starts."""
        self._ports.port(self._port_name(self._node))
        self._ports.port(self._controller_name(self._node))

    def format(self, cluster_id: str | None = None) -> None:
        """Make the data directory if there is none. One that was begun and not finished does not count."""
        if self._data.exists():
            return
        self._write_settings()
        scratch = self._root / "data.new"
        settings = replace(self._settings(), data=scratch)
        # The broker's AOT cache fits the tool too, being made on the same class path.
        format_data(self._jars, settings, cluster_id or new_cluster_id(), [self._logging_flag(), *self._aot.flags()])
        os.rename(scratch, self._data)

    def start(self, timeout: float = _START_SECONDS) -> None:
        """Start the broker and return when it serves; a predecessor that still runs is stopped first."""
        if self.pid is not None:
            return
        self.stop_orphans()
        alone = len(self._nodes) == 1
        if alone:
            self.choose_ports()
        self.format()
        for attempt in range(1, _PORT_ATTEMPTS + 1):
            self._write_settings()
            self._child = self._spawn()
            try:
                self._await_ready(self._child, timeout)
                return
            except KafkaFailed as failed:
                self.kill()
                # A cluster's ports are known to its other members, so only a broker alone can move.
                if not alone or attempt == _PORT_ATTEMPTS or "Address already in use" not in str(failed):
                    raise
                self._ports.renew(self._port_name(self._node))
                self._ports.renew(self._controller_name(self._node))

    def stop(self) -> None:
        """Stop it cleanly; the first clean stop also leaves the AOT cache that later starts use."""
        if self._child is None:
            return
        self._child.stop(_STOP)
        self._aot.end_recording(keep=True)

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would."""
        if self._child is not None:
            self._child.kill()
        self._aot.end_recording(keep=False)

    def stop_orphans(self) -> None:
        """Stop a broker of this home that a dead predecessor left. Its lock files are held by it and go with it."""
        orphans = self.running()
        # One that records for the AOT cache would spend seconds on what nobody is left to keep.
        recording = [process for process in orphans if any(RECORDING_FLAG in word for word in process.cmdline())]
        stop_orphans(recording, ())
        stop_orphans((process for process in orphans if process not in recording), _STOP_ORPHAN)
        self._aot.end_recording(keep=False)

    def running(self) -> list[psutil.Process]:
        """Every process that runs on this broker's properties file, whoever started it."""
        mine = str(self._properties)
        return find_processes(lambda process: process.name() == "java" and process.cmdline()[-1:] == [mine])

    def _spawn(self) -> Child:
        flags = [*self._jvm, self._logging_flag(), *self._aot.flags(), *self._aot.begin_recording()]
        program = java_program(self._jars, flags, ["kafka.Kafka", str(self._properties)])
        return spawn(self._root.name, program, output=self._output, append=False, environment=java_environment())

    def _await_ready(self, child: Child, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while READY not in self._said():
            if child.poll() is not None:
                raise KafkaFailed(f"Kafka ended while it started:\n{self._said()}\n{self._log_tail()}")
            if time.monotonic() > deadline:
                raise KafkaFailed(f"Kafka was not ready within {timeout:.0f} s:\n{self._said()}\n{self._log_tail()}")
            select.select([], [], [], 0.02)
        socket.create_connection(("127.0.0.1", self.port), timeout=5).close()

    def _said(self) -> str:
        return self._output.read_text(errors="replace")[-4000:]

    def _log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-4000:] if self.log.exists() else ""

    def _write_settings(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(self._settings().properties())
        (self._root / "log4j2.xml").write_text(logging_file(self.log))

    def _logging_flag(self) -> str:
        return f"-Dlog4j2.configurationFile={(self._root / 'log4j2.xml').as_uri()}"

    def _settings(self) -> NodeSettings:
        members = [
            Member(node, self._known(self._port_name(node)), self._known(self._controller_name(node)))
            for node in self._nodes
        ]
        return NodeSettings(self._node, members, self._data, self._overrides)

    def _known(self, name: str) -> int:
        port = self._ports.known(name)
        if port is None:
            raise KafkaFailed("this Kafka has never been started")
        return port

    def _port_name(self, node: int) -> str:
        return "kafka" if len(self._nodes) == 1 else f"kafka-{node}"

    def _controller_name(self, node: int) -> str:
        return f"{self._port_name(node)}-controller"
