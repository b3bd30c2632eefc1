"""Wall time at a site: Phoenix keeps MST all year, Window Rock observes daylight saving time."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, InvalidArgument
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from scheduling.domain.site_time import at_site, grid_starts, is_zone
from tests.scheduling.clinic import NOW, Clinic

PHOENIX, NAVAJO = "America/Phoenix", "America/Denver"
FIVE = timedelta(minutes=5)


@pytest.mark.parametrize(
    ("moment", "phoenix", "window_rock"),
    [
        # 2026: clocks go forward on 8 March at 09:00Z and back on 1 November at 08:00Z.
        ("2026-03-08T08:59:00Z", "2026-03-08T01:59:00-07:00", "2026-03-08T01:59:00-07:00"),
        ("2026-03-08T09:00:00Z", "2026-03-08T02:00:00-07:00", "2026-03-08T03:00:00-06:00"),
        ("2026-07-15T16:00:00Z", "2026-07-15T09:00:00-07:00", "2026-07-15T10:00:00-06:00"),
        ("2026-11-01T07:59:00Z", "2026-11-01T00:59:00-07:00", "2026-11-01T01:59:00-06:00"),
        ("2026-11-01T08:00:00Z", "2026-11-01T01:00:00-07:00", "2026-11-01T01:00:00-07:00"),
    ],
)
def test_the_offset_is_that_of_the_date(moment: str, phoenix: str, window_rock: str) -> None:
    assert at_site(datetime.fromisoformat(moment), PHOENIX) == phoenix
    assert at_site(datetime.fromisoformat(moment), NAVAJO) == window_rock


def test_a_skipped_hour_offers_nothing_and_a_repeated_one_is_offered_twice() -> None:
    spring = datetime(2026, 3, 8, 8, 0, tzinfo=UTC)
    walls = [at_site(one, NAVAJO)[11:16] for one in grid_starts(spring, spring + timedelta(hours=2), NAVAJO, 5)]
    assert len(walls) == 24
    assert not [wall for wall in walls if wall.startswith("02:")]
    autumn = datetime(2026, 11, 1, 7, 0, tzinfo=UTC)
    walls = [at_site(one, NAVAJO)[11:16] for one in grid_starts(autumn, autumn + timedelta(hours=2), NAVAJO, 5)]
    assert walls.count("01:30") == 2


def test_the_grid_lies_on_the_wall_whatever_the_offset() -> None:
    first = datetime(2026, 7, 15, 16, 1, 30, tzinfo=UTC)
    starts = list(grid_starts(first, first + timedelta(minutes=30), "Asia/Kathmandu", 20))
    assert [at_site(one, "Asia/Kathmandu")[11:19] for one in starts] == ["22:00:00"]
    assert next(grid_starts(first, first + FIVE, PHOENIX, 5)) == datetime(2026, 7, 15, 16, 5, tzinfo=UTC)


def test_only_zones_of_the_iana_database_open_a_site(clinic: Clinic) -> None:
    assert is_zone(PHOENIX)
    for name in ("Phoenix", "UTC-7", "America/Tucson", "../etc/passwd"):
        site = types.Site(site_id=str(uuid4()), site_code="TUS", time_zone=name)
        with pytest.raises(InvalidArgument) as refused:
            clinic.harness.call("OpenSite", pb.OpenSiteRequest(site=site), at=NOW)
        assert refused.value.field == "site.time_zone"
    site = types.Site(site_id=str(uuid4()), site_code="TUS", time_zone=PHOENIX)
    clinic.harness.call("OpenSite", pb.OpenSiteRequest(site=site), at=NOW)
    for again, reason in ((types.Site(site_id=str(uuid4()), site_code="TUS", time_zone=PHOENIX), "SITE_CODE_TAKEN"),):
        with pytest.raises(AlreadyExists) as taken:
            clinic.harness.call("OpenSite", pb.OpenSiteRequest(site=again), at=NOW)
        assert taken.value.reason == reason


def test_bookings_around_the_change_of_clocks_show_the_wall_of_their_date(clinic: Clinic) -> None:
    phoenix, window_rock = clinic.open(PHOENIX, shift=False), clinic.open(NAVAJO, shift=False)
    # 16:00Z on the day before the clocks go back, and 25 hours later.
    for start, wall in (
        (datetime(2026, 10, 31, 16, 0, tzinfo=UTC), "2026-10-31T10:00:00-06:00"),
        (datetime(2026, 11, 1, 17, 0, tzinfo=UTC), "2026-11-01T10:00:00-07:00"),
    ):
        shown = {}
        for place in (phoenix, window_rock):
            clinic.shift(place.resources["nurse"][0], place.site_id, start, start + timedelta(hours=8))
            shown[place.site_id] = clinic.get(clinic.booked(place, starts_at=start).session_id).starts_at_site
        assert shown[window_rock.site_id] == wall
        assert shown[phoenix.site_id].endswith("-07:00")
        assert datetime.fromisoformat(shown[phoenix.site_id]) == start
