"""The cache outside the checkout: what was fetched once is never fetched again, and nothing in it is trusted unread."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

# A fixed time for every cached file: Java's AOT cache compares the time of each jar, so a jar that is fetched again
# must look the same as before or the AOT cache would silently stop being used.
_FIXED_TIME = 1_577_836_800


class DigestMismatch(Exception):
    """A fetched file is not the file that the lock names."""

    def __init__(self, name: str, expected: str, found: str) -> None:
        super().__init__(
            f"{name}: the fetched file has SHA-256 {found}, but the lock says {expected}. It was not used, and "
            "not kept. Either the repository gave a different file or the lock is wrong: find out which."
        )
        self.expected = expected
        self.found = found


def cache_dir() -> Path:
    """The cache directory: SAGUARO_CACHE, else `saguaro` under the XDG cache directory; made if it is missing."""
    chosen = os.environ.get("SAGUARO_CACHE")
    base = Path(chosen) if chosen else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "saguaro"
    base.mkdir(parents=True, exist_ok=True)
    return base.resolve()


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file as lower-case hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def into_cache(target: Path, sha256: str, fetch: Callable[[Path], Path]) -> Path:
    """Return `target` with exactly the content named by `sha256`, calling `fetch(scratch_dir)` only if it is not there.

    A cached file that no longer has its digest (a torn disk, a hand in the cache) is fetched anew. A fetched file with
    another digest is refused. The move into place is atomic, so two processes may fetch the same file at once.
    """
    if target.is_file() and sha256_of(target) == sha256:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, hence on the same file system: os.replace is atomic only there.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetch-") as scratch:
        fetched = fetch(Path(scratch))
        found = sha256_of(fetched)
        if found != sha256:
            raise DigestMismatch(target.name, sha256, found)
        os.chmod(fetched, 0o644)
        os.utime(fetched, (_FIXED_TIME, _FIXED_TIME))
        os.replace(fetched, target)
    return target
