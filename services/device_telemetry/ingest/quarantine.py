"""What cannot be used is kept sealed, for an operator."""

from chassis import metrics
from chassis.database import Database
from chassis.records import plumbing_context


def keep_aside(database: Database, source: str, source_id: str, rule: str, content: bytes) -> None:
    """Keeps the content with field and rule; `source_id` is an id of a device, or "unknown"."""
    with database.unit_of_work(plumbing_context()) as uow:
        uow.quarantine(source, source_id, rule, content)
    # The field alone, by its name in the contract or in HL7: a label comes from a bounded set.
    metrics.REFUSED.labels(source, rule.partition(":")[0]).inc()
