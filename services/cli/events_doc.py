"""Writes docs/events.md: every event of the network, made from the contract and the five indexes (`make docs`)."""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from chassis.fields import CLASS_NAMES, EventSpec, class_of, event_spec
from chassis.index import Service

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "events.md"

_INTRODUCTION = """# Events

Made from the contract (`protos/saguaro/*/v1/events.proto`) and the indexes of the services (`services/*/app.py`) by `make docs`;
a test fails when this page is stale. How to add one: [add-an-event.md](add-an-event.md).

Every event is a CloudEvent 1.0 in Kafka's binary mode: attributes in `ce_*` headers, the protobuf in the value, the key in the key.
Order is promised for each topic and key. *Class* is the highest class among its fields; no event has an identifying field. An event
of a *strict* topic that cannot be applied stops the actions that depend on it.
"""


def comments_of(proto: str) -> dict[str, str]:
    """The comment that stands directly above each top-level message of a .proto text, as one line."""
    found, lines = {}, []
    for line in proto.splitlines():
        if line.startswith("//"):
            lines.append(line.removeprefix("//").strip())
            continue
        name = re.match(r"message (\w+)", line)
        if name and lines:
            found[name[1]] = " ".join(text for text in lines if text)
        lines = []
    return found


def events_out(index: Service) -> list[tuple[Descriptor, EventSpec]]:
    """The events that a service sends, in the order of its contract."""
    module: Any = import_module(index.events_module)
    found = ((item, event_spec(item)) for item in module.DESCRIPTOR.message_types_by_name.values())
    return [(descriptor, spec) for descriptor, spec in found if spec is not None]


def receivers(indexes: list[Service]) -> dict[str, list[str]]:
    """Who receives each event, by its full name: the service and the module of its reaction."""
    found: dict[str, list[str]] = defaultdict(list)
    for index in indexes:
        for row in index.events_in:
            found[row.message.DESCRIPTOR.full_name].append(f"`{row.react.__module__}`")
    return found


def type_name(field: FieldDescriptor) -> str:
    """The field's type as the contract writes it, without its package."""
    if field.message_type is not None:
        name = field.message_type.name
    elif field.enum_type is not None:
        name = field.enum_type.name
    else:
        name = _SCALARS[field.type]
    if field.is_repeated:
        return f"repeated {name}"
    return f"optional {name}" if field.has_presence and field.message_type is None else name


_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in vars(FieldDescriptor).items()
    if name.startswith("TYPE_")
}


def titles(indexes: list[Service]) -> dict[str, str]:
    """The title of each event by its full name. Two services may each answer with an event of the same name: then theirs is in it."""
    known = [(index.name, descriptor) for index in indexes for descriptor, _ in events_out(index)]
    names = [descriptor.name for _, descriptor in known]
    return {
        descriptor.full_name: descriptor.name
        if names.count(descriptor.name) == 1
        else f"{descriptor.name} of {service}"
        for service, descriptor in known
    }


def page(indexes: list[Service], protos: Path) -> str:
    """The whole page. `protos` is the source root of the contract, for its comments."""
    received = receivers(indexes)
    known = [(index, descriptor, spec) for index in indexes for descriptor, spec in events_out(index)]
    titled = titles(indexes)
    parts = [_INTRODUCTION, _overview(known, received, titled)]
    for index in indexes:
        parts.append(f"## {index.name}\n")
        for descriptor, spec in events_out(index):
            text = (protos / descriptor.file.name).read_text(encoding="utf-8")
            parts.append(_section(index, descriptor, spec, received, comments_of(text), titled))
    return "\n".join(parts).rstrip() + "\n"


def _overview(
    known: list[tuple[Service, Descriptor, EventSpec]], received: dict[str, list[str]], titled: dict[str, str]
) -> str:
    lines = ["| event | sent by | topic | key | class | strict | received by |", "|---|---|---|---|---|---|---|"]
    for index, descriptor, spec in known:
        who = ", ".join(sorted({row.strip("`").split(".")[0] for row in received[spec.type_name]})) or "no service"
        title = titled[descriptor.full_name]
        name = f"[{title}](#{title.lower().replace(' ', '-')})"
        strict = "yes" if spec.strict else ""
        cells = (name, index.name, f"`{spec.topic}`", f"`{spec.key_field}`", spec.field_class, strict, who)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _section(
    index: Service,
    descriptor: Descriptor,
    spec: EventSpec,
    received: dict[str, list[str]],
    comments: dict[str, str],
    titled: dict[str, str],
) -> str:
    who = received[spec.type_name]
    lines = [f"### {titled[descriptor.full_name]}", ""]
    if descriptor.name in comments:
        lines += [comments[descriptor.name], ""]
    lines += [
        f"`{spec.type_name}` on `{spec.topic}`, key `{spec.key_field}`, class {spec.field_class}{', strict' if spec.strict else ''}.",
        f"Sent by {index.name}. Received by {', '.join(who) if who else 'no service'}.",
        "",
        "| field | type | class |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{field.name}` | {type_name(field)} | {CLASS_NAMES[class_of(field)]} |" for field in descriptor.fields
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Writes the page; `--check` only says whether it is current, by the exit code."""
    from network.catalogue import indexes  # noqa: PLC0415

    text = page(indexes(), ROOT / "protos")
    if "--check" in sys.argv[1:]:
        return int(not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {text.count('### ')} events")
    return 0


if __name__ == "__main__":
    sys.exit(main())
