"""Where the PostgreSQL of a home keeps its data: in the home, unless the account that runs it cannot get there."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from network.account import Account, can_reach, reachable_base, service_account

# A socket's path may have 107 bytes on Linux and 103 on macOS; PostgreSQL adds `/.s.PGSQL.` and the port.
_LONGEST_SOCKET_DIR = 80


class Place:
    """The directory of one PostgreSQL and the account it runs as."""

    def __init__(self, root: Path, account: Account | None, note: Path) -> None:
        self.root = root
        self._note = note
        self.account = account
        self.data = root / "data"

    def give(self, path: Path) -> None:
        """Make this file or directory the account's own."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def socket_dir(self) -> Path:
        """A directory for the Unix socket whose path is short enough; made anew if it is gone."""
        beside = self.root / "run"
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_DIR:
            beside.mkdir(exist_ok=True)
            self.give(beside)
            return beside
        note = self.root / "run.place"
        if note.exists() and Path(note.read_text()).is_dir():
            return Path(note.read_text())
        elsewhere = Path(tempfile.mkdtemp(prefix="saguaro-"))
        self.give(elsewhere)
        note.write_text(str(elsewhere))
        return elsewhere

    def remove(self) -> None:
        """Remove everything, wherever it lies."""
        elsewhere = self.root / "run.place"
        if elsewhere.exists():
            shutil.rmtree(elsewhere.read_text(), ignore_errors=True)
        shutil.rmtree(self.root)
        self._note.unlink(missing_ok=True)


def place_for(home: Path) -> Place:
    """The place of this home's PostgreSQL, made at the first call and remembered in the home from then on."""
    home.mkdir(parents=True, exist_ok=True)
    inside = home.resolve() / "postgres"
    note = home / "postgres.place"
    if note.exists():
        root = Path(note.read_text().strip())
        if not root.is_dir():
            raise RuntimeError(f"{note} says that the data is at {root}, which is gone. Remove the home to begin anew.")
        return Place(root, service_account(owner_of=root), note)
    account = service_account(owner_of=inside)
    if account is None or can_reach(account, home.resolve()):
        root = inside
        root.mkdir(mode=0o700, exist_ok=True)
    else:
        homes = reachable_base(account) / "homes"
        homes.mkdir(exist_ok=True)
        homes.chmod(0o755)
        readable_name = re.sub(r"[^\w-]", "", home.resolve().parent.name) or "home"
        root = Path(tempfile.mkdtemp(dir=homes, prefix=f"{readable_name}-"))
        note.write_text(f"{root}\n")
    place = Place(root, account, note)
    place.give(root)
    return place
