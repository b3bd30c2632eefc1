"""The indexes and the contract say the same: every rpc has one row, every event is raised where it belongs."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from chassis.fields import event_spec, spec_of
from chassis.index import Service
from cli.events_doc import events_out
from network.catalogue import indexes, topic_specs

# Every service answers these for its own policy tables; the chassis has their rows.
_POLICY_RPCS = {"ListPolicy", "PublishPolicy", "SignPolicy"}
_SERVICES = Path(__file__).resolve().parents[2] / "services"


def _names(index: Service) -> list[str]:
    return [row.rpc for row in (*index.commands, *index.queries)]


def _unary(index: Service) -> list[str]:
    """The rpcs of a service that are no streams: a stream is served by hand."""
    found = []
    for full_name in index.grpc_services:
        module = import_module(full_name.rsplit(".", 1)[0] + ".service_pb2")
        service = module.DESCRIPTOR.services_by_name[full_name.rsplit(".", 1)[1]]
        found += [method.name for method in service.methods if not (method.client_streaming or method.server_streaming)]
    return found


def _sources(service: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted((_SERVICES / service).rglob("*.py")))


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_every_rpc_has_exactly_one_row(index: Service) -> None:
    assert sorted(_names(index)) == sorted(_unary(index))


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_every_row_takes_the_request_of_its_rpc(index: Service) -> None:
    for row in (*index.commands, *index.queries):
        assert row.request.DESCRIPTOR.name == f"{row.rpc}Request"
        package = "policy" if row.rpc in _POLICY_RPCS else index.name
        assert row.request.DESCRIPTOR.full_name.startswith(f"saguaro.{package}.v1.")


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_every_event_of_the_contract_is_raised_by_its_service(index: Service) -> None:
    raised = set(re.findall(r"\b(?:\w+)\.([A-Z]\w+)\(", _sources(index.name)))
    assert {descriptor.name for descriptor, _ in events_out(index)} - raised == set()


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_a_service_raises_only_events_of_its_own(index: Service) -> None:
    own = index.events_module.rsplit(".", 1)[0]
    source = _sources(index.name)
    for package, alias in re.findall(r"from (saguaro\.\w+\.v1) import events_pb2 as (\w+)", source):
        if package != own:
            assert not re.findall(rf"emit\(\s*{alias}\.", source), f"{index.name} raises an event of {package}"


@pytest.mark.parametrize("index", indexes(), ids=lambda index: index.name)
def test_a_reaction_is_one_file_named_after_its_event(index: Service) -> None:
    for row in index.events_in:
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", row.message.DESCRIPTOR.name).lower()
        assert row.react.__module__ == f"{index.name}.reactions.on_{snake}"


def test_no_event_is_received_twice_by_a_service_and_each_is_an_event() -> None:
    for index in indexes():
        names = [row.message.DESCRIPTOR.full_name for row in index.events_in]
        assert len(names) == len(set(names))
        assert all(event_spec(row.message.DESCRIPTOR) is not None for row in index.events_in)


def test_every_topic_has_one_sender_and_is_made() -> None:
    senders: dict[str, set[str]] = {}
    for index in indexes():
        for _, spec in events_out(index):
            senders.setdefault(spec.topic, set()).add(index.name)
            assert spec.topic.startswith(f"saguaro.{index.name}.")
    assert all(len(names) == 1 for names in senders.values())
    made = {spec.name for spec in topic_specs(indexes())}
    assert set(senders) <= made
    assert {spec_of(row.message()).topic for index in indexes() for row in index.events_in} <= made
