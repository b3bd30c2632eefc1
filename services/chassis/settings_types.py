"""The shapes of settings: addresses, URLs and keys. Every message says what is wrong; what to do; never the value."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import BeforeValidator, SecretBytes


class Address(NamedTuple):
    """A host and a port; port 0 where something listens means: any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: object, *, least_port: int = 1) -> Address:
    """`host:port` or `[v6]:port`; ValueError otherwise."""
    if isinstance(text, Address):
        return text
    host, colon, port = str(text).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isascii() or not port.isdigit() or not least_port <= int(port) <= 65_535:
        raise ValueError(f"is not host:port with a port from {least_port} to 65535; write it like 127.0.0.1:9092")
    return Address(host, int(port))


def _listen(text: object) -> Address:
    return parse_address(text, least_port=0)


def _addresses(text: object) -> tuple[Address, ...]:
    parts = [part.strip() for part in str(text).split(",")]
    return tuple(parse_address(part) for part in parts)


def _peer(text: object) -> str:
    """`host:port`, or `@file` for a file that holds one and may change: it is read at each connection."""
    peer = str(text)
    if peer.startswith("@"):
        if len(peer) == 1 or not Path(peer[1:]).is_absolute():
            raise ValueError("names no absolute path after @; write @/path/of/the/file")
        return peer
    return str(parse_address(peer))


def _database_url(text: object) -> str:
    try:
        url = urlsplit(str(text))
        port = url.port
    except ValueError:
        raise ValueError("is not a URL; write it like postgresql://role@host:5432/database") from None
    if url.password is not None or "password" in url.query:
        raise ValueError("carries a password; give that in SAGUARO_DATABASE_PASSWORD_FILE")
    if url.scheme != "postgresql" or not (url.username and url.hostname and port and url.path.strip("/")):
        raise ValueError(
            "lacks scheme, role, host, port or database; write it like postgresql://role@host:5432/database"
        )
    return str(text)


def _http_url(text: object) -> str:
    url = urlsplit(str(text))
    if url.scheme not in {"http", "https"} or not url.hostname or url.username or url.query:
        raise ValueError("is not a plain http(s) address; write it like http://127.0.0.1:4318")
    return str(text).rstrip("/")


def _key32(text: object) -> SecretBytes:
    try:
        key = base64.b64decode(str(text), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("is not base64; make one with: openssl rand -base64 32") from None
    if len(key) != 32:
        raise ValueError("is not 32 bytes long; make one with: openssl rand -base64 32")
    return SecretBytes(key)


def _report_file(text: object) -> Path:
    path = Path(str(text))
    if not path.is_absolute() or not path.parent.is_dir():
        raise ValueError("is not an absolute path in a directory that exists; make the directory first")
    return path


Addresses = Annotated[tuple[Address, ...], BeforeValidator(_addresses)]
DatabaseUrl = Annotated[str, BeforeValidator(_database_url)]
HttpUrl = Annotated[str, BeforeValidator(_http_url)]
Key32 = Annotated[SecretBytes, BeforeValidator(_key32)]
Listen = Annotated[Address, BeforeValidator(_listen)]
Peer = Annotated[str, BeforeValidator(_peer)]
ReportFile = Annotated[Path, BeforeValidator(_report_file)]
