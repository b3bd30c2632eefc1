"""Enters a person on the record of a site, or links the site to somebody who is already on it.

Where somebody alike is on record and nothing was decided, nothing is entered and the candidates are the answer. That answer is kept
under its request_id like any other, so that a repeated call is told the same; the decision is another request, with its own id.
"""

import json
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import exists, insert, select

from chassis.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound
from chassis.index import Command, Ids
from chassis.unit_of_work import UnitOfWork
from chassis.values import site_date, to_timestamp
from intake import policy, roles
from intake.contract import identity_of
from intake.domain.identity import Identity, check
from intake.domain.match_keys import record_number_token
from intake.matching import Candidate, candidates, lock_tokens, tokens_of
from intake.people import phone_is_valid, seal_identity
from intake.record import zone_of
from intake.tables import match_decision, match_token, person, registration
from saguaro.intake.v1 import events_pb2 as events
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import types_pb2 as types

REGISTERED, LINKED, CANDIDATES = "registered", "linked", "candidates"
OUTCOMES = {
    REGISTERED: pb.RegisterPersonResponse.OUTCOME_REGISTERED,
    LINKED: pb.RegisterPersonResponse.OUTCOME_LINKED,
    CANDIDATES: pb.RegisterPersonResponse.OUTCOME_CANDIDATES_FOUND,
}


@dataclass(frozen=True, repr=False)
class Entry:
    """What is to be entered. Has no readable repr, since it names a person."""

    site_id: UUID
    identity: Identity
    record_number: str
    record_number_token: bytes
    tokens: dict[str, bytes]
    synthetic: bool


def handle(uow: UnitOfWork, request: pb.RegisterPersonRequest) -> Ids:
    """See the module. InvalidArgument, SITE_UNKNOWN, RECORD_NUMBER_TAKEN, PERSON_AT_SITE, NOT_A_CANDIDATE."""
    entry = _checked(uow, request)
    lock_tokens(uow, [*entry.tokens.values(), entry.record_number_token])
    _refuse_taken_record_number(uow, entry)
    found = candidates(uow, entry.identity, entry.tokens, synthetic=entry.synthetic)
    decision = request.WhichOneof("match_decision")
    if decision == "not_same_reason_code":
        _refuse_unknown_reason(uow, request)
    if decision == "same_as_person_id":
        return _link(uow, entry, UUID(request.same_as_person_id), found)
    if found and decision is None:
        return {"outcome": CANDIDATES, "candidates": json.dumps([_as_texts(candidate) for candidate in found])}
    return _register(uow, entry, found, request.not_same_reason_code)


def _checked(uow: UnitOfWork, request: pb.RegisterPersonRequest) -> Entry:
    site_id, identity = UUID(request.site_id), identity_of(request.identity)
    check(
        identity,
        today=site_date(uow.clinic_time, zone_of(uow, site_id)),
        oldest_years=int(policy.number(uow, "identity.oldest_years")),
        phone_is_valid=phone_is_valid(identity.phone),
    )
    record_number = request.medical_record_number.strip()
    if not record_number:
        raise InvalidArgument("medical_record_number", "must not be blank")
    key = uow.secrets["match_token_key"]
    token = record_number_token(key, str(site_id), record_number)
    return Entry(site_id, identity, record_number, token, tokens_of(identity, key), request.synthetic)


def _refuse_taken_record_number(uow: UnitOfWork, entry: Entry) -> None:
    holder = uow.execute(
        select(registration.c.person_id).where(
            registration.c.site_id == entry.site_id, registration.c.record_number_token == entry.record_number_token
        )
    ).scalar_one_or_none()
    if holder is not None:
        rule = "a site gives each record number once"
        raise AlreadyExists("RECORD_NUMBER_TAKEN", field="medical_record_number", rule=rule, person_id=str(holder))


def _refuse_unknown_reason(uow: UnitOfWork, request: pb.RegisterPersonRequest) -> None:
    """The reasons are a closed list; those of a simulation are for simulated people only."""
    known = policy.reasons(uow, "match.not_same", request.site_id)
    if request.synthetic:
        known += policy.reasons(uow, "match.not_same.synthetic", request.site_id)
    if request.not_same_reason_code not in known:
        raise InvalidArgument("not_same_reason_code", f"must be one of: {', '.join(known)}")


def _link(uow: UnitOfWork, entry: Entry, person_id: UUID, found: list[Candidate]) -> Ids:
    if not uow.execute(select(exists().where(person.c.person_id == person_id))).scalar_one():
        raise NotFound("same_as_person_id", "must be a person on record")
    at_site = exists().where(registration.c.person_id == person_id, registration.c.site_id == entry.site_id)
    if uow.execute(select(at_site)).scalar_one():
        rule = "a person is registered at a site once"
        raise AlreadyExists("PERSON_AT_SITE", field="same_as_person_id", rule=rule, person_id=str(person_id))
    if person_id not in {candidate.person_id for candidate in found}:
        rule = "must be one of the candidates that the stated identity finds"
        raise FailedPrecondition("NOT_A_CANDIDATE", field="same_as_person_id", rule=rule, person_id=str(person_id))
    _enter(uow, entry, person_id)
    _keep_decisions(uow, entry, person_id, [person_id], "same", "same_person")
    uow.emit(
        events.PatientLinked(
            person_id=str(person_id), site_id=str(entry.site_id), linked_at=to_timestamp(uow.clinic_time)
        )
    )
    return {"outcome": LINKED, "person_id": str(person_id)}


def _register(uow: UnitOfWork, entry: Entry, found: list[Candidate], reason_code: str) -> Ids:
    person_id, at = uow.new_id(), uow.clinic_time
    uow.execute(
        insert(person).values(person_id=person_id, site_id=entry.site_id, synthetic=entry.synthetic, registered_at=at)
    )
    _enter(uow, entry, person_id)
    _keep_decisions(uow, entry, person_id, [candidate.person_id for candidate in found], "not_same", reason_code)
    uow.emit(
        events.PatientRegistered(
            person_id=str(person_id),
            site_id=str(entry.site_id),
            registered_at=to_timestamp(at),
            synthetic=entry.synthetic,
        )
    )
    return {"outcome": REGISTERED, "person_id": str(person_id)}


def _enter(uow: UnitOfWork, entry: Entry, person_id: UUID) -> None:
    """The person at this site, as stated here, and the tokens by which others will find them."""
    place = {"person_id": person_id, "site_id": entry.site_id}
    uow.execute(
        insert(registration).values(
            **place,
            identity_sealed=seal_identity(uow, person_id, entry.identity),
            record_number_sealed=uow.seal(person_id, entry.record_number),
            record_number_token=entry.record_number_token,
            registered_at=uow.clinic_time,
            registered_by=uow.context.actor_id,
        )
    )
    uow.execute(
        insert(match_token), [{**place, "combination": name, "token": token} for name, token in entry.tokens.items()]
    )


def _keep_decisions(
    uow: UnitOfWork, entry: Entry, person_id: UUID, about: list[UUID], decision: str, reason_code: str
) -> None:
    rows = [
        {
            "person_id": person_id,
            "site_id": entry.site_id,
            "candidate_person_id": candidate,
            "decision": decision,
            "reason_code": reason_code,
            "decided_at": uow.clinic_time,
            "decided_by": uow.context.actor_id,
        }
        for candidate in about
    ]
    if rows:
        uow.execute(insert(match_decision), rows)


def _as_texts(candidate: Candidate) -> list[object]:
    sites = [str(site_id) for site_id in candidate.site_ids]
    return [str(candidate.person_id), sites, candidate.likeness, list(candidate.agreed_on)]


def answer(uow: UnitOfWork, ids: Ids) -> pb.RegisterPersonResponse:
    """Outcome with the person, or with the candidates and nobody."""
    found = [
        types.MatchCandidate(person_id=person_id, site_ids=sites, likeness=likeness, agreed_on=agreed)
        for person_id, sites, likeness, agreed in json.loads(ids.get("candidates", "[]"))
    ]
    return pb.RegisterPersonResponse(
        outcome=OUTCOMES[ids["outcome"]], person_id=ids.get("person_id", ""), candidates=found
    )


COMMAND = Command("RegisterPerson", pb.RegisterPersonRequest, handle, answer, roles=roles.REGISTERS)
