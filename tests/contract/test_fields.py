"""Every field of the contract has a class, no event names a person, every key may be seen; and the check sees what breaks that."""

from __future__ import annotations

import itertools
import pkgutil
from collections.abc import Callable
from importlib import import_module

import pytest
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import Default

import saguaro
from chassis.fields import IDENTIFYING, broken_in_file, class_of, event_spec
from saguaro.options.v1 import options_pb2 as options

_NUMBERS = itertools.count(1)


def _modules() -> list[str]:
    names = (item.name for item in pkgutil.walk_packages(saguaro.__path__, "saguaro."))
    return sorted(name for name in names if name.endswith("_pb2"))


@pytest.mark.parametrize("name", _modules())
def test_every_file_of_the_contract_keeps_the_rules(name: str) -> None:
    file: FileDescriptor = import_module(name).DESCRIPTOR
    if file.package != "saguaro.options.v1":  # what the classes are said with has none itself
        assert broken_in_file(file) == []


def test_all_files_are_looked_at() -> None:
    assert {name.split(".")[1] for name in _modules()} == {
        "billing", "chassis", "device_telemetry", "intake", "options", "policy", "scheduling", "treatment_plan",
    }  # fmt: skip


def test_only_intake_has_identifying_fields_and_only_in_calls_and_billing_what_it_prints() -> None:
    found = set()
    for name in _modules():
        file: FileDescriptor = import_module(name).DESCRIPTOR
        for message in file.message_types_by_name.values():
            if any(class_of(field) == IDENTIFYING for field in message.fields):
                found.add(file.name)
    assert found == {
        "saguaro/billing/v1/service.proto", "saguaro/intake/v1/service.proto", "saguaro/intake/v1/types.proto",
    }  # fmt: skip
    billing = import_module("saguaro.billing.v1.service_pb2").DESCRIPTOR
    printed = {
        name
        for name, message in billing.message_types_by_name.items()
        if any(class_of(field) == IDENTIFYING for field in message.fields)
    }
    assert printed == {"PrintEstimateResponse", "PrintStatementResponse"}


def _message(name: str = "SomethingHappened") -> DescriptorProto:
    """A message that is an event and keeps every rule."""
    made = DescriptorProto(name=name)
    made.options.Extensions[options.default_class] = options.FIELD_CLASS_PSEUDONYMOUS
    made.options.Extensions[options.event].topic = "saguaro.made_up.thing"
    made.options.Extensions[options.event].key = "thing_id"
    _field(made, "thing_id")
    return made


def _field(
    message: DescriptorProto, name: str, field_class: options.FieldClass.ValueType | None = None, type_name: str = ""
) -> None:
    kind = FieldDescriptorProto.TYPE_MESSAGE if type_name else FieldDescriptorProto.TYPE_STRING
    number = len(message.field) + 1
    field = message.field.add(name=name, number=number, type=kind, label=FieldDescriptorProto.LABEL_OPTIONAL)
    if type_name:
        field.type_name = type_name
    if field_class is not None:
        field.options.Extensions[options.field_class] = field_class


def _file(*messages: DescriptorProto) -> FileDescriptor:
    """A file of the contract that nobody wrote, in a package of its own."""
    package = f"saguaro.made_up.v{next(_NUMBERS)}"
    file = FileDescriptorProto(name=f"{package.replace('.', '/')}/events.proto", package=package, syntax="proto3")
    file.dependency.append("saguaro/options/v1/options.proto")
    for message in messages:
        made = file.message_type.add()
        made.CopyFrom(message)
        for field in made.field:
            if field.type_name:
                field.type_name = f".{package}.{field.type_name}"
    Default().Add(file) if hasattr(Default(), "Add") else Default().AddSerializedFile(file.SerializeToString())
    return Default().FindFileByName(file.name)


def _no_class() -> list[DescriptorProto]:
    message = _message()
    message.options.ClearExtension(options.default_class)
    return [message]


def _identifying() -> list[DescriptorProto]:
    message = _message()
    _field(message, "family_name", options.FIELD_CLASS_IDENTIFYING)
    return [message]


def _identifying_inside() -> list[DescriptorProto]:
    inner = DescriptorProto(name="Inner")
    _field(inner, "family_name", options.FIELD_CLASS_IDENTIFYING)
    message = _message()
    _field(message, "inner", options.FIELD_CLASS_CLINICAL, "Inner")
    return [inner, message]


def _identifying_beside() -> list[DescriptorProto]:
    beside = DescriptorProto(name="Beside")
    _field(beside, "family_name", options.FIELD_CLASS_IDENTIFYING)
    return [beside, _message()]


def _no_such_key() -> list[DescriptorProto]:
    message = _message()
    message.options.Extensions[options.event].key = "other_id"
    return [message]


def _clinical_key() -> list[DescriptorProto]:
    message = _message()
    message.field[0].options.Extensions[options.field_class] = options.FIELD_CLASS_CLINICAL
    return [message]


def _foreign_topic() -> list[DescriptorProto]:
    message = _message()
    message.options.Extensions[options.event].topic = "things"
    return [message]


@pytest.mark.parametrize(
    ("make", "rule"),
    [
        (_no_class, "thing_id: has no field class"),
        (_identifying, "family_name is identifying; events carry none"),
        (_identifying_inside, "family_name is identifying; events carry none"),
        (_identifying_beside, "family_name is identifying; an events.proto holds none"),
        (_no_such_key, "its key 'other_id' is not a string field of it"),
        (_clinical_key, "its key 'thing_id' must be pseudonymous or none"),
        (_foreign_topic, "its topic must begin with 'saguaro.'"),
    ],
)
def test_what_breaks_a_rule_is_refused(make: Callable[[], list[DescriptorProto]], rule: str) -> None:
    file = _file(*make())
    assert any(rule in text for text in broken_in_file(file)), broken_in_file(file)
    if "Beside" not in file.message_types_by_name:
        with pytest.raises(ValueError, match="SomethingHappened"):
            event_spec(file.message_types_by_name["SomethingHappened"])


def test_what_keeps_the_rules_is_taken() -> None:
    file = _file(_message())
    assert broken_in_file(file) == []
    spec = event_spec(file.message_types_by_name["SomethingHappened"])
    assert spec is not None
    assert (spec.topic, spec.key_field, spec.field_class) == ("saguaro.made_up.thing", "thing_id", "pseudonymous")
