"""Errors on the wire: SaguaroError to google.rpc.Status with one ErrorInfo, and back.

AIP-193: a status code, a message for developers, ErrorInfo (reason, domain, metadata) and BadRequest for findings.
"""

from typing import Final, TypeVar, cast
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from chassis.errors import Finding, SaguaroError
from chassis.logs import get_logger
from chassis.remote import PEER_DEADLINE, PEER_FAILED, PEER_OVERLOADED, PEER_UNAVAILABLE, RemoteError

DOMAIN: Final = "saguaro.health"
INTERNAL: Final = "INTERNAL"
DETAILS_KEY: Final = "grpc-status-details-bin"
# A status travels in trailing metadata, of which gRPC refuses more than 8 KiB by default; base64 takes a third on top.
MAX_STATUS_BYTES: Final = 4_000

_NUMBERS: Final[dict[str, int]] = {code.name: code.value[0] for code in grpc.StatusCode}
# What a peer answers with one of these is a fault between services; the caller of this one can do nothing about it.
_FAULTS_BETWEEN_SERVICES: Final = frozenset({"UNKNOWN", "UNIMPLEMENTED", "CANCELLED", "DATA_LOSS", "UNAUTHENTICATED"})
# Codes that grpc itself gives, without an ErrorInfo.
_BARE_REASONS: Final = {
    "UNAVAILABLE": PEER_UNAVAILABLE,
    "DEADLINE_EXCEEDED": PEER_DEADLINE,
    "RESOURCE_EXHAUSTED": PEER_OVERLOADED,
}
M = TypeVar("M", bound=Message)


def to_status(error: SaguaroError) -> status_pb2.Status:
    """The google.rpc.Status of an error. Findings that would not fit into the trailer are left out, the first stay."""
    between = isinstance(error, RemoteError) and error.code in _FAULTS_BETWEEN_SERVICES
    code, reason = (INTERNAL, PEER_FAILED) if between else (error.code, error.reason)
    info = error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=error.ids)
    if error.field:
        info.metadata["field"] = error.field
    if error.rule:
        info.metadata["rule"] = error.rule
    message = f"{reason}: {error.field}: {error.rule}" if error.field else f"{reason}: {error.rule}"
    status = status_pb2.Status(code=_NUMBERS.get(code, _NUMBERS["UNKNOWN"]), message=message)
    status.details.add().Pack(info)
    if error.findings:
        status.details.add().Pack(_bad_request(error.findings, MAX_STATUS_BYTES - status.ByteSize()))
    return status


def internal_status(error: BaseException, rpc: str) -> status_pb2.Status:
    """INTERNAL with an id that finds the log entry. Neither has the exception's text: it may quote what was sent."""
    error_id = str(uuid4())
    get_logger().error("unexpected error in a call", rpc=rpc, error_id=error_id, exc_info=error)
    info = error_details_pb2.ErrorInfo(reason=INTERNAL, domain=DOMAIN, metadata={"error_id": error_id})
    status = status_pb2.Status(code=_NUMBERS[INTERNAL], message=f"{INTERNAL}: error id {error_id}")
    status.details.add().Pack(info)
    return status


def to_grpc(status: status_pb2.Status) -> grpc.Status:
    """What a servicer aborts with."""
    return rpc_status.to_status(status)


def from_call(call: grpc.RpcError) -> RemoteError:
    """The RemoteError of a failed call. An answer without our ErrorInfo gets its reason from its code, and no text."""
    # Every error of a call is its Call as well; the types of grpc do not say so.
    failed = cast(grpc.Call, call)
    code = failed.code()
    status = _status_of(failed)
    info = error_details_pb2.ErrorInfo()
    findings: list[Finding] = []
    for detail in status.details if status is not None else ():
        if detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            found = _unpacked(detail.value, error_details_pb2.BadRequest())
            findings.extend(Finding(item.field, item.description) for item in found.field_violations)
        elif detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = _unpacked(detail.value, error_details_pb2.ErrorInfo())
    if info.domain != DOMAIN:
        # A server that stops cancels what it has not begun; to its caller that is a server that is away.
        bare = "UNAVAILABLE" if code is grpc.StatusCode.CANCELLED else code.name
        return RemoteError(bare, _BARE_REASONS.get(bare, PEER_FAILED), {})
    return RemoteError(code.name, info.reason, dict(info.metadata), findings)


def _bad_request(findings: tuple[Finding, ...], room: int) -> error_details_pb2.BadRequest:
    found = error_details_pb2.BadRequest()
    for finding in findings:
        room -= len(finding.field.encode()) + len(finding.rule.encode()) + 8
        if room < 0:
            break
        found.field_violations.add(field=finding.field, description=finding.rule)
    return found


def _status_of(call: grpc.Call) -> status_pb2.Status | None:
    for key, value in call.trailing_metadata() or ():
        if key == DETAILS_KEY and isinstance(value, bytes):
            return _unpacked(value, status_pb2.Status())
    return None


def _unpacked(data: bytes, into: M) -> M:
    """`into`, filled; left empty when a proxy on the way has torn the bytes."""
    try:
        into.ParseFromString(data)
    except DecodeError:
        into.Clear()
    return into
