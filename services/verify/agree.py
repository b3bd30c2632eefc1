"""Compares an owner's rows with another service's copy of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verify.outcome import Outcome


def agree(
    outcome: Outcome, what: str, owned: Mapping[Any, Any], copied: Mapping[Any, Any], columns: Sequence[str]
) -> None:
    """Each owned row has its copy with the same `columns`, and nothing is copied that nobody owns.

    `what` names the copy and the thing, for example "billing's site". What differs is named by column, never by value.
    """
    for key in sorted(owned, key=str):
        if key not in copied:
            outcome.look(False, f"{what} {key}: has not arrived")
            continue
        differing = [name for name in columns if getattr(owned[key], name) != getattr(copied[key], name)]
        outcome.look(not differing, f"{what} {key}: differs from its owner in {', '.join(differing)}")
    for key in sorted(set(copied) - set(owned), key=str):
        outcome.look(False, f"{what} {key}: is not on its owner's record")
