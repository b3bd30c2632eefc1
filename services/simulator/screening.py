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
from simulator.series import phq9_answers
from simulator.unexpected import Unexpected

_SITE_ON_ITS_WAY: Final = ("SITE_UNKNOWN", "SITE_NOT_YET_KNOWN")
_CONSENT_DAYS: Final = 180
# C-SSRS since the last visit; a plan with intent to act on it is high.
_SINCE_LAST_NO: Final = {"1": 0, "2": 0, "6": 0}
_SINCE_LAST_HIGH: Final = {"1": 1, "2": 1, "3": 1, "4": 1, "5": 1, "6": 0}
# Why somebody with the same identity is somebody else: another journey drew them.
_DRAWN_BEFORE: Final = "drawn_by_another_run"


def screen(episode: Episode) -> bool:
    """The whole first visit. True when the person was cleared, and must then be; see `Script`."""
    register(episode)
    episode.consent_id = consent(episode, episode.home)
    for place in episode.elsewhere:
        link(episode, place)
        consent(episode, place)
    flags = answer_questionnaires(episode)
    clear_flags(episode, flags)
    record_diagnosis(episode)
    evaluate(episode, "99204")
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


def link(episode: Episode, place: Place) -> None:
    """Registers at another site: the candidates are found first, then the person is linked."""
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


def consent(episode: Episode, place: Place) -> str:
    """Signed for one site. The consent's id."""
    request = pb.GrantConsentRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=place.site_id,
        kind=types.CONSENT_KIND_KETAMINE_TREATMENT,
        expires_at=to_timestamp(episode.now + timedelta(days=_CONSENT_DAYS)),
    )
    granted = episode.ask("nurse", "intake", "GrantConsent", request, place=place, until=_SITE_ON_ITS_WAY)
    episode.forward(3)
    consent_id: str = granted.consent_id
    return consent_id


def withdraw(episode: Episode, consent_id: str) -> None:
    """The person takes the consent back."""
    request = pb.WithdrawConsentRequest(person_id=episode.person_id, consent_id=consent_id)
    episode.ask("nurse", "intake", "WithdrawConsent", request)
    episode.forward(1)


def answer_questionnaires(episode: Episode) -> list[str]:
    """PHQ-9 and the C-SSRS screener. The ids of the flags that they raised."""
    mood_flags = _complete(episode, "PHQ-9", "2001", _phq9_answers(episode.script.phq9)).flag_ids
    cssrs = [types.Answer(item=item, value=value) for item, value in episode.script.cssrs]
    return [*mood_flags, *_complete(episode, "C-SSRS-SCREENER", "lifetime-recent", cssrs).flag_ids]


def _phq9_answers(values: tuple[int, ...]) -> list[types.Answer]:
    return [types.Answer(item=str(number), value=value) for number, value in enumerate(values, 1)]


def _complete(
    episode: Episode,
    instrument: str,
    version: str,
    answers: list[types.Answer],
    *,
    place: Place | None = None,
    minutes: float = 6,
) -> pb.CompleteInstrumentResponse:
    request = pb.CompleteInstrumentRequest(
        request_id=episode.request_id(),
        person_id=episode.person_id,
        site_id=(place or episode.home).site_id,
        instrument=instrument,
        instrument_version=version,
        answers=answers,
    )
    answer: pb.CompleteInstrumentResponse = episode.ask("nurse", "intake", "CompleteInstrument", request, place=place)
    episode.billable += 1
    episode.forward(minutes)
    return answer


def clear_flags(episode: Episode, flag_ids: list[str]) -> None:
    """The clinician evaluates the person and writes a note; one is sent on for evaluation elsewhere, and the flag stays."""
    if episode.script.way == "flag_open":
        return
    for flag_id in flag_ids:
        clear_flag(episode, flag_id)


def clear_flag(episode: Episode, flag_id: str, place: Place | None = None, *, minutes: float = 10) -> None:
    """Only a qualified clinician's note clears a flag, never a later lower score."""
    request = pb.ClearSafetyFlagRequest(flag_id=flag_id, note=episode.person.note)
    episode.ask("clinician", "intake", "ClearSafetyFlag", request, place=place)
    episode.forward(minutes)


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


def evaluate(episode: Episode, cpt_code: str) -> None:
    """The clinician's visit itself."""
    request = pb.RecordEvaluationRequest(person_id=episode.person_id, site_id=episode.home.site_id, cpt_code=cpt_code)
    episode.ask("clinician", "intake", "RecordEvaluation", request)
    episode.billable += 1
    episode.forward(5)


def decide(episode: Episode) -> bool:
    """Every question is asked and answered; then clearance or refusal from what is on record."""
    asked = pb.ListEligibilityQuestionsRequest(person_id=episode.person_id, site_id=episode.home.site_id)
    found = episode.ask("clinician", "intake", "ListEligibilityQuestions", asked)
    request = pb.DecideEligibilityRequest(
        person_id=episode.person_id,
        site_id=episode.home.site_id,
        indication=episode.script.indication,
        answers=[
            types.ContraindicationAnswer(code=question.code, answer=_said(episode, question.code))
            for question in found.questions
        ],
    )
    if found.pregnancy_test_needed:
        request.pregnancy_test.result = types.PREGNANCY_TEST_RESULT_NEGATIVE
        request.pregnancy_test.tested_at.CopyFrom(to_timestamp(episode.now))
    answer = episode.ask("prescriber", "intake", "DecideEligibility", request)
    episode.forward(5)
    return bool(answer.outcome == types.ELIGIBILITY_OUTCOME_CLEARED)


def _said(episode: Episode, code: str) -> "types.ContraindicationAnswerValue.ValueType":
    yes = code in episode.script.contraindications
    return types.CONTRAINDICATION_ANSWER_VALUE_YES if yes else types.CONTRAINDICATION_ANSWER_VALUE_NO


def mood(episode: Episode, total: int, place: Place) -> None:
    """PHQ-9 with answers of that total."""
    _complete(episode, "PHQ-9", "2001", _phq9_answers(phq9_answers(total)), place=place, minutes=2)


def safety_questions(episode: Episode, place: Place, *, high: bool = False) -> list[str]:
    """C-SSRS since the last visit: no to everything, or a plan with intent. The ids of the flags that it raised."""
    said = _SINCE_LAST_HIGH if high else _SINCE_LAST_NO
    answers = [types.Answer(item=item, value=value) for item, value in said.items()]
    done = _complete(episode, "C-SSRS-SCREENER", "since-last-visit", answers, place=place, minutes=1)
    return list(done.flag_ids)
