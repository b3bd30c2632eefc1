"""What a check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from verify.world import World

# The rest of a long list says nothing new, and the first ones show what is wrong.
MOST_SHOWN = 20


@dataclass
class Outcome:
    """How many things were looked at, and each that breaks the rule: its id and the rule in words, never a value of it."""

    looked_at: int = 0
    found: list[str] = field(default_factory=list)

    def look(self, holds: object, what: str) -> None:
        """Looks at one thing; `what` names it and the rule that it broke when `holds` is false."""
        self.looked_at += 1
        if not holds:
            self.found.append(what)


@dataclass(frozen=True)
class Check:
    """One invariant: a stable name and how it is looked at."""

    name: str
    run: Callable[[World], Outcome]


def result_of(check: Check, world: World) -> dict[str, Any]:
    """The check as `saguaro verify` shows it. One that cannot be made does not hold; its error is named by type alone."""
    try:
        outcome = check.run(world)
    except Exception as error:  # noqa: BLE001
        outcome = Outcome(found=[f"the check could not be made: {type(error).__name__}"])
    return {
        "name": check.name,
        "ok": not outcome.found,
        "looked_at": outcome.looked_at,
        "found": outcome.found[:MOST_SHOWN],
    }
