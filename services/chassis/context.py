"""Who acts, in which role, where, why and when: carried by every call and every event."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

NETWORK_WIDE = ""
SERVICE_ROLE = "service"


@dataclass(frozen=True)
class RequestContext:
    """The caller's context. All ids are opaque; `site_id` is empty for roles that span the network."""

    actor_id: UUID
    role: str
    site_id: str
    purpose: str
    # Joins the commands of one care episode.
    correlation_id: UUID
    # Clinic time, timezone-aware. Never the wall of this process.
    clinic_time: datetime
    # Id of the event or command that caused this one; None at the edge.
    causation_id: str | None = None
    traceparent: str | None = None

    def caused_by(self, causation_id: str, traceparent: str | None = None) -> "RequestContext":
        """The same context for what follows from an event."""
        return replace(self, causation_id=causation_id, traceparent=traceparent)
