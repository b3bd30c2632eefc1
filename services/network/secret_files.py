"""Generated secrets, each in a file that only its owner reads."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def secret_in(path: Path) -> str:
    """The secret in this file, generated at the first call (mode 0600, directory 0700)."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        value = path.read_text().strip()
        if value:
            return value
        # Killed between making the file and filling it: nobody can have used an empty secret.
        descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC)
    value = secrets.token_urlsafe(24)
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
    return value
