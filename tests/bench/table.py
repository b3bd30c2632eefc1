"""The rows as a table in Markdown, as docs/performance.md has it."""

import statistics
from collections.abc import Sequence

from tests.bench.fair import Row, Turn


def table(rows: Sequence[Row]) -> str:
    """One line a row, then one a target."""
    lines = [
        "| row | ours (range) | yardstick (range) | ratio | counted, checksum | load |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        ratio = row.ratio()
        cells = (
            row.name,
            f"{_range(row.ours)} {row.unit}",
            f"{_range(row.bare)} {row.unit}: {row.yardstick}",
            f"none: {row.why_no_ratio()}" if ratio is None else f"{ratio:.2f}",
            str(row.ours[0].arrived),
            "/".join(map(str, row.load)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    lines += ["", "| row | target | found | |", "|---|---|---|---|"]
    for row in rows:
        if not all(turn.whole for turn in row.ours):
            continue
        for target in row.targets:
            found = row.found(target.name)
            bound = f"{'at least' if target.at_least else 'at most'} {_figure(target.bound)} {target.unit}"
            name = "" if target.name == "value" else f" {target.name}"
            lines.append(
                f"| {row.name}{name} | {bound} | {_figure(found)} {target.unit} | {'met' if target.met(found) else 'missed'} |"
            )
    lines += [""] + [f"- {row.name}: {row.notes}" for row in rows if row.notes]
    return "\n".join(lines)


def _range(turns: Sequence[Turn]) -> str:
    values = [turn.value for turn in turns]
    return f"{_figure(statistics.median(values))} ({_figure(min(values))} to {_figure(max(values))})"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
