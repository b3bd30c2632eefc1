"""The jars of Apache Kafka: fetched side by side, each checked against the lock before Java sees it.

`python -m network.jars lock` resolves the list anew (a maintainer's act: read the difference before committing it).
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import requests
from jgo.maven import MavenContext

from network.cache import cache_dir, into_cache, sha256_of
from network.progress import Progress

KAFKA = "org.apache.kafka:kafka_2.13:4.4.0"
LOCK = Path(__file__).resolve().parents[2] / "deploy" / "local" / "kafka.lock"

_LINE = re.compile(r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+) (?P<sha256>[0-9a-f]{64})")
_AT_ONCE = 8
_ATTEMPTS = 3


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str = ""

    @property
    def file_name(self) -> str:
        """The name of the file, as Maven names it."""
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def read_lock(path: Path = LOCK) -> list[Jar]:
    """The jars that the lock names, in its order, which is the order of the class path."""
    jars = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if line.startswith("#") or not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"{path.name}, line {number}: expected `group:artifact:version sha256`")
        jars.append(Jar(**match.groupdict()))
    return jars


def fetch(progress: Progress, lock: Path = LOCK) -> list[Path]:
    """Every jar of the lock in the cache, its digest checked now, in class-path order; fetches only what is missing."""
    jars = read_lock(lock)
    folder = cache_dir() / "jars"
    with progress.step("Apache Kafka", total=len(jars)) as step, ThreadPoolExecutor(_AT_ONCE) as pool:

        def one(jar: Jar) -> Path:
            place = into_cache(folder / jar.file_name, jar.sha256, lambda scratch: _download(jar, scratch))
            step.advance()
            return place

        return list(pool.map(one, jars))


def resolve() -> list[Jar]:
    """Ask the repository what Kafka needs at run time, and return it with the digests of what it gives."""
    with tempfile.TemporaryDirectory() as scratch:
        context = _context(Path(scratch))
        roots, needed = context.resolver.resolve([context.create_dependency(KAFKA)])
        found = [Jar(d.groupId, d.artifactId, d.version) for d in (*roots, *needed)]
        log4j = next(jar.version for jar in found if jar.artifact == "log4j-core")
        # Added by hand: resolved as a second root, the pom of log4j would decide the version of kafka-clients (3.9).
        found.append(Jar("org.apache.logging.log4j", "log4j-slf4j-impl", log4j))
        found.sort(key=lambda jar: (jar.group, jar.artifact))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            files = list(pool.map(lambda jar: _download(jar, Path(scratch)), found))
        return [Jar(j.group, j.artifact, j.version, sha256_of(f)) for j, f in zip(found, files, strict=True)]


def write_lock(jars: list[Jar], path: Path = LOCK) -> None:
    """Write the lock."""
    head = f"# What {KAFKA} needs at run time, and log4j-slf4j-impl. Made by `python -m network.jars lock`.\n"
    path.write_text(head + "".join(f"{jar} {jar.sha256}\n" for jar in jars))


def _context(repository: Path) -> MavenContext:
    # A site without a way to Maven Central names its mirror; the digests make any mirror as good as the original.
    mirror = os.environ.get("SAGUARO_MAVEN_MIRROR")
    return MavenContext(repo_cache=repository, remote_repos={"mirror": mirror} if mirror else None, timeout=30)


def _download(jar: Jar, scratch: Path) -> Path:
    for attempt in range(1, _ATTEMPTS + 1):
        # A directory of its own for each attempt: jgo writes in place, so a torn download would look complete.
        context = _context(Path(tempfile.mkdtemp(dir=scratch)))
        try:
            return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
        except (requests.RequestException, RuntimeError, OSError) as error:
            if attempt == _ATTEMPTS:
                raise RuntimeError(f"could not fetch {jar} from the Maven repository: {error}") from error
    raise AssertionError("unreachable")


def main(arguments: list[str]) -> int:
    """`lock` writes the lock anew; `fetch` fills the cache."""
    if arguments == ["lock"]:
        jars = resolve()
        write_lock(jars)
        print(f"{len(jars)} jars written to {LOCK.name}")
        return 0
    if arguments == ["fetch"]:
        with Progress() as progress:
            fetch(progress)
        return 0
    print("usage: python -m network.jars lock|fetch", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
