"""Which user PostgreSQL runs as, and what that user can reach.

PostgreSQL refuses to run as root. Where Saguaro is started as root, PostgreSQL runs as an existing account without
rights of its own; no account is made and no permission of an existing file is changed.
"""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

_CANDIDATES = ("postgres", "nobody", "daemon")


@dataclass(frozen=True)
class Account:
    """An existing user of this machine."""

    name: str
    uid: int
    gid: int


def service_account(owner_of: Path | None = None) -> Account | None:
    """The account PostgreSQL must run as, or None if it is simply the user who runs this.

    As root: the owner of `owner_of` if that exists (a data directory keeps its owner for life), else the first of
    SAGUARO_POSTGRES_USER, postgres, nobody, daemon that exists.
    """
    if os.geteuid() != 0:
        return None
    if owner_of is not None and owner_of.exists() and owner_of.stat().st_uid != 0:
        found = owner_of.stat()
        return Account(f"uid {found.st_uid}", found.st_uid, found.st_gid)
    chosen = os.environ.get("SAGUARO_POSTGRES_USER")
    for name in (chosen,) if chosen else _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise RuntimeError(
        f"PostgreSQL cannot run as root, and none of the users {chosen or ', '.join(_CANDIDATES)} exists here. "
        "Start as an ordinary user, or name one in SAGUARO_POSTGRES_USER."
    )


def can_reach(account: Account | None, path: Path) -> bool:
    """Whether the account can read and execute (for a directory: enter) this path, parents and ACLs included."""
    if account is None:
        return os.access(path, os.R_OK | os.X_OK)
    # Asked of the kernel as that user, since mode bits alone do not tell (ACLs, mounts, user namespaces).
    test = ["/bin/sh", "-c", 'test -r "$1" && test -x "$1"', "sh", str(path)]
    try:
        done = subprocess.run(test, user=account.uid, group=account.gid, extra_groups=[], cwd="/", check=False)
    except (PermissionError, OSError) as refused:
        raise RuntimeError(f"this root may not act as {account.name} ({refused}); start as an ordinary user") from None
    return done.returncode == 0


def reachable_base(account: Account) -> Path:
    """A directory of ours, outside every home, that the account can enter: for what it cannot reach where it is."""
    state = os.environ.get("XDG_STATE_HOME")
    candidates = [Path(state) / "saguaro"] if state else []
    candidates += [Path("/var/lib/saguaro"), Path(tempfile.gettempdir()) / f"saguaro-{os.geteuid()}"]
    for base in candidates:
        try:
            if not base.exists():
                base.mkdir()
                base.chmod(0o755)  # whatever the umask
            status = base.lstat()
        except OSError:
            continue
        # In a directory that everybody may write, someone else could have made it first.
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
        if ours and can_reach(account, base):
            return base
    raise RuntimeError(f"found no directory that {account.name} can reach; tried {', '.join(map(str, candidates))}")
