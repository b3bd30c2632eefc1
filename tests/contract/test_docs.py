"""The documents say what is there: links, commands, targets, settings, metrics, headers, owners and runbooks against the code."""

import re
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from typer.main import get_command

from chassis import metrics
from chassis.context import RequestContext
from chassis.envelope import headers_of
from chassis.fields import EventSpec, event_spec
from chassis.settings import SECRETS, ProcessSettings
from cli.commands import app
from cli.events_doc import events_out
from network.catalogue import indexes
from network.roles import SERVICES
from tests.conftest import Server

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".venv", "build", ".git", "node_modules", ".pytest_cache", ".hypothesis", ".ruff_cache", ".mypy_cache"}
DOCUMENTS = sorted(
    path
    for path in ROOT.rglob("*.md")
    if not _NOT_OURS & set(path.relative_to(ROOT).parts) and ".saguaro" not in str(path)
)
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
RUNBOOKS = ROOT / "deploy/runbooks"
OPERATING = ROOT / "docs/operating.md"

_FENCE = re.compile(r"^( *)```.*?^ *```", re.M | re.S)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
# A command stands in code: behind a tick, a path, the prompt of a block's line, never in a sentence.
_SAGUARO = re.compile(r"(?:`|\.venv/bin/|^)saguaro ([a-z-]+)(?: ([a-z]+)\b)?", re.M)
_FLAG = re.compile(r"(?<=\s)--[a-z-]+")
_MAKE = re.compile(r"(?:`|^)make ([a-z-]+)((?: [a-z-]+)*)", re.M)
_CODE = re.compile(r"```[a-z]*\n(.*?)```|(`[^`\n]+`)", re.S)
_PATH = re.compile(r"`((?:services|protos|tests|deploy|docs|requirements)/[\w./-]+)`")
_METRIC = re.compile(r"saguaro_[a-z_]+")


def text_of(name: str) -> str:
    """The text of a document, by its path in the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def code_in(text: str) -> str:
    """Blocks and spans of code, a line each."""
    return "\n".join(block or span for block, span in _CODE.findall(text))


def anchors_of(text: str) -> set[str]:
    """The anchors that headings get: lower case, hyphens for spaces, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows_of(text: str, heading: str) -> list[list[str]]:
    """The cells of the first table under a heading that begins with `heading`, without head and rule."""
    section = text.split(f"\n{heading}", 1)[1]
    table: list[str] = []
    for line in section.splitlines():
        if line.startswith("|"):
            table.append(line)
        elif table:
            break
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in table[2:]]


@cache
def metric_samples() -> dict[str, set[str]]:
    """Every metric of ours by its documented name, with the names of its samples on the page."""
    found: dict[str, set[str]] = {}
    suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
    for family in metrics.REGISTRY.collect():
        if family.name.startswith("saguaro_"):
            found[family.name] = {family.name + suffix for suffix in suffixes[family.type]}
    return found


def commands() -> dict[str, dict[str, set[str]]]:
    """Every command with its subcommands ("" where there are none) and the flags of each."""

    def flags(command: Any) -> set[str]:
        return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}

    top: Any = get_command(app)
    return {
        name: {sub: flags(inner) for sub, inner in getattr(command, "commands", {"": command}).items()}
        for name, command in top.commands.items()
    }


def test_there_are_documents() -> None:
    """The search finds the ones that matter; otherwise nothing below would be checked."""
    assert {
        "README.md",
        "docs/architecture.md",
        "docs/operating.md",
        "docs/testing.md",
        "deploy/runbooks/README.md",
    } <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    """Each relative link names a file, and each anchor a heading of it."""
    broken = []
    for target in _LINK.findall(_FENCE.sub("", text_of(name))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (ROOT / name).parent / path if path else ROOT / name
        if not file.exists() or (anchor and anchor not in anchors_of(file.read_text(encoding="utf-8"))):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("name", NAMES)
def test_pictures_in_text_are_of_a_known_kind(name: str) -> None:
    """Mermaid: a known kind on the first line, and no semicolon, which would end a statement."""
    for picture in re.findall(r"^```mermaid\n(.*?)^```", text_of(name), re.M | re.S):
        assert re.match(r"(flowchart (LR|TD)|sequenceDiagram|stateDiagram-v2)\n", picture)
        assert ";" not in picture


# Its example makes files of its own, and test_add_an_event.py follows it to the letter.
@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs/add-an-event.md"])
def test_named_files_exist(name: str) -> None:
    """A path of the repository in code is there."""
    missing = [path for path in _PATH.findall(text_of(name)) if not list(ROOT.glob(path.rstrip("/")))]
    assert missing == []


@pytest.mark.parametrize("name", NAMES)
def test_named_commands_exist(name: str) -> None:
    """Each `saguaro …` has that command, subcommand and those flags."""
    known, wrong = commands(), []
    for line in code_in(text_of(name)).splitlines():
        for command, sub in _SAGUARO.findall(line.strip()):
            if command in known:
                subs = known[command]
                if "" not in subs and sub and sub not in subs:
                    wrong.append(f"{command} {sub}")
                allowed = subs.get("") or subs.get(sub) or set().union(*subs.values())
                wrong += [f"{command} {flag}" for flag in _FLAG.findall(line) if flag not in allowed | {"--help"}]
            elif command.replace("-", "_") not in SERVICES:
                wrong.append(command)
    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_named_targets_exist(name: str) -> None:
    """Each `make …` names targets of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):(?!=)", text_of("Makefile"), re.M))
    known = {target for names in targets for target in names.split()}
    for first, others in _MAKE.findall(code_in(text_of(name))):
        assert {first, *others.split()} <= known


def test_every_command_is_in_the_readme() -> None:
    """A command that nobody can find out about is not there."""
    assert [name for name in commands() if f"saguaro {name}" not in text_of("README.md")] == []


def test_every_setting_is_documented_with_its_default() -> None:
    """The table of settings has a row for each field, and its default where it has a plain one."""
    rows = {row[0].strip("`"): row for row in rows_of(text_of("docs/operating.md"), "## Settings")}
    fields = {f"SAGUARO_{name.upper()}": (name, field) for name, field in ProcessSettings.model_fields.items()}
    del fields["SAGUARO_SERVICE"], fields["SAGUARO_KIND"]
    assert rows.keys() == fields.keys()
    for variable, (name, field) in fields.items():
        assert ("secret" in rows[variable][1]) == (name in SECRETS), variable
        if isinstance(field.default, int | float):
            assert float(rows[variable][1]) == field.default, variable


def test_every_metric_is_documented_with_its_labels() -> None:
    """The table of metrics has a row for each, of its type."""
    rows = {row[0].strip("`"): row for row in rows_of(text_of("docs/operating.md"), "## Metrics")}
    assert rows.keys() == metric_samples().keys()
    for family in metrics.REGISTRY.collect():
        if family.name in rows:
            assert rows[family.name][1] == family.type, family.name


def test_every_alert_has_a_metric_or_a_command_and_a_page() -> None:
    """What an alert is seen by exists in the code, and its page has the same five parts as the others."""
    samples = set().union(*metric_samples().values())
    pages = set()
    for alert, seen_by, _, page in _alerts():
        named = set(_METRIC.findall(seen_by))
        assert named <= samples, alert
        assert named or any(f"saguaro {command}" in seen_by for command in commands()) or said_by(seen_by), alert
        pages |= set(_LINK.findall(page))
    assert pages == {path.name for path in RUNBOOKS.glob("*.md")} - {"README.md"}


def said_by(text: str) -> set[str]:
    """Queries and events of the contract that a text names in code."""
    known = {row.rpc for index in indexes() for row in index.queries}
    known |= {descriptor.name for index in indexes() for descriptor, _ in events_out(index)}
    return known & set(re.findall(r"`(\w+)`", text))


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_sql_of_a_runbook_runs(path: Path, server: Server) -> None:
    """A block that names its database is understood by it, as the schema is now."""
    for service, statement in re.findall(
        r"^```sql\n-- (\w+)\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S
    ):
        server.migrate(import_module(f"{service}.app").INDEX)
        with psycopg.connect(server.postgres.dsn(database=service)) as connection:
            assert connection.execute(statement).fetchall() == []


def _alerts() -> list[list[str]]:
    return rows_of(text_of("deploy/runbooks/README.md").replace("\n| alert", "\n## Alerts\n| alert", 1), "## Alerts")


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_it_means_for_people(path: Path) -> None:
    """Symptom, people in chairs, look, do, escalate: each page has them."""
    if path.name == "README.md":
        assert "People first." in path.read_text(encoding="utf-8")
        return
    text = path.read_text(encoding="utf-8")
    assert "**Alert**" in text
    for part in ("## What it means for people in chairs", "## Look", "## Do", "## Escalate"):
        assert part in text, part


@pytest.mark.parametrize("path", sorted(RUNBOOKS.glob("*.md")), ids=lambda path: path.stem)
def test_a_runbook_names_metrics_that_are_there(path: Path) -> None:
    """Every metric in a runbook is on some process's page."""
    known = set().union(*metric_samples().values(), *[{name} for name in metric_samples()])
    roles = {"saguaro_verify", "saguaro_"}
    assert set(_METRIC.findall(path.read_text(encoding="utf-8"))) - known - roles == set()


def test_every_header_of_the_envelope_is_documented() -> None:
    """The table of headers has those that an event gets, and no other."""
    context = RequestContext(
        UUID(int=1), "nurse", "", "treatment", UUID(int=2), datetime(2026, 7, 14, tzinfo=UTC), "cause"
    )
    spec = EventSpec("saguaro.intake.v1.PatientRegistered", "saguaro.intake.person", "person_id", False, "pseudonymous")
    sent = headers_of(
        event_id=UUID(int=3),
        source="intake",
        spec=spec,
        key="k",
        context=context,
        recorded_at=datetime.now(UTC),
        traceparent="t",
    )
    rows = rows_of(text_of("docs/architecture.md"), "## The envelope of an event")
    documented = {name for row in rows for name in re.findall(r"`([^`]+)`", row[0])}
    assert documented == {*sent, "ce_sequence"}


@pytest.mark.parametrize("service", SERVICES)
def test_the_owners_table_is_the_index(service: str) -> None:
    """Who raises and who reacts, as the contract and the index have it."""
    row = next(row for row in rows_of(text_of("docs/architecture.md"), "## Owners") if row[0] == service)
    index = import_module(f"{service}.app").INDEX
    module = import_module(index.events_module)
    raised = {name for name, message in module.DESCRIPTOR.message_types_by_name.items() if event_spec(message)}
    assert set(row[2].split(", ")) == raised
    assert set(row[3].split(", ")) == {event.message.DESCRIPTOR.name for event in index.events_in}


def test_every_decision_is_in_the_list() -> None:
    """One line a record, numbered as its file; each has context, choice and consequences."""
    folder = ROOT / "docs/decisions"
    records = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("0*.md")}
    assert set(_LINK.findall(text_of("docs/decisions/README.md"))) - {"../performance.md"} == records.keys()
    for name, text in records.items():
        assert text.startswith(f"# {int(name[:4])}. "), name
        for part in ("## Context", "## Choice", "## Consequences"):
            assert part in text, f"{name}: {part}"


@pytest.mark.parametrize("path", sorted((ROOT / "docs/pictures").glob("*.svg")), ids=lambda path: path.stem)
def test_pictures_are_readable_in_light_and_dark(path: Path) -> None:
    """Well-formed, with a title and a description for whoever cannot see them, and colours for a dark page."""
    import xml.etree.ElementTree as ET

    picture = ET.parse(path).getroot()
    names = {child.tag.rpartition("}")[2] for child in picture}
    assert {"title", "desc"} <= names
    assert "prefers-color-scheme: dark" in path.read_text(encoding="utf-8")
