"""At the desk and with the clinician: registration, consent, questionnaires, diagnosis, clearance or refusal."""

from datetime import timedelta
from typing import Final

from chassis.remote import RemoteError
from chassis.values import to_timestamp
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types
from simulator.episode import Episode
from simulator.places import Place
from simulator.scripts import NEVER_BOOKED
from simulator.unexpected import Unexpected

_SITE_ON_ITS_WAY: Final = ("SITE_UNKNOWN", "SITE_NOT_YET_KNOWN")
_CONSENT_DAYS: Final = 180
# Why somebody with the same identity is somebody else: another journey drew them.
_DRAWN_BEFORE: Final = "drawn_by_another_run"


def screen(episode: Episode) -> bool:
    """The whole first visit. True when the person was cleared, and must then be; see `Script`."""
    register(episode)
    consent(episode, episode.home)
    if episode.treated_at != episode.home:
        link(episode)
        consent(episode, episode.treated_at)
    flags = answer_questionnaires(episode)
    clear_flags(episode, flags)
    record_diagnosis(episode)
    cleared = decide(episode)
    if cleared == (episode.script.way in NEVER_BOOKED):
        raise Unexpected(f"way {episode.script.way}: the network's decision is not the one that the script has")
    return cleared


def register(episode: Episode) -> None:
    """Enters the person at home. Whoever looks the same was drawn by an earlier journey of this seed."""
    request = _registration(episode, episode.home)
    answer = episode.ask("intake_clerk", "intake", "RegisterPerson", request, until=_SITE_ON_ITS_WAY)
    if answer.outcome == pb.RegisterPersonResponse.OUTCOME_CANDIDATES_FOUND:
        episode.forward(1)
        request = _registration(episode, episode.home)
        request.not_same_reason_code = _DRAWN_BEFORE
        answer = episode.ask("intake_clerk", "intake", "RegisterPerson", request)
    episode.person_id = answer.person_id
    episode.forward(2)


def link(episode: Episode) -> None:
    """Registers at the second site: the candidates are found first, then the person is linked."""
    place = episode.treated_at
    request = _registration(episode, place)
    answer = episode.ask("intake_clerk", "intake", "RegisterPerson", request, place=place, until=_SITE_ON_ITS_WAY)
    found = [candidate.person_id for candidate in answer.candidates]
    if answer.outcome != pb.RegisterPersonResponse.OUTCOME_CANDIDATES_FOUND or episode.person_id not in found:
        raise Unexpected("a person who is on record at another site must be found as a candidate")
    episode.forward(1)
    request = _registration(episode, place)
    request.same_as_person_id = episode.person_id
    answer = episode.ask("intake_clerk", "intake", "RegisterPerson", request, place=place)
    if answer.person_id != episode.person_id:
        raise Unexpected("a linked person must keep their id")
    episode.forward(1)


def _registration(episode: Episode, place: Place) -> pb.RegisterPersonRequest:
    return pb.RegisterPersonRequest(
        request_id=episode.request_id(),
        site_id=place.site_id,
        identity=episode.person.identity(),
        medical_record_number=f"{episode.person.record_number}-{place.index}",
        synthetic=True,
    )


def consent(episode: Episode, place: Place) -> None:
    """Signed for one site."""
    request = pb.GrantConsentRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=place.site_id,
        kind=types.CONSENT_KIND_KETAMINE_TREATMENT,
        expires_at=to_timestamp(episode.now + timedelta(days=_CONSENT_DAYS)),
    )
    episode.ask("nurse", "intake", "GrantConsent", request, place=place, until=_SITE_ON_ITS_WAY)
    episode.forward(3)


def answer_questionnaires(episode: Episode) -> list[str]:
    """PHQ-9 and the C-SSRS screener. The ids of the flags that the screener raised."""
    phq9 = [types.Answer(item=str(number), value=value) for number, value in enumerate(episode.script.phq9, 1)]
    _complete(episode, "PHQ-9", "2001", phq9)
    cssrs = [types.Answer(item=item, value=value) for item, value in episode.script.cssrs]
    return list(_complete(episode, "C-SSRS-SCREENER", "lifetime-recent", cssrs).flag_ids)


def _complete(
    episode: Episode, instrument: str, version: str, answers: list[types.Answer]
) -> pb.CompleteInstrumentResponse:
    request = pb.CompleteInstrumentRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        instrument=instrument,
        instrument_version=version,
        answers=answers,
    )
    answer: pb.CompleteInstrumentResponse = episode.ask("nurse", "intake", "CompleteInstrument", request)
    episode.forward(6)
    return answer


def clear_flags(episode: Episode, flag_ids: list[str]) -> None:
    """The clinician evaluates the person and writes a note; one is sent on for evaluation elsewhere, and the flag stays."""
    if episode.script.way == "flag_open":
        return
    for flag_id in flag_ids:
        request = pb.ClearSafetyFlagRequest(request_id=episode.request_id(), flag_id=flag_id, note=episode.person.note)
        episode.ask("clinician", "intake", "ClearSafetyFlag", request)
        episode.forward(10)


def record_diagnosis(episode: Episode) -> None:
    """A heading is not billable and is refused; the clinician then names the leaf."""
    if episode.script.index % 10 == 0:
        heading = episode.script.icd10cm_code.partition(".")[0]
        try:
            _diagnose(episode, heading)
        except RemoteError as refused:
            if refused.code != "INVALID_ARGUMENT":
                raise
        else:
            raise Unexpected("a heading of ICD-10-CM must be refused")
    _diagnose(episode, episode.script.icd10cm_code)
    episode.forward(5)


def _diagnose(episode: Episode, code: str) -> None:
    request = pb.RecordDiagnosisRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        icd10cm_code=code,
    )
    episode.ask("clinician", "intake", "RecordDiagnosis", request)


def decide(episode: Episode) -> bool:
    """Clearance or refusal from what is on record."""
    request = pb.DecideEligibilityRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        indication=episode.script.indication,
        contraindication_codes=episode.script.contraindications,
    )
    answer = episode.ask("clinician", "intake", "DecideEligibility", request)
    episode.forward(5)
    return bool(answer.outcome == types.ELIGIBILITY_OUTCOME_CLEARED)
