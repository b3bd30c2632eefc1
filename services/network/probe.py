"""Asks the health pages of processes."""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from typing import Any

_TIMEOUT_S = 2.0


def page(address: str, path: str) -> tuple[int, bytes]:
    """Status and body of a page; status 0 when nobody answers."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    except (OSError, http.client.HTTPException):
        return 0, b""
    finally:
        connection.close()


def is_ready(report: Mapping[str, Any]) -> bool:
    """Whether the process of this report says that it is ready."""
    return page(report["addresses"]["http"], "/ready")[0] == 200


def is_live(report: Mapping[str, Any]) -> bool:
    """Whether the process of this report says that it is live."""
    return page(report["addresses"]["http"], "/live")[0] == 200
