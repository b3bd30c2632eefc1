"""What a deployment in containers needs once: `saguaro topics`, `saguaro secrets`, and migration of a server given by URL.

Nothing here may import the embedded servers: the image does not have them.
"""

import base64
import os
import secrets as random_secrets
from pathlib import Path
from typing import Annotated

import typer

from cli.output import JsonOption, give
from network.roles import SERVICES, VERIFY

_READABLE = 0o644


def migrate_server(postgres_url: str, secrets_dir: Path) -> dict[str, str]:
    """Makes roles and databases on a server and migrates them; returns the revisions."""
    from sqlalchemy import make_url  # noqa: PLC0415

    from chassis.migrate import migrate  # noqa: PLC0415
    from network.catalogue import indexes  # noqa: PLC0415
    from network.roles import ensure_roles, password_file  # noqa: PLC0415

    ensure_roles(_with_password(postgres_url, secrets_dir), secrets_dir, SERVICES)
    url = make_url(postgres_url)
    found = {}
    for index in indexes():
        owner = f"{index.name}_owner"
        own = f"postgresql://{owner}@{url.host}:{url.port or 5432}/{index.name}"
        found[index.name] = migrate(index, own, password_file(secrets_dir, owner).read_text().strip())
    return found


def _with_password(url: str, secrets_dir: Path) -> str:
    from psycopg.conninfo import make_conninfo  # noqa: PLC0415

    return make_conninfo(url, password=(secrets_dir / "postgres.password").read_text().strip())


def topics(
    kafka: Annotated[str, typer.Option(help="host:port of the cluster.")],
    as_json: JsonOption = False,
) -> None:
    """Makes every topic of the network on a cluster of your own. Safe to repeat."""
    from network.catalogue import indexes, topic_specs  # noqa: PLC0415
    from network.topics import ensure_topics  # noqa: PLC0415

    made = ensure_topics(kafka, topic_specs(indexes()), timeout=60.0)
    give({"ok": True, "made": made}, as_json)


def secrets(
    directory: Annotated[Path, typer.Argument(help="Where the files go.")],
    as_json: JsonOption = False,
) -> None:
    """Generates every password and key of a deployment, one file each. Existing files stay as they are."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    passwords = ["postgres", VERIFY, *(f"{s}_{role}" for s in SERVICES for role in ("owner", "api", "worker"))]
    keys = [f"{s}.{kind}" for s in SERVICES for kind in ("sealing_key", "page_token_key")] + ["intake.match_token_key"]
    made = [
        name
        for name, value in (
            *((f"{name}.password", random_secrets.token_urlsafe(24)) for name in passwords),
            *((name, base64.b64encode(random_secrets.token_bytes(32)).decode()) for name in keys),
        )
        if _write_once(directory / name, value)
    ]
    give({"ok": True, "made": made}, as_json)


def _write_once(path: Path, value: str) -> bool:
    """Readable by others inside a directory that only its owner enters: a container reads it under another uid."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _READABLE)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "w") as file:
        file.write(value + "\n")
    return True
