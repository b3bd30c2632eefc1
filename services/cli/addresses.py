"""Addresses of a running network that stay true when a process comes back on another port."""

from collections.abc import Iterator, Mapping

from cli.running import addresses_of
from network.home import Home


class LiveAddresses(Mapping[str, str]):
    """Reads the reports at each look, so that a restarted process is found again; remembers the last while one is down."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._last = addresses_of(home)

    def __getitem__(self, name: str) -> str:
        self._last |= addresses_of(self._home)
        return self._last[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._last)

    def __len__(self) -> int:
        return len(self._last)
