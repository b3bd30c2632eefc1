"""Errors, typed once here and mapped once at the edge.

Each carries a stable `reason` (UPPER_SNAKE), the `field` it is about and the `rule` that must hold, in words. Values of class clinical
or identifying never enter an error; keyword arguments are ids or numbers of class none or pseudonymous.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One broken rule: the field's path and what must hold."""

    field: str
    rule: str


class SaguaroError(Exception):
    """Something the caller has to know. `code` is the name of a gRPC status code."""

    code = "UNKNOWN"

    def __init__(
        self, reason: str, *, field: str = "", rule: str = "", findings: Sequence[Finding] = (), **ids: str | int
    ) -> None:
        super().__init__(f"{reason}: {field}: {rule}" if field else f"{reason}: {rule}")
        self.reason = reason
        self.field = field
        self.rule = rule
        self.findings = tuple(findings)
        self.ids = {name: str(value) for name, value in ids.items()}

    def again(self) -> "SaguaroError":
        """A fresh one that says the same; an exception that is kept for many calls would gather their tracebacks."""
        fresh = type(self).__new__(type(self), *self.args)
        fresh.args = self.args
        fresh.__dict__.update(self.__dict__)
        return fresh


class InvalidArgument(SaguaroError):
    """The request breaks a rule whatever the state is."""

    code = "INVALID_ARGUMENT"

    def __init__(
        self,
        field: str,
        rule: str,
        *,
        reason: str = "INVALID_ARGUMENT",
        findings: Sequence[Finding] = (),
        **ids: str | int,
    ) -> None:
        super().__init__(reason, field=field, rule=rule, findings=findings, **ids)


class NotFound(SaguaroError):
    """What the field names is not on record."""

    code = "NOT_FOUND"

    def __init__(self, field: str, rule: str, *, reason: str = "NOT_FOUND", **ids: str | int) -> None:
        super().__init__(reason, field=field, rule=rule, findings=(), **ids)


class AlreadyExists(SaguaroError):
    """Somebody else has it. The ids say who holds what."""

    code = "ALREADY_EXISTS"


class FailedPrecondition(SaguaroError):
    """The state does not allow it now."""

    code = "FAILED_PRECONDITION"


class PermissionDenied(SaguaroError):
    """The caller's role does not allow it."""

    code = "PERMISSION_DENIED"


class Unauthenticated(SaguaroError):
    """The call does not say who calls."""

    code = "UNAUTHENTICATED"


class ResourceExhausted(SaguaroError):
    """A limit is reached; try again later."""

    code = "RESOURCE_EXHAUSTED"


class Unavailable(SaguaroError):
    """Something this depends on does not answer. Safe to repeat with the same request_id."""

    code = "UNAVAILABLE"


class DeadlineExceeded(SaguaroError):
    """The caller's time ran out."""

    code = "DEADLINE_EXCEEDED"


class Early(Exception):
    """An event refers to what another topic has not brought yet. It waits until `waits_for` arrives."""

    def __init__(self, waits_for: str) -> None:
        super().__init__(waits_for)
        self.waits_for = waits_for


class Poison(Exception):
    """An event that cannot be applied as it is. `rule` says why, without its content."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


class Transient(Exception):
    """The database or the broker was away for a moment; the same work may be tried again."""


class Fenced(Exception):
    """Another process has taken this partition over; this batch is given up."""
