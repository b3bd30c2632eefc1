"""The other services that a command may ask: `peers.some_name.SomeRpc(request)`.

Addresses come from settings (SAGUARO_PEER_<NAME>). The contract of a peer is found by its name: peer `some_name` is
`SomeNameServiceStub` in `saguaro.some_name.v1.service_pb2_grpc`. grpc is imported at the first question, because
commands are imported by workers too, which must never import it.
"""

import threading
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from chassis.errors import Unavailable
from chassis.remote import PEER_UNAVAILABLE

if TYPE_CHECKING:
    from chassis.grpc_client import Client


class Peers:
    """One client for each peer, made when first asked. Calls take context and deadline from the call being answered."""

    def __init__(self, targets: Mapping[str, str]) -> None:
        self._targets = dict(targets)
        self._clients: dict[str, Client[Any]] = {}
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        """Looks like the generated stub of the peer. Unavailable when no address is set: decisions fail closed."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.client(name).calls

    def client(self, name: str) -> "Client[Any]":
        """The client of a peer, for a call in another context or with another deadline."""
        with self._lock:
            found = self._clients.get(name)
            if found is None:
                found = self._clients[name] = self._made(name)
        return found

    def _made(self, name: str) -> "Client[Any]":
        target = self._targets.get(name)
        if target is None:
            raise Unavailable(PEER_UNAVAILABLE, rule=f"no address is set: SAGUARO_PEER_{name.upper()}")
        from chassis.grpc_client import Client  # noqa: PLC0415

        stubs = import_module(f"saguaro.{name}.v1.service_pb2_grpc")
        stub = "".join(part.capitalize() for part in name.split("_")) + "ServiceStub"
        return Client(getattr(stubs, stub), target)
