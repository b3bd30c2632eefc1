"""Status and lists: what the record holds, without who it is about."""

from datetime import UTC, timedelta
from uuid import uuid4

import pytest

from chassis.errors import InvalidArgument, NotFound
from saguaro.intake.v1 import service_pb2 as pb

from .conftest import NOW, PHOENIX, WINDOW_ROCK, Desk, identity


def test_status_follows_what_happens(desk: Desk) -> None:
    def status(at: object = NOW) -> object:
        return desk.call("GetPatientStatus", pb.GetPatientStatusRequest(person_id=person_id), "operator", at).status

    person_id = desk.ready()
    first = status()
    assert (first.person_id, list(first.site_ids), first.state) == (person_id, [PHOENIX], "registered")
    assert (list(first.diagnosis_codes), list(first.active_consents), list(first.open_flag_ids)) == (
        ["F33.2"], ["ketamine_treatment"], [],
    )  # fmt: skip
    assert first.registered_at.ToDatetime(tzinfo=UTC) == NOW
    desk.decide(person_id)
    assert status().state == "cleared"
    late = status(NOW + timedelta(days=181))
    assert (late.state, list(late.active_consents)) == ("registered", [])
    flag_id = desk.screen(person_id, "4").flag_ids[0]
    desk.decide(person_id)
    assert (status().state, list(status().open_flag_ids)) == ("declined", [flag_id])
    desk.clear_flag(flag_id)
    assert list(status().open_flag_ids) == []


def test_nobody_has_no_status_and_no_identity(desk: Desk) -> None:
    for rpc, request in (
        ("GetPatientStatus", pb.GetPatientStatusRequest(person_id=str(uuid4()))),
        ("GetPerson", pb.GetPersonRequest(person_id=str(uuid4()))),
    ):
        with pytest.raises(NotFound) as refused:
            desk.call(rpc, request)
        assert refused.value.field == "person_id"


def test_a_list_comes_in_pages_and_misses_and_doubles_nobody(desk: Desk) -> None:
    everybody = [desk.person() for _ in range(7)]
    seen, token, pages = [], "", 0
    while True:
        request = pb.ListPatientsRequest(site_id=PHOENIX, page_size=3, page_token=token)
        answer = desk.call("ListPatients", request, "operator")
        seen += [patient.person_id for patient in answer.patients]
        pages, token = pages + 1, answer.next_page_token
        if not token:
            break
    assert pages == 3
    assert seen == sorted(everybody)


def test_a_page_token_of_another_site_is_refused(desk: Desk) -> None:
    for _ in range(2):
        desk.person()
    token = desk.call("ListPatients", pb.ListPatientsRequest(site_id=PHOENIX, page_size=1), "operator").next_page_token
    with pytest.raises(InvalidArgument) as refused:
        desk.call(
            "ListPatients", pb.ListPatientsRequest(site_id=WINDOW_ROCK, page_size=1, page_token=token), "operator"
        )
    assert refused.value.field == "page_token"


def test_a_linked_person_is_listed_at_both_sites(desk: Desk) -> None:
    person_id = desk.register().person_id
    assert desk.call("ListPatients", pb.ListPatientsRequest(site_id=WINDOW_ROCK)).patients == []
    desk.register(identity(), site_id=WINDOW_ROCK, same_as_person_id=person_id)
    for site_id in (PHOENIX, WINDOW_ROCK):
        (patient,) = desk.call("ListPatients", pb.ListPatientsRequest(site_id=site_id)).patients
        assert set(patient.site_ids) == {PHOENIX, WINDOW_ROCK}
