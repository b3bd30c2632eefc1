"""Sealed values: AES-256-GCM with a data key for each subject, wrapped by the service's own sealing key.

A sealed value is 1 byte version, 12 bytes nonce, ciphertext with tag; the subject is authenticated with it, so a value moved to another
subject's row does not open. Erasing a subject is dropping its row of `sealing_key`.
"""

import os
import time
from collections import OrderedDict
from threading import Lock
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12
_CACHED_KEYS = 10_000
# A subject that another process erased is forgotten here after this long.
_REMEMBERED_S = 300.0


class SealBroken(Exception):
    """A sealed value does not open: wrong key, wrong subject or damaged bytes. Says nothing of its content."""


class KeyStore(Protocol):
    """Where wrapped data keys live: the transaction that is open."""

    def wrapped_key(self, subject_id: str) -> tuple[bytes, bool] | None:
        """The key, and whether it is on record: not while the open transaction itself made it."""

    def keep_wrapped_key(self, subject_id: str, wrapped: bytes) -> bytes:
        """Keeps it unless there is one already; returns the one that is kept."""


def _encrypt(key: bytes, subject_id: str, plain: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, plain, subject_id.encode())


def _decrypt(key: bytes, subject_id: str, sealed: bytes) -> bytes:
    if len(sealed) <= 1 + _NONCE_BYTES or sealed[:1] != _VERSION:
        raise SealBroken("not a sealed value")
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, body, subject_id.encode())
    except InvalidTag:
        raise SealBroken("the key or the subject is not the one it was sealed with") from None


class Sealer:
    """Seals and opens for one process. Data keys are remembered, bounded, and only once their row is on record.

    A key that was made in a transaction that rolls back must not outlive it: what a later transaction sealed with it would never open
    again. So the transaction that makes a key reads it from its own row each time.
    """

    def __init__(self, sealing_key: bytes) -> None:
        if len(sealing_key) != 32:
            raise ValueError("the sealing key must be 32 bytes")
        self._sealing_key = sealing_key
        self._keys: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._lock = Lock()

    def _known(self, subject_id: str) -> bytes | None:
        with self._lock:
            found = self._keys.get(subject_id)
            if found is None:
                return None
            key, until = found
            if time.monotonic() >= until:
                del self._keys[subject_id]
                return None
            self._keys.move_to_end(subject_id)
            return key

    def _remember(self, subject_id: str, key: bytes) -> None:
        with self._lock:
            self._keys[subject_id] = (key, time.monotonic() + _REMEMBERED_S)
            while len(self._keys) > _CACHED_KEYS:
                self._keys.popitem(last=False)

    def forget(self, subject_id: str) -> None:
        """Drops a remembered key, after the erasure of its subject was committed. Other processes forget it within minutes."""
        with self._lock:
            self._keys.pop(subject_id, None)

    def _data_key(self, store: KeyStore, subject_id: str, *, make: bool) -> bytes:
        key = self._known(subject_id)
        if key is not None:
            return key
        found = store.wrapped_key(subject_id)
        if found is not None:
            wrapped, on_record = found
            key = _decrypt(self._sealing_key, subject_id, wrapped)
            if on_record:
                self._remember(subject_id, key)
            return key
        if not make:
            raise SealBroken("there is no key for this subject")
        fresh = AESGCM.generate_key(256)
        kept = store.keep_wrapped_key(subject_id, _encrypt(self._sealing_key, subject_id, fresh))
        # Not remembered: the transaction may still roll back, and then this key was never on record.
        return _decrypt(self._sealing_key, subject_id, kept)

    def seal(self, store: KeyStore, subject_id: str, plain: bytes) -> bytes:
        """Seals bytes for a subject, making its key at first use."""
        return _encrypt(self._data_key(store, subject_id, make=True), subject_id, plain)

    def open(self, store: KeyStore, subject_id: str, sealed: bytes) -> bytes:
        """Opens what `seal` made for the same subject. SealBroken otherwise."""
        return _decrypt(self._data_key(store, subject_id, make=False), subject_id, sealed)
