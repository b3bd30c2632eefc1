"""Soft rules are set aside by a privileged role with a reason, hard ones by nobody."""

from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, PermissionDenied
from chassis.values import to_timestamp
from saguaro.policy.v1 import service_pb2 as policy_pb
from saguaro.policy.v1 import types_pb2 as policy_types
from saguaro.scheduling.v1 import types_pb2 as types
from tests.scheduling.clinic import NINE, NOW, PRIVILEGED, Clinic, setting_aside

# From the start of one visit to the start of the next, when the soft interval lies between their infusions of 40 minutes.
SOFT = timedelta(hours=44, minutes=40)


def test_44_hours_are_soft_over_all_sites(clinic: Clinic) -> None:
    """'From the end of one infusion to the start of the next: 24 h hard, 44 h soft.'"""
    here, there = clinic.open(), clinic.open("America/Denver")
    person = str(uuid4())
    plan = clinic.plan(person)
    start = NINE + timedelta(days=3)
    clinic.book(clinic.request(here, person, plan, starts_at=start))
    for ordinal, wanted, nearer in ((2, start + SOFT, -1), (3, start - SOFT, 1)):
        near = wanted + timedelta(minutes=nearer)
        with pytest.raises(FailedPrecondition) as refused:
            clinic.book(clinic.request(there, person, plan, ordinal=ordinal, starts_at=near))
        assert (refused.value.reason, refused.value.field) == ("INTERVAL_TOO_SHORT", "starts_at")
        booked = clinic.book(clinic.request(there, person, plan, ordinal=ordinal, starts_at=wanted))
        assert list(clinic.get(booked.session_id).overrides) == []


def test_the_soft_interval_is_set_aside_with_a_reason_by_a_privileged_role(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(place, person, plan))
    asked = {"ordinal": 2, "starts_at": NINE + timedelta(hours=30), "override": setting_aside("interval.soft")}
    for role in ("scheduler", "nurse"):
        with pytest.raises(PermissionDenied) as refused:
            clinic.book(clinic.request(place, person, plan, **asked), role)
        assert refused.value.reason == "OVERRIDE_ROLE"
    session = clinic.book(clinic.request(place, person, plan, **asked), "medical_director").session_id
    (kept,) = clinic.get(session).overrides
    assert (kept.rule, kept.role, kept.reason_code) == ("interval.soft", "medical_director", "clinician.decided")


def test_an_override_that_was_not_needed_is_not_kept(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    request = clinic.request(
        place, person, clinic.plan(person), override=setting_aside("interval.soft", "hours.closed")
    )
    assert list(clinic.get(clinic.book(request, PRIVILEGED).session_id).overrides) == []


def test_every_rule_that_is_broken_is_named(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(place, person, plan))
    row = policy_types.PolicyRow(
        policy_set="opening_hours",
        key=[policy_types.PolicyField(name="iso_weekday", value="4")],
        values=[
            policy_types.PolicyField(name="opens", value="00:00"),
            policy_types.PolicyField(name="closes", value="00:00"),
        ],
        site_id=place.site_id,
        effective_from=to_timestamp(NOW),
        source="house policy",
    )
    clinic.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=row), "medical_director")
    near = NINE + timedelta(hours=30)
    with pytest.raises(FailedPrecondition) as refused:
        clinic.book(clinic.request(place, person, plan, ordinal=2, starts_at=near))
    assert refused.value.reason == "SOFT_RULES_BROKEN"
    assert [one.rule.split(":")[0] for one in refused.value.findings] == ["SITE_CLOSED", "INTERVAL_TOO_SHORT"]


def test_hard_rules_stand_whatever_is_set_aside(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    plan = clinic.plan(person)
    clinic.book(clinic.request(place, person, plan))
    everything = setting_aside("interval.soft", "hours.closed", "buffer.cleaning")
    with pytest.raises(AlreadyExists) as interval:
        clinic.book(
            clinic.request(place, person, plan, ordinal=2, starts_at=NINE + timedelta(hours=24), override=everything),
            PRIVILEGED,
        )
    assert interval.value.ids.keys() == {"person_id", "person_held_by_session_id"}
    other = str(uuid4())
    for minutes in (60, 174):
        request = clinic.request(
            place, other, clinic.plan(other), starts_at=NINE + timedelta(minutes=minutes), override=everything
        )
        with pytest.raises(AlreadyExists) as taken:
            clinic.book(request, PRIVILEGED)
        assert "chair_id" in taken.value.ids


def test_a_chair_is_free_after_its_cleaning_and_sooner_by_override(clinic: Clinic) -> None:
    place = clinic.open(sets=2)
    first = clinic.booked(place).session_id
    end = NINE + timedelta(minutes=175)
    # Another nurse, pump and monitor: the chair alone is in the way, for ten minutes of cleaning.
    chair = place.set_of(1) | {"chair_id": place.resources["chair"][0]}
    person = str(uuid4())
    plan = clinic.plan(person)
    with pytest.raises(AlreadyExists) as dirty:
        clinic.book(clinic.request(place, person, plan, starts_at=end + timedelta(minutes=9), **chair))
    assert dirty.value.ids == {"chair_id": chair["chair_id"], "chair_held_by_session_id": first}
    request = clinic.request(place, person, plan, starts_at=end, override=setting_aside("buffer.cleaning"), **chair)
    session = clinic.book(request, PRIVILEGED).session_id
    assert [one.rule for one in clinic.get(session).overrides] == ["buffer.cleaning"]
    assert clinic.booked(place, starts_at=end + timedelta(hours=5), **chair).session_id


def test_policy_of_a_site_goes_before_that_of_the_network(clinic: Clinic) -> None:
    mine, other = clinic.open(), clinic.open()
    values = {
        "preparation_min": 30,
        "recovery_min": 60,
        "first_recovery_min": 90,
        "pain_recovery_min": 120,
        "cleaning_min": 20,
        "infusion_interval_min": 1440,
        "soft_interval_min": 2640,
        "grid_min": 5,
        "search_max_days": 31,
    }
    row = policy_types.PolicyRow(
        policy_set="booking_policy",
        key=[policy_types.PolicyField(name="type_code", value="infusion")],
        values=[policy_types.PolicyField(name=name, value=str(value)) for name, value in values.items()],
        site_id=mine.site_id,
        effective_from=to_timestamp(NOW),
        source="house policy",
    )
    clinic.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=row), "medical_director")
    here, there = clinic.booked(mine), clinic.booked(other)
    assert (here.ends_at.seconds - there.ends_at.seconds) / 60 == (30 + 90) - (15 + 120)
    # A person's stretch is what the proof of the interval rests on: it is no matter of policy.
    bad = policy_types.PolicyRow(
        policy_set="appointment_resource",
        key=[
            policy_types.PolicyField(name="type_code", value="infusion"),
            policy_types.PolicyField(name="resource_kind", value="person"),
        ],
        values=[
            policy_types.PolicyField(name="from_phase", value="arrival"),
            policy_types.PolicyField(name="until_phase", value="visit_end"),
        ],
        effective_from=to_timestamp(NOW),
        source="house policy",
    )
    with pytest.raises(InvalidArgument):
        clinic.call("PublishPolicy", policy_pb.PublishPolicyRequest(row=bad), "medical_director")
    listed = clinic.call("ListPolicy", policy_pb.ListPolicyRequest()).rows
    assert {one.policy_set for one in listed} == {
        "booking_policy",
        "appointment_resource",
        "checklist_policy",
        "policy_number",
    }
    assert all(one.source for one in listed)


def test_unknown_rules_are_refused(clinic: Clinic) -> None:
    place = clinic.open()
    person = str(uuid4())
    request = clinic.request(place, person, clinic.plan(person), override=types.Override(rules=["interval.hard"]))
    with pytest.raises(InvalidArgument):
        clinic.book(request, PRIVILEGED)
