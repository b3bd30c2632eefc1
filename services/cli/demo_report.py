"""What the demo shows: numbers while the day runs, one table of what came of it at the end."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import psycopg
from prometheus_client.parser import text_string_to_metric_families
from rich.table import Table

from network.home import Home
from network.probe import page

_EFFECT = "saguaro_commit_to_effect_seconds"


def live_table(numbers: Mapping[str, Any], seconds: float) -> Table:
    """The day as it goes: one row a number or group of numbers."""
    table = Table(title=f"The clinic day, {seconds:.0f} s of machine time", min_width=60)
    table.add_column("what")
    table.add_column("now")
    for name, value in numbers.items():
        table.add_row(name.replace("_", " "), _short(value))
    return table


def final_table(result: Mapping[str, Any]) -> Table:
    """Patients by state, sessions, milligrams, alarms, money, events by topic, latency."""
    journey = result["journey"]
    table = Table(title=f"What came of the day ({result['seconds']} s)", min_width=70, show_lines=True)
    table.add_column("what")
    table.add_column("came of it", overflow="fold")
    for name, value in journey["totals"].items():
        table.add_row(name.replace("_", " "), _short(value))
    table.add_row("ledger", _short(result["ledger"]))
    table.add_row("events by topic", _short(result["events"]))
    table.add_row("commit to effect, ms", _short(result["effect"]))
    return table


def latency_table(journey: Mapping[str, Any]) -> Table:
    """How long calls took, and how long until what they caused could be seen."""
    table = Table(title="Time, as the day's people and devices saw it")
    for column in ("what", "count", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for group in ("calls", "effects"):
        for name, row in journey["latency"][group].items():
            table.add_row(name, str(row["count"]), str(row["p50_ms"]), str(row["p99_ms"]))
        table.add_section()
    return table


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return "\n".join(f"{name}: {_inline(inner)}" for name, inner in value.items()) or "none"
    return str(value)


def _inline(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return str(value)


def events_by_topic(urls: Mapping[str, str]) -> dict[str, int]:
    """How many events each topic has had, by the senders' own counters."""
    found: dict[str, int] = {}
    for url in urls.values():
        with psycopg.connect(url) as connection:
            for topic, count in connection.execute(
                "SELECT topic, sum(last) FROM event_sequence GROUP BY topic"
            ).fetchall():
                found[topic] = int(count)
    return dict(sorted(found.items()))


def ledger_balance(urls: Mapping[str, str]) -> dict[str, str]:
    """The ledger's accounts over all sites, and their sum, which is zero."""
    with psycopg.connect(urls["billing"]) as connection:
        rows = connection.execute(
            "SELECT account_code, sum(amount_usd) FROM ledger_entry GROUP BY account_code ORDER BY account_code"
        ).fetchall()
    found = {code: f"{amount} USD" for code, amount in rows}
    return found | {"sum": f"{sum((amount for _, amount in rows), Decimal(0))} USD"}


def effect_latency(home: Home) -> dict[str, float]:
    """p50 and p99 from commit to effect over all consumers, in milliseconds, from the workers' histograms."""
    buckets: dict[float, float] = {}
    for name, report in home.reports().items():
        if not name.endswith("-worker"):
            continue
        status, body = page(report["addresses"]["http"], "/metrics")
        if status != 200:
            continue
        for family in text_string_to_metric_families(body.decode()):
            for sample in family.samples:
                if sample.name == f"{_EFFECT}_bucket":
                    bound = float(sample.labels["le"])
                    buckets[bound] = buckets.get(bound, 0.0) + sample.value
    return {"p50": _quantile(buckets, 0.5), "p99": _quantile(buckets, 0.99)}


def _quantile(buckets: Mapping[float, float], share: float) -> float:
    """The upper bound of the bucket in which the quantile lies, milliseconds."""
    total = max(buckets.values(), default=0.0)
    for bound in sorted(buckets):
        if total and buckets[bound] >= share * total:
            return round(bound * 1000, 1)
    return 0.0
