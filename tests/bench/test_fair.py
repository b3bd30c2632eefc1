"""A ratio is withheld where it would mislead."""

import pytest

from tests.bench.clinic import CLIENTS, wishes
from tests.bench.fair import Arrived, Row, Target, Turn, alternate
from tests.bench.table import table

SENT = Arrived.of(["a", "b", "c"])


def row(ours: list[Turn], bare: list[Turn]) -> Row:
    """A row of these turns."""
    return Row("row", "per s", ours, bare, "yardstick", (Target("value", 100, "per s", at_least=True),), [0.0])


def whole(*values: float) -> list[Turn]:
    """Turns in which everything arrived."""
    return [Turn(value, SENT, SENT) for value in values]


def test_clear_ranges_give_a_ratio_of_medians() -> None:
    """Ours to the yardstick."""
    assert row(whole(50, 40, 60), whole(100, 90, 200)).ratio() == pytest.approx(0.5)


def test_overlapping_ranges_give_none() -> None:
    """One turn of ours as fast as one of the yardstick's."""
    found = row(whole(50, 90), whole(90, 100))
    assert found.ratio() is None
    assert "overlap" in found.why_no_ratio()


@pytest.mark.parametrize("arrived", [["a", "b"], ["a", "b", "c", "c"], ["a", "b", "b"], ["a", "b", "d"]])
def test_lost_doubled_or_changed_things_give_none(arrived: list[str]) -> None:
    """Also where the count alone would not show it, and on either side."""
    torn = [Turn(10, SENT, Arrived.of(arrived))]
    assert row(torn, whole(100)).ratio() is None
    assert row(whole(10), torn).ratio() is None
    assert "met" not in table([row(torn, whole(1))])


def test_the_order_of_arrival_does_not_matter() -> None:
    """Two consumers share the work."""
    assert Arrived.of(["c", "a", "b"]) == SENT


def test_each_side_goes_first_as_often_as_the_other() -> None:
    """The caches of the first run serve both."""
    order: list[str] = []

    def side(name: str) -> Turn:
        order.append(name)
        return whole(1)[0]

    ours, bare, load = alternate(lambda: side("ours"), lambda: side("bare"), 4, lambda _line: None)
    assert order == ["ours", "bare", "bare", "ours"] * 2
    assert len(ours) == len(bare) == len(load) == 4


def test_seven_of_ten_wishes_come_true() -> None:
    """The other three each ask for a slot that somebody else asks for."""
    made = wishes(CLIENTS * 20)
    slots = [wish.slot for mine in made for wish in mine]
    assert len(set(slots)) == len(slots) * 0.7
    assert len({wish.person for mine in made for wish in mine}) == len(slots)
