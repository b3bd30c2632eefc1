"""Only the files that the lock names reach Java."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from network import jars
from network.cache import DigestMismatch, into_cache
from network.progress import Progress


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SAGUARO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def fetching(content: bytes, calls: list[Path] | None = None):
    def fetch(scratch: Path) -> Path:
        if calls is not None:
            calls.append(scratch)
        file = scratch / "fetched"
        file.write_bytes(content)
        return file

    return fetch


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_lock_names_one_version_of_kafka_and_a_digest_for_each_jar() -> None:
    lock = jars.read_lock()
    kafka = {jar.version for jar in lock if jar.group == "org.apache.kafka"}
    assert kafka == {"4.4.0"}
    assert "log4j-slf4j-impl" in {jar.artifact for jar in lock}
    assert len({(jar.group, jar.artifact) for jar in lock}) == len(lock)


@pytest.mark.parametrize(
    "line", ["group:artifact:1.0", "group:artifact sha", "group:artifact:1.0 " + "0" * 63, "a:b:c d e"]
)
def test_a_line_that_is_not_a_jar_is_an_error(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "lock"
    lock.write_text(f"# fine\n{line}\n")
    with pytest.raises(ValueError, match="line 2"):
        jars.read_lock(lock)


def test_a_fetched_file_with_another_digest_is_refused_and_not_kept(own_cache: Path) -> None:
    target = own_cache / "jars" / "a.jar"
    with pytest.raises(DigestMismatch) as refused:
        into_cache(target, digest(b"the real one"), fetching(b"another"))
    assert (refused.value.expected, refused.value.found) == (digest(b"the real one"), digest(b"another"))
    assert list(target.parent.iterdir()) == []


def test_a_jar_with_another_digest_stops_the_fetch(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "lock"
    lock.write_text(f"g:good:1 {digest(b'good')}\ng:bad:1 {digest(b'expected')}\n")
    monkeypatch.setattr(jars, "_download", lambda jar, scratch: fetching(jar.artifact.encode())(scratch))
    with pytest.raises(DigestMismatch, match=r"bad-1\.jar.*the lock says"):
        jars.fetch(Progress(quiet=True), lock)


def test_a_cached_file_is_used_without_fetching_and_mended_when_it_rots(own_cache: Path) -> None:
    calls: list[Path] = []
    target = own_cache / "jars" / "a.jar"
    for _ in range(2):
        assert into_cache(target, digest(b"good"), fetching(b"good", calls)).read_bytes() == b"good"
    assert len(calls) == 1
    stamp = target.stat().st_mtime
    target.write_bytes(b"rotten")
    assert into_cache(target, digest(b"good"), fetching(b"good", calls)).read_bytes() == b"good"
    assert len(calls) == 2
    # Java's AOT cache compares this time.
    assert target.stat().st_mtime == stamp
