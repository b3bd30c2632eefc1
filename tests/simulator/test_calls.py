"""Calls go on until there is an answer, with the same request, and stop at a refusal."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from chassis.context import RequestContext
from chassis.remote import RemoteError
from saguaro.scheduling.v1 import service_pb2 as pb
from simulator import calls as module
from simulator.calls import Calls, GaveUp

CONTEXT = RequestContext(UUID(int=1), "nurse", "", "TREAT", UUID(int=2), datetime(2026, 7, 14, tzinfo=UTC))
REQUEST = pb.GetBookingRequest(session_id=str(UUID(int=3)))


class Scripted:
    """Stands in for the client of an api: each answer once, then the last for ever."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []

    def bound(self, *_: Any, **__: Any) -> "Scripted":
        return self

    def GetBooking(self, request: pb.GetBookingRequest) -> pb.GetBookingResponse:
        self.asked.append(request.SerializeToString())
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, pb.GetBookingResponse)
        return answer


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Calls, Scripted]]:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.001)

    def make(*answers: Any, patience_s: float = 5) -> tuple[Calls, Scripted]:
        scripted, calls = Scripted(*answers), Calls({}, patience_s)
        monkeypatch.setattr(calls, "client", lambda _: scripted)
        return calls, scripted

    return make


def refusal(code: str, reason: str) -> RemoteError:
    return RemoteError(code, reason, {})


def test_no_answer_is_asked_for_again_with_the_same_request(network: Callable[..., tuple[Calls, Scripted]]) -> None:
    response = pb.GetBookingResponse()
    calls, scripted = network(
        refusal("UNAVAILABLE", "PEER_UNAVAILABLE"),
        LookupError(),
        refusal("DEADLINE_EXCEEDED", "PEER_DEADLINE"),
        response,
    )
    assert calls.ask("scheduling", "GetBooking", REQUEST, CONTEXT) is response
    assert scripted.asked == [REQUEST.SerializeToString()] * 4
    assert calls.measured.repeated == 3


def test_a_refusal_is_an_answer(network: Callable[..., tuple[Calls, Scripted]]) -> None:
    calls, scripted = network(refusal("FAILED_PRECONDITION", "BOOKING_STATE"))
    with pytest.raises(RemoteError, match="BOOKING_STATE"):
        calls.ask("scheduling", "GetBooking", REQUEST, CONTEXT, until=("NOT_FOUND",))
    assert len(scripted.asked) == 1


def test_what_is_on_its_way_is_waited_for_and_timed(network: Callable[..., tuple[Calls, Scripted]]) -> None:
    calls, _ = network(refusal("NOT_FOUND", "NOT_FOUND"), refusal("NOT_FOUND", "NOT_FOUND"), pb.GetBookingResponse())
    calls.ask("scheduling", "GetBooking", REQUEST, CONTEXT, until=("NOT_FOUND",))
    summary = calls.measured.summary()
    assert summary["effects"]["GetBooking after NOT_FOUND"]["count"] == 1
    assert summary["calls"]["GetBooking"]["count"] == 1
    assert summary["repeated_calls"] == 0


def test_patience_ends(network: Callable[..., tuple[Calls, Scripted]]) -> None:
    calls, _ = network(refusal("UNAVAILABLE", "PEER_UNAVAILABLE"), patience_s=0.05)
    with pytest.raises(GaveUp, match="UNAVAILABLE"):
        calls.ask("scheduling", "GetBooking", REQUEST, CONTEXT)


def test_a_fault_is_waited_for_less_long_than_an_outage(
    network: Callable[..., tuple[Calls, Scripted]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FAULT_PATIENCE_S", 0.05)
    calls, _ = network(refusal("INTERNAL", "PEER_FAILED"), patience_s=60)
    with pytest.raises(GaveUp, match="INTERNAL"):
        calls.ask("scheduling", "GetBooking", REQUEST, CONTEXT)


def test_addresses_are_looked_at_again_and_may_be_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK_AGAIN_AFTER_S", -1.0)
    told = iter(["127.0.0.1:1", "127.0.0.1:2"])
    addresses = module.Addresses({"intake": lambda: next(told), "billing": "127.0.0.1:3"})
    assert [addresses.of("intake"), addresses.of("intake"), addresses.of("billing")] == [
        "127.0.0.1:1",
        "127.0.0.1:2",
        "127.0.0.1:3",
    ]
    with pytest.raises(LookupError):
        addresses.of("scheduling")
