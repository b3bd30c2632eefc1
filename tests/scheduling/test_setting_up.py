"""Resources and shifts: what is refused."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, Clinic


def test_a_resource_needs_a_site_a_code_of_its_own_and_is_no_person(clinic: Clinic) -> None:
    place = clinic.open()
    with pytest.raises(NotFound) as nowhere:
        clinic.add(str(uuid4()), "chair")
    assert nowhere.value.field == "resource.site_id"
    chair = types.Resource(
        resource_id=str(uuid4()), site_id=place.site_id, kind=types.RESOURCE_KIND_CHAIR, resource_code="PHX-CHAIR-1"
    )
    clinic.harness.call("AddResource", pb.AddResourceRequest(resource=chair), at=NOW)
    for change, reason in (
        ({"resource_id": str(uuid4())}, "RESOURCE_CODE_TAKEN"),
        ({"resource_code": "PHX-CHAIR-2"}, "RESOURCE_EXISTS"),
    ):
        again = types.Resource()
        again.CopyFrom(chair)
        for name, value in change.items():
            setattr(again, name, value)
        with pytest.raises(AlreadyExists) as taken:
            clinic.harness.call("AddResource", pb.AddResourceRequest(resource=again), at=NOW)
        assert taken.value.reason == reason
    person = types.Resource(
        resource_id=str(uuid4()), site_id=place.site_id, kind=types.RESOURCE_KIND_PERSON, resource_code="P-1"
    )
    with pytest.raises(InvalidArgument) as refused:
        clinic.harness.call("AddResource", pb.AddResourceRequest(resource=person), at=NOW)
    assert refused.value.field == "resource.kind"


def test_a_shift_has_a_nurse_an_end_and_no_twin(clinic: Clinic) -> None:
    place = clinic.open(shift=False)
    nurse = place.resources["nurse"][0]
    clinic.shift(nurse, place.site_id, NINE, NINE + timedelta(hours=4))
    with pytest.raises(AlreadyExists) as twin:
        clinic.shift(nurse, clinic.open().site_id, NINE + timedelta(hours=3), NINE + timedelta(hours=8))
    assert twin.value.reason == "SHIFT_OVERLAPS"
    for hours in (0, -1, 25):
        with pytest.raises(InvalidArgument) as refused:
            clinic.shift(nurse, place.site_id, NINE + timedelta(days=1), NINE + timedelta(days=1, hours=hours))
        assert refused.value.field == "ends_at"
    with pytest.raises(InvalidArgument) as chair:
        clinic.shift(place.resources["chair"][0], place.site_id, NINE, NINE + timedelta(hours=1))
    assert chair.value.reason == "RESOURCE_KIND"
    with pytest.raises(NotFound):
        clinic.shift(str(uuid4()), place.site_id, NINE, NINE + timedelta(hours=1))


def test_only_an_operator_opens_a_site(clinic: Clinic) -> None:
    site = types.Site(site_id=str(uuid4()), site_code="FLG", time_zone="America/Phoenix")
    with pytest.raises(PermissionDenied):
        clinic.harness.call("OpenSite", pb.OpenSiteRequest(site=site), role="nurse", at=NOW)
