"""`saguaro trace ID`: every command and reaction of a care episode as one tree, from registration to charge."""

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Annotated, Any

import typer
from rich.text import Text
from rich.tree import Tree

from cli.output import DEFAULT_HOME, HomeOption, JsonOption, err, fail, give
from network.home import Home

_KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_SELECT = """
SELECT trace_id, span_id, parent_id, link_ids, service, name, kind, started_ns, ended_ns, failed, correlation_id, what FROM span
WHERE correlation_id = :id OR trace_id = :id OR trace_id IN (SELECT trace_id FROM span WHERE correlation_id = :id)
ORDER BY started_ns, n
"""


@dataclass
class Span:
    """One span and what it caused."""

    trace_id: str
    span_id: str
    parent_id: str
    link_ids: tuple[str, ...]
    service: str
    name: str
    kind: str
    started_ns: int
    milliseconds: float
    failed: bool
    what: str
    children: list["Span"] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The span with its children."""
        return {
            "service": self.service,
            "kind": self.kind,
            "name": self.name,
            "what": self.what,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "milliseconds": self.milliseconds,
            "failed": self.failed,
            "children": [child.as_json() for child in self.children],
        }


def read_spans(home: Home, identity: str) -> list[Span]:
    """The spans of a care episode (correlation id) or of one trace, oldest first."""
    if not home.traces.exists():
        return []
    with sqlite3.connect(f"file:{home.traces}?mode=ro", uri=True) as connection:
        rows = connection.execute(_SELECT, {"id": identity}).fetchall()
    return [
        Span(row[0], row[1], row[2], tuple(row[3].split()), row[4], row[5], _KINDS.get(row[6], ""), row[7],
             round((row[8] - row[7]) / 1e6, 1), bool(row[9]), row[11])
        for row in rows
    ]  # fmt: skip


def tree_of(spans: list[Span]) -> list[Span]:
    """The roots, each with what it caused: by parent, or by link where the work was a retry."""
    by_id = {span.span_id: span for span in spans}
    roots: list[Span] = []
    for span in spans:
        above = by_id.get(span.parent_id)
        if above is None:
            above = next((by_id[link] for link in span.link_ids if link in by_id), None)
        (roots if above is None else above.children).append(span)
    return roots


def trace(
    identity: Annotated[str, typer.Argument(metavar="ID", help="Correlation id of a care episode, or a trace id.")],
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Prints the tree of a care episode: commands, the events they raised, and what was done about them."""
    spans = read_spans(Home(home), identity)
    if not spans:
        fail(f"no span of {identity} is kept under {home}; spans arrive within a few seconds", as_json=as_json)
    roots = tree_of(spans)
    by_service: dict[str, int] = defaultdict(int)
    for span in spans:
        by_service[span.service] += 1
    result = {
        "ok": True,
        "spans": len(spans),
        "services": dict(by_service),
        "roots": [root.as_json() for root in roots],
    }
    give(result, as_json, lambda: _show(identity, roots))


def _show(identity: str, roots: list[Span]) -> None:
    top = Tree(Text(f"episode {identity}"))
    for root in roots:
        _grow(top, root)
    err.print(top)


def _grow(above: Tree, span: Span) -> None:
    mark = " FAILED" if span.failed else ""
    what = span.what.rsplit(".", 1)[-1] if span.what else span.name
    label = Text.assemble(
        (f"{span.service} ", "cyan"), f"{span.kind} {what} ", (f"{span.milliseconds} ms{mark}", "dim")
    )
    below = above.add(label)
    for child in span.children:
        _grow(below, child)
