"""The settings of one process: read once from the environment, frozen, every mistake reported at once.

Variables are named SAGUARO_<FIELD>. A secret comes as SAGUARO_<NAME> or, better, as the path of a file in
SAGUARO_<NAME>_FILE: exactly one of the two, and no secret has a default. An unknown SAGUARO_ variable is a mistake too,
since it is most often a known one that is spelled wrong. No message and no repr ever shows a value.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pydantic import Field, SecretBytes, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from chassis.settings_environment import PREFIX, Mistake, SettingsError, read_environment
from chassis.settings_types import Address, Addresses, DatabaseUrl, HttpUrl, Key32, Listen, Peer, ReportFile

Kind = Literal["api", "worker", "gateway"]

ALWAYS: Mapping[str, frozenset[str]] = {
    "api": frozenset({"database_url", "database_password", "sealing_key", "page_token_key"}),
    "worker": frozenset({"database_url", "database_password", "sealing_key", "kafka_bootstrap"}),
    "gateway": frozenset(),
}
"""What each kind of process cannot do without."""

ON_REQUEST = frozenset({"stream_listen", "mllp_listen", "match_token_key"})
"""What a process may have only if it asks for it: a secret lies nowhere but where it is used."""

RECORD_OVERHEAD_BYTES = 65_536
"""Room for headers and framing between the largest event and the broker's limit."""


class ProcessSettings(BaseSettings):
    """One process's settings. Made by `load`; a field that this kind of process does not need may be None."""

    model_config = SettingsConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    service: str
    kind: Kind

    database_url: DatabaseUrl | None = None
    database_password: SecretStr | None = None
    pool_size: int = Field(default=16, ge=1, le=200)
    statement_timeout_seconds: float = Field(default=10.0, gt=0, le=300)

    kafka_bootstrap: Addresses | None = None
    kafka_max_event_bytes: int = Field(default=900_000, ge=1_024)
    kafka_broker_max_bytes: int = Field(default=1_048_588, ge=1_024)  # Kafka's own default of message.max.bytes
    kafka_session_timeout_seconds: float = Field(default=6.0, ge=1, le=60)

    grpc_listen: Listen = Address("127.0.0.1", 0)
    grpc_threads: int = Field(default=16, ge=1, le=200)
    http_listen: Listen = Address("127.0.0.1", 0)
    stream_listen: Listen | None = None
    stream_limit: int = Field(default=10, ge=1, le=1_000)
    mllp_listen: Listen | None = None
    mllp_limit: int = Field(default=64, ge=1, le=1_000)
    peers: Mapping[str, Peer] = Field(default_factory=dict)

    sealing_key: Key32 | None = None
    match_token_key: Key32 | None = None
    page_token_key: Key32 | None = None

    otlp_endpoint: HttpUrl | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    report_file: ReportFile | None = None

    slot: int = Field(default=0, ge=0, le=999)
    worker_count: int = Field(default=8, ge=1, le=200)
    drain_seconds: float = Field(default=10.0, gt=0, le=300)
    live_bound_seconds: float = Field(default=15.0, gt=0, le=600)
    outbox_age_bound_seconds: float = Field(default=30.0, gt=0, le=3_600)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` has read: no dotenv, and no secret from anywhere that `load` has not checked."""
        return (init_settings,)

    @classmethod
    def load(
        cls,
        service: str,
        kind: Kind,
        *,
        needs: Iterable[str] = (),
        environ: Mapping[str, str] | None = None,
    ) -> ProcessSettings:
        """Read the settings of `<service> <kind>`.

        `needs` names further fields that this process cannot do without: those of ON_REQUEST (`"mllp_listen"`),
        `"kafka_bootstrap"` in an api, or a peer (`"peer_intake"`). Raises SettingsError with every mistake found.
        """
        wanted = ALWAYS[kind] | set(needs)
        names = frozenset(cls.model_fields) - {"service", "kind", "peers"}
        values, mistakes = read_environment(os.environ if environ is None else environ, names, SECRETS, wanted)
        mistakes += [
            Mistake(PREFIX + name.upper(), "is not for this process", "remove it from this process's environment")
            for name in sorted(ON_REQUEST - wanted)
            if values.pop(name, None) is not None
        ]
        try:
            loaded = cls(service=service, kind=kind, **values)
        except ValidationError as refused:
            mistakes += [_mistake(error["loc"], error["msg"]) for error in refused.errors(include_input=False)]
        else:
            mistakes += _contradictions(loaded)
            if not mistakes:
                return loaded
        raise SettingsError(f"{service} {kind}", mistakes)

    def secret(self, name: str) -> bytes:
        """The bytes of a secret that this process needs; LookupError if it has none of that name."""
        value = getattr(self, name)
        if isinstance(value, SecretStr):
            return value.get_secret_value().encode()
        if isinstance(value, SecretBytes):
            return value.get_secret_value()
        raise LookupError(f"this process was started without {PREFIX}{name.upper()}")


SECRETS = frozenset({"database_password", "sealing_key", "match_token_key", "page_token_key"})


def _mistake(location: tuple[Any, ...], message: str) -> Mistake:
    """A finding of pydantic in our words; for a peer the variable is SAGUARO_PEER_<NAME>."""
    parts = [str(part) for part in location]
    name = f"peer_{parts[1]}" if parts[0] == "peers" and len(parts) > 1 else parts[0]
    wrong, _, advice = message.removeprefix("Value error, ").partition("; ")
    return Mistake(PREFIX + name.upper(), wrong, advice or "correct the value")


def _contradictions(loaded: ProcessSettings) -> list[Mistake]:
    """Settings that are each right but do not go together."""
    found = []
    if loaded.kafka_max_event_bytes + RECORD_OVERHEAD_BYTES > loaded.kafka_broker_max_bytes:
        found.append(
            Mistake(
                "SAGUARO_KAFKA_MAX_EVENT_BYTES",
                f"must be at least {RECORD_OVERHEAD_BYTES} below the broker's limit (SAGUARO_KAFKA_BROKER_MAX_BYTES)",
                "lower it, or raise message.max.bytes of the broker and say so here",
            )
        )
    parallel = {"worker": ("worker_count", loaded.worker_count), "api": ("grpc_threads", loaded.grpc_threads)}
    if loaded.kind in parallel and loaded.pool_size < parallel[loaded.kind][1]:
        name = parallel[loaded.kind][0].upper()
        found.append(
            Mistake(
                "SAGUARO_POOL_SIZE",
                f"must be at least SAGUARO_{name}, or work waits for a connection while it holds a thread",
                f"raise it, or lower SAGUARO_{name}",
            )
        )
    return found
