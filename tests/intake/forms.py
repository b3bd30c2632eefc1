"""The forms of the policy data as they ship, without a database."""

from collections.abc import Mapping
from typing import Any

from intake.domain.scale import Band, Form, Item
from intake.migrations import first_policy, instrument_rows

PHQ9, GAD7, PCL5, PEG, YBOCS, AUDITC, MADRS, OCIR = (
    ("PHQ-9", "2001"),
    ("GAD-7", "2006"),
    ("PCL-5", "past-month"),
    ("PEG", "2009"),
    ("Y-BOCS", "1989"),
    ("AUDIT-C", "1998"),
    ("MADRS", "1979"),
    ("OCI-R", "2002"),
)
YBOCS_II, PCL5_WEEK = ("Y-BOCS", "II-2010"), ("PCL-5", "past-week")
SUMMED = (GAD7, PCL5, PCL5_WEEK, PEG, YBOCS, YBOCS_II, AUDITC, MADRS, OCIR)
FEMALE, MALE = "ADMINISTRATIVE_SEX_FEMALE", "ADMINISTRATIVE_SEX_MALE"
NEITHER = ("ADMINISTRATIVE_SEX_OTHER", "ADMINISTRATIVE_SEX_UNKNOWN", "ADMINISTRATIVE_SEX_UNSPECIFIED")


def form_of(which: tuple[str, str]) -> Form:
    """The form that a fresh database has."""
    return Form(which[0], which[1], _items(which), _bands(which), _most_missing(which), _rules(which))


def _rows(table: str, which: tuple[str, str]) -> list[Mapping[str, Any]]:
    shipped = (first_policy.rows().get(table, []), instrument_rows.rows().get(table, []))
    return [row for rows in shipped for row in rows if (row["instrument"], row["version"]) == which]


def _items(which: tuple[str, str]) -> tuple[Item, ...]:
    items = sorted(_rows("instrument_item", which), key=lambda row: row["position"])
    return (
        *(
            Item(row["item"], row["lowest"], row["highest"], row["level"], subscale=row.get("subscale", ""))
            for row in items
        ),
        *(
            Item(row["item"], row["lowest"], row["highest"], scored=False)
            for row in _rows("instrument_question", which)
        ),
    )


def _bands(which: tuple[str, str]) -> tuple[Band, ...]:
    rows = sorted(_rows("instrument_band", which), key=lambda row: row["lowest"])
    return tuple(Band(row["code"], row["lowest"], row["highest"]) for row in rows)


def _most_missing(which: tuple[str, str]) -> int:
    (row,) = _rows("instrument_form", which)
    return int(row["max_missing"])


def _rules(which: tuple[str, str]) -> dict[str, Any]:
    return {row["rule_code"]: row["value"] for row in _rows("instrument_rule", which)}


def adding_up_to(total: int, form: Form) -> dict[str, int]:
    """Answers to every scored item whose sum is `total`: the first items as high as they go."""
    given, left = {}, total
    for item in form.items:
        if item.scored:
            given[item.name] = min(item.highest, left)
            left -= given[item.name]
    assert left == 0
    return given
