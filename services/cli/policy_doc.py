"""Writes docs/clinical-policy.md: every number that somebody answers for, read from freshly migrated databases (`make docs`)."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from chassis.index import Service
from chassis.policy import Policy
from chassis.policy_rpcs import row_parts

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "clinical-policy.md"

_INTRODUCTION = """# Clinical policy

Every number, code list and rule that somebody answers for, as it ships: made from the policy tables of the five services by
`make docs`; a test fails when this page is stale. Nothing here is medical or legal advice. A row holds from its date until a
later row of the same key, or until its end; a row of a site's own goes before the network's. "default, to be reviewed" stands
until a medical director signs the row or publishes another: `saguaro policy sign` and `saguaro policy publish`, or the rpcs of
`saguaro.policy.v1.PolicyService` on the service that owns it. What is in force in a running network: `saguaro policy list`.

Units are UCUM: `a` year, `d` day, `h` hour, `min` minute, `s` second, `1` a fraction or a plain number; words in braces say what is
counted. An empty cell is no bound, no value or no end.
"""

# What says the kind of a column, no measure: not printed with each value.
_NO_MEASURE = ("", "1", "code", "codes", "yes/no", "{position}", "UCUM", "as the column unit says")
_DIGITS = re.compile(r"(\d+)")

Read = Callable[[Service, Policy], Iterable[Mapping[str, Any]]]


def page(indexes: list[Service], read: Read) -> str:
    """The whole page. `read` gives the rows of a policy table of a service, in the order of its key."""
    parts = [_INTRODUCTION, _contents(indexes)]
    for index in indexes:
        parts.append(f"## {_heading(index)}\n")
        parts += [_section(policy, list(read(index, policy))) for policy in index.policies]
    return "\n".join(parts).rstrip() + "\n"


def rows_in(connection: psycopg.Connection[Any], policy: Policy) -> list[dict[str, Any]]:
    """The rows of a table, in the order of its primary key."""
    order = [sql.Identifier(column.name) for column in policy.table.primary_key.columns]
    statement = sql.SQL("SELECT * FROM {} ORDER BY {}").format(sql.Identifier(policy.name), sql.SQL(", ").join(order))
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement).fetchall()


def _heading(index: Service) -> str:
    return index.name.replace("_", " ").capitalize()


def _contents(indexes: list[Service]) -> str:
    """A line for each service with links to its tables."""
    lines = []
    for index in indexes:
        links = ", ".join(f"[{policy.title}](#{_anchor(policy.title)})" for policy in index.policies)
        lines.append(f"* **{_heading(index)}**: {links}")
    return "\n".join(lines) + "\n"


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _section(policy: Policy, rows: list[Mapping[str, Any]]) -> str:
    lines = [f"### {policy.title}", "", f"Policy set `{policy.name}`, key: {', '.join(policy.keys)}.", ""]
    if not rows:
        return "\n".join([*lines, "Ships without a row: each site brings its own."]) + "\n"
    titles = [*policy.keys, *(_title(policy, name) for name in policy.values)]
    titles += ["unit"] if policy.unit_column else []
    lines += [
        "| " + " | ".join((*titles, "site", "from", "until", "source", "sign-off")) + " |",
        "|" + "---|" * (len(titles) + 5),
    ]
    ordered = sorted(rows, key=lambda row: [_natural(row[column.name]) for column in policy.table.primary_key.columns])
    lines += ["| " + " | ".join(_cells(policy, row, _until(policy, row, rows))) + " |" for row in ordered]
    return "\n".join(lines) + "\n"


def _natural(value: Any) -> list[tuple[int, int, str]]:
    """An order in which item 2 stands before item 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in _DIGITS.split(str(value)) if part]


def _in_words(unit: str) -> bool:
    """Whether a unit is a sentence, which stands once over the column."""
    return " " in unit and unit not in _NO_MEASURE


def _title(policy: Policy, value: str) -> str:
    unit = "" if policy.unit_column else policy.units.get(value, "")
    return f"{value} ({unit})" if _in_words(unit) else value


def _until(policy: Policy, row: Mapping[str, Any], rows: list[Mapping[str, Any]]) -> str:
    """The last day of a row: its own, or that of the next row of its key and scope."""
    same = (*policy.keys, "scope")
    later = [
        other["effective_from"]
        for other in rows
        if other["effective_from"] > row["effective_from"] and all(other[name] == row[name] for name in same)
    ]
    ends = [moment for moment in (row["effective_until"], *later) if moment is not None]
    return _day(min(ends, default=None))


def _cells(policy: Policy, row: Mapping[str, Any], until: str) -> list[str]:
    key, values = row_parts(policy, row)
    shown = [_shown(row[name], text, "" if policy.unit_column else unit) for name, (text, unit) in values.items()]
    if policy.unit_column:
        shown.append(str(row[policy.unit_column]))
    signed = f"signed by {row['signed_by']} on {_day(row['signed_at'])}" if row["signed_by"] else row["review_state"]
    cells = [*key.values(), *shown, row["scope"], _day(row["effective_from"]), until, row["source"], signed]
    return [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]


def _shown(value: Any, text: str, unit: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not text or unit in _NO_MEASURE or _in_words(unit):
        return text
    return f"{text} {unit.strip('{}')}"


def _day(moment: datetime | None) -> str:
    return "" if moment is None else moment.date().isoformat()


def read_fresh() -> str:
    """The page of this checkout: a PostgreSQL of its own is made, migrated, read and thrown away."""
    from network.catalogue import indexes  # noqa: PLC0415
    from network.home import Home  # noqa: PLC0415
    from network.migration import migrate_all  # noqa: PLC0415
    from network.postgres import Postgres  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        home = Home(Path(directory))
        postgres = Postgres(home.path, settings={"fsync": "off"})
        postgres.start()
        try:
            migrate_all(home, postgres)

            def read(index: Service, policy: Policy) -> list[dict[str, Any]]:
                with psycopg.connect(postgres.dsn(database=index.name), options="-c timezone=UTC") as connection:
                    return rows_in(connection, policy)

            return page(indexes(), read)
        finally:
            postgres.destroy()


def main() -> int:
    """Writes the page."""
    text = read_fresh()
    TARGET.write_text(text, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {sum(line.startswith('| ') for line in text.splitlines())} rows")
    return 0


if __name__ == "__main__":
    sys.exit(main())
