"""Identities at rest: one sealed document for each registration, under the person's own key. Nothing else here holds a name."""

import json
from uuid import UUID

import phonenumbers

from chassis.unit_of_work import UnitOfWork
from intake.domain.identity import Identity


def seal_identity(uow: UnitOfWork, person_id: UUID, identity: Identity) -> bytes:
    """The identity as a JSON list in the order of its fields, sealed for the person."""
    return uow.seal(person_id, json.dumps(identity.texts(), ensure_ascii=False))


def open_identity(uow: UnitOfWork, person_id: UUID, sealed: bytes) -> Identity:
    """The identity that was sealed. chassis.sealed.SealBroken when it does not open: never taken for "nobody alike"."""
    return Identity(*json.loads(uow.open(person_id, sealed)))


def phone_is_valid(text: str) -> bool:
    """Whether a text is a number of the numbering plan that it names, written in E.164 exactly."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return False
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written == text and phonenumbers.is_valid_number(number)
