"""ICD-10-CM: which codes may be recorded as a diagnosis.

Only leaves of the tabular list are billable (ICD-10-CM Official Guidelines for Coding and Reporting, section I.B.2: code to the
highest number of characters available). A catalogue is a text: one line a three-character category, "F32 0 1 2 3 4 5 81 89 9 A",
with what stands after the dot of each of its leaves; a category that is a leaf itself has no suffix.
"""

import re

from chassis.errors import InvalidArgument

CODE = re.compile(r"[A-Z][0-9A-Z]{2}(\.[0-9A-Z]{1,4})?")
MOST_SUGGESTED = 12


def suffixes(catalogue: str, category: str) -> list[str] | None:
    """What stands after the dot of every leaf of a category ("" for the category itself); None when there is no such category."""
    start = catalogue.find(f"\n{category}")
    if start < 0:
        return None
    return catalogue[start + 1 : catalogue.index("\n", start + 1)].split(" ")[1:] or [""]


def checked_leaf(catalogue: str, code: str, field: str) -> str:
    """`code` when it is a billable leaf. InvalidArgument otherwise.

    The rule suggests what to write after the dot and never repeats the code, which is a fact about a person.
    """
    if not CODE.fullmatch(code):
        raise InvalidArgument(field, "must be an ICD-10-CM code with its dot, such as the form A00.0")
    category, _, suffix = code.partition(".")
    known = suffixes(catalogue, category)
    if known is None:
        raise InvalidArgument(field, "must be in a category of the ICD-10-CM release in use")
    if suffix in known:
        return code
    below = [leaf for leaf in known if leaf.startswith(suffix)]
    if not below:
        wanted = "this category is a code by itself" if known == [""] else f"after the dot write one of: {_list(known)}"
        raise InvalidArgument(field, f"must be a code of the ICD-10-CM release in use; {wanted}")
    raise InvalidArgument(
        field, f"must be a billable leaf code, not a heading; after the dot write one of: {_list(below)}"
    )


def _list(leaves: list[str]) -> str:
    shown = ", ".join(leaves[:MOST_SUGGESTED])
    return shown if len(leaves) <= MOST_SUGGESTED else f"{shown} or one of {len(leaves) - MOST_SUGGESTED} more"
