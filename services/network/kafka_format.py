"""Making the data directory of a Kafka broker."""

from __future__ import annotations

import base64
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

from network.java import java_environment, java_program
from network.kafka_settings import NodeSettings


class KafkaFailed(RuntimeError):
    """Kafka could not be formatted or started."""


def new_cluster_id() -> str:
    """A cluster id as Kafka writes them: none begins with a dash, which its tool would take for an option."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made


def format_data(jars: Sequence[Path], settings: NodeSettings, cluster_id: str, flags: Sequence[str]) -> None:
    """Format the directory that the settings name; the caller gives it its place when this has returned."""
    shutil.rmtree(settings.data, ignore_errors=True)
    properties = settings.data.with_suffix(".properties")
    properties.write_text(settings.properties())
    tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(properties)]
    # The cheapest compiler: this lives for a second.
    program = java_program(jars, ["-XX:TieredStopAtLevel=1", *flags], tool)
    done = subprocess.run(program, capture_output=True, text=True, env=java_environment(), check=False)
    if done.returncode != 0:
        raise KafkaFailed(f"formatting failed:\n{done.stdout}{done.stderr}".strip())
