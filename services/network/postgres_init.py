"""Making the data directory of a PostgreSQL."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from network.postgres_binaries import binaries
from network.postgres_place import Place
from network.postgres_settings import PostgresFailed, environment

_OPTIONS = (
    "--auth-local=scram-sha-256",
    "--auth-host=scram-sha-256",
    "--encoding=UTF8",
    # The builtin provider: the same order on every machine, whatever locales it has or its libc will say next year.
    "--locale-provider=builtin",
    "--locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",
)


def init_data(place: Place, superuser: str, password: str) -> None:
    """Make the data directory of this place, with one superuser.

    It is made beside and renamed when complete: whoever is killed here leaves nothing that looks like a database.
    """
    scratch = Path(tempfile.mkdtemp(dir=place.root, prefix="init-"))
    place.give(scratch)
    secret = scratch / "password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    place.give(secret)
    account = place.account
    program = [str(binaries(account) / "initdb"), *_OPTIONS, "--pgdata", str(scratch / "data")]
    done = subprocess.run(
        [*program, "--username", superuser, "--pwfile", str(secret)],
        capture_output=True,
        text=True,
        cwd="/",
        env=environment(),
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    secret.unlink()
    if done.returncode != 0:
        raise PostgresFailed(f"initdb failed:\n{done.stderr.strip()}")
    os.rename(scratch / "data", place.data)
    scratch.rmdir()
