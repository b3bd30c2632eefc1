"""What another service answered instead of a response. Free of grpc, so that commands may name it in any process."""

from collections.abc import Mapping, Sequence

from chassis.errors import Finding, SaguaroError

# Reasons of our own, for answers that carry none.
PEER_UNAVAILABLE = "PEER_UNAVAILABLE"
PEER_DEADLINE = "PEER_DEADLINE"
PEER_OVERLOADED = "PEER_OVERLOADED"
PEER_FAILED = "PEER_FAILED"


class RemoteError(SaguaroError):
    """The error of a called service: `code` (name of a gRPC status code), `reason`, `metadata` (field, rule, ids).

    It is a SaguaroError, so a command that does not catch it passes the same refusal on to its own caller.
    """

    def __init__(self, code: str, reason: str, metadata: Mapping[str, str], findings: Sequence[Finding] = ()) -> None:
        super().__init__(reason, field=metadata.get("field", ""), rule=metadata.get("rule", ""), findings=findings)
        self.code = code
        self.metadata = dict(metadata)
        self.ids = {name: value for name, value in metadata.items() if name not in ("field", "rule")}

    def __str__(self) -> str:
        return f"{self.code} {super().__str__()}"
