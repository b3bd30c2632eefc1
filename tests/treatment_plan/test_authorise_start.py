"""A start is authorised once, for this pump's fresh and matching echo, or everything against it is named."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from chassis.errors import FailedPrecondition, PermissionDenied, SaguaroError
from chassis.values import to_timestamp
from saguaro.treatment_plan.v1 import events_pb2 as events
from saguaro.treatment_plan.v1 import service_pb2 as pb
from saguaro.treatment_plan.v1 import types_pb2 as types
from tests.treatment_plan.ward import NOW, Treatment, Ward, findings_of


def refused(treatment: Treatment, request: pb.AuthoriseStartRequest, **how: object) -> FailedPrecondition:
    """The refusal; nothing was used by it."""
    used = len(treatment.ward.harness.events(events.OrderUsed))
    with pytest.raises(FailedPrecondition) as caught:
        treatment.authorise(request, **how)
    assert len(treatment.ward.harness.events(events.OrderUsed)) == used
    return caught.value


def test_a_start_marks_the_order_used(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    answer = treatment.authorise()
    assert (answer.programme, answer.dose_mg) == (treatment.order.programme, "40")
    (used,) = ward.harness.events(events.OrderUsed)
    assert (used.order_id, used.pump_id, used.used_at) == (
        treatment.order.order_id,
        treatment.pump_id,
        to_timestamp(NOW),
    )
    assert ward.state_of(treatment.session_id) == types.SESSION_STATE_AUTHORISED


def test_the_same_request_has_the_same_authorisation(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    request, asker = treatment.start_request(), uuid4()
    assert treatment.authorise(request, actor=asker) == treatment.authorise(request, actor=asker)
    assert len(ward.harness.events(events.OrderUsed)) == 1


def test_a_used_order_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    treatment.authorise()
    error = refused(treatment, treatment.start_request())
    assert error.reason == "START_REFUSED"
    assert "it was used" in error.rule


def test_a_revoked_order_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    ward.call("RevokeOrder", pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose"))
    assert "it was revoked" in refused(treatment, treatment.start_request()).rule


def test_an_expired_order_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    last = NOW + timedelta(hours=25)
    error = refused(treatment, treatment.start_request(last), at=last)
    assert [finding.rule for finding in error.findings] == ["the order must be in force: it expired"]
    before = last - timedelta(seconds=1)
    assert treatment.authorise(treatment.start_request(before), at=before).authorisation_id


def test_an_order_of_another_session_is_refused(ward: Ward) -> None:
    treatment, other = ward.ordered().make_ready(), ward.ordered().make_ready()
    request = treatment.start_request()
    request.order_id = other.order.order_id
    assert "of this session" in refused(treatment, request).rule


def test_an_order_of_nobody_is_refused(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    request = treatment.start_request()
    request.order_id = str(uuid4())
    assert findings_of(refused(treatment, request)) == {"order_id"}


def test_a_session_that_is_not_ready_is_refused(ward: Ward) -> None:
    treatment = ward.ordered()
    error = refused(treatment, treatment.start_request())
    assert [finding.rule for finding in error.findings] == ["the session must be ready with this order"]


def test_a_withdrawn_consent_stops_the_start(ward: Ward) -> None:
    """Authorising asks treatment-plan and intake by gRPC at that moment (order unexpired and unused, consent, no open flag)"""
    treatment = ward.ordered().make_ready()
    ward.consent_withdrawn(treatment.plan.person_id, str(uuid4()))
    rule = refused(treatment, treatment.start_request()).rule
    assert "it was revoked" in rule
    assert "the treatment consent must be in force" in rule


def test_an_open_flag_stops_the_start(ward: Ward) -> None:
    """C-SSRS HIGH or incomplete raises a flag at once, [...]: clearance, order and start refuse"""
    treatment = ward.ordered().make_ready()
    flag_id = ward.flag_raised(treatment.plan.person_id)
    error = refused(treatment, treatment.start_request())
    assert [finding.rule for finding in error.findings] == ["no safety flag that blocks may be open"]
    ward.flag_cleared(treatment.plan.person_id, flag_id)
    assert treatment.authorise().authorisation_id


def test_an_adverse_event_before_the_start_stops_it(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    request = pb.RecordAdverseEventRequest(session_id=treatment.session_id, kind_code="vasovagal", severity_code="mild")
    treatment.nursing("RecordAdverseEvent", request)
    assert "no hold may wait" in refused(treatment, treatment.start_request()).rule


@pytest.mark.parametrize(
    ("field", "echoed"),
    [
        ("rate_ml_per_h", "60.1"),
        ("concentration_mg_per_ml", "2"),
        ("vtbi_ml", "40.1"),
        ("drug_code", "esketamine"),
        ("concentration_mg_per_ml", ""),
    ],
)
def test_the_echo_must_be_the_order(ward: Ward, field: str, echoed: str) -> None:
    """Start refused, each with its own test: rate +0.1; concentration 2 for 1; volume +0.1; another drug; no concentration"""
    treatment = ward.ordered().make_ready()
    error = refused(treatment, treatment.start_request(**{field: echoed}))
    assert (error.reason, findings_of(error)) == ("START_REFUSED", {f"echoed_programme.{field}"})


def test_an_echo_three_minutes_old_is_refused(ward: Ward) -> None:
    """The echo comes from the pump attached to this session, not older than 2 minutes"""
    treatment = ward.ordered().make_ready()
    request = treatment.start_request()
    request.echoed_at.CopyFrom(to_timestamp(NOW - timedelta(minutes=3)))
    assert [finding.rule for finding in refused(treatment, request).findings] == [
        "the echo must be fresh: it is too old"
    ]


@pytest.mark.parametrize(
    ("weight", "dose_rate", "unit", "fields"),
    [
        ("80", "0.75", "mg/kg/h", set()),
        ("80.0", "12.5", "ug/kg/min", set()),
        ("80", "0.0125", "mg/kg/min", set()),
        ("", "60", "mg/h", set()),
        ("80", "0.7", "mg/kg/h", {"echoed_dose_rate"}),
        ("80", "0.8", "mg/kg/h", set()),
        ("80", "0.76", "mg/kg/h", {"echoed_dose_rate"}),
        ("81", "0.75", "mg/kg/h", {"echoed_weight_kg"}),
        ("", "0.75", "mg/kg/h", {"echoed_weight_kg"}),
        ("80", "", "mg/kg/h", {"echoed_dose_rate"}),
        ("80", "NaN", "mg/kg/h", {"echoed_dose_rate"}),
        ("80", "0.75", "mL/h", {"echoed_dose_rate_unit"}),
    ],
)
def test_weight_and_dose_rate_in_dose_mode(
    ward: Ward, weight: str, dose_rate: str, unit: str, fields: set[str]
) -> None:
    """(weight and dose rate too in dose mode); each is compared as Decimal, after unit conversion, with the rounded order"""
    treatment = ward.ordered().make_ready()
    request = treatment.start_request()
    request.echoed_weight_kg, request.echoed_dose_rate, request.echoed_dose_rate_unit = weight, dose_rate, unit
    if fields:
        assert findings_of(refused(treatment, request)) == fields
    else:
        assert treatment.authorise(request).authorisation_id


@pytest.mark.parametrize("field", ["drug_code", "concentration_mg_per_ml", "rate_ml_per_h", "vtbi_ml"])
@pytest.mark.parametrize(("echoed", "word"), [("", "absent"), ("7.77", "differs")])
def test_each_echoed_field_that_differs_or_is_absent_is_named(ward: Ward, field: str, echoed: str, word: str) -> None:
    treatment = ward.ordered().make_ready()
    error = refused(treatment, treatment.start_request(**{field: echoed}))
    assert findings_of(error) == {f"echoed_programme.{field}"}
    assert word in error.rule


@pytest.mark.parametrize("echoed", ["sixty", "NaN", "Infinity", "60.01", "6E+2"])
def test_what_is_no_equal_number_is_refused(ward: Ward, echoed: str) -> None:
    treatment = ward.ordered().make_ready()
    error = refused(treatment, treatment.start_request(rate_ml_per_h=echoed))
    assert findings_of(error) == {"echoed_programme.rate_ml_per_h"}
    assert echoed not in str(error)


def test_another_spelling_of_the_same_number_is_the_same(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    request = treatment.start_request(rate_ml_per_h="60", vtbi_ml="40.000", concentration_mg_per_ml="1.0")
    assert treatment.authorise(request).dose_mg == "40"


def test_everything_against_a_start_is_named_at_once(ward: Ward) -> None:
    treatment = ward.ordered()
    error = refused(treatment, treatment.start_request(drug_code="", rate_ml_per_h="61", vtbi_ml="39.9"))
    assert findings_of(error) == {
        "session_id",
        "echoed_programme.drug_code",
        "echoed_programme.rate_ml_per_h",
        "echoed_programme.vtbi_ml",
    }


@pytest.mark.parametrize(("seconds", "word"), [(121, "too old"), (-6, "ahead")])
def test_a_stale_echo_or_one_from_the_future_is_refused(ward: Ward, seconds: int, word: str) -> None:
    treatment = ward.ordered().make_ready()
    request = treatment.start_request()
    request.echoed_at.CopyFrom(to_timestamp(NOW - timedelta(seconds=seconds)))
    error = refused(treatment, request)
    assert findings_of(error) == {"echoed_at"}
    assert word in error.rule


@pytest.mark.parametrize("seconds", [120, 0, -5])
def test_an_echo_within_two_minutes_is_fresh(ward: Ward, seconds: int) -> None:
    treatment = ward.ordered().make_ready()
    request = treatment.start_request()
    request.echoed_at.CopyFrom(to_timestamp(NOW - timedelta(seconds=seconds)))
    assert treatment.authorise(request).authorisation_id


def test_a_refused_request_may_be_asked_again(ward: Ward) -> None:
    treatment = ward.ordered()
    request, asker = treatment.start_request(), uuid4()
    refused(treatment, request, actor=asker)
    treatment.make_ready()
    assert treatment.authorise(request, actor=asker).authorisation_id


def test_of_eight_starts_at_once_one_wins(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()

    def ask(_number: int) -> str:
        try:
            return str(treatment.authorise(treatment.start_request(), actor=uuid4()).authorisation_id)
        except SaguaroError as error:
            return f"{error.reason}: {error.findings[0].rule}"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(ask, range(8)))
    losers = [outcome for outcome in outcomes if outcome.startswith("START_REFUSED")]
    assert losers == ["START_REFUSED: the order must be unused: it was used"] * 7
    (used,) = ward.harness.events(events.OrderUsed)
    assert used.order_id == treatment.order.order_id


def test_a_start_and_a_revocation_at_once_leave_one_truth(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    revoke = pb.RevokeOrderRequest(order_id=treatment.order.order_id, reason_code="wrong.dose")

    def start() -> str:
        try:
            treatment.authorise()
        except FailedPrecondition:
            return "refused"
        return "started"

    def take_back() -> str:
        try:
            ward.call("RevokeOrder", revoke)
        except FailedPrecondition:
            return "refused"
        return "revoked"

    with ThreadPoolExecutor(2) as threads:
        outcomes = {future.result() for future in (threads.submit(start), threads.submit(take_back))}
    assert outcomes in ({"started", "refused"}, {"refused", "revoked"})
    told = len(ward.harness.events(events.OrderUsed)), len(ward.harness.events(events.OrderRevoked))
    assert told == ((1, 0) if "started" in outcomes else (0, 1))


def test_only_a_service_or_a_nurse_asks(ward: Ward) -> None:
    treatment = ward.ordered().make_ready()
    with pytest.raises(PermissionDenied):
        ward.call("AuthoriseStart", treatment.start_request(), role="prescriber")
    assert ward.call("AuthoriseStart", treatment.start_request(), role="nurse").authorisation_id
