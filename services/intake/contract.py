"""The contract's messages and enums, to and from the words of the tables and the values of the domain."""

from collections.abc import Iterable

from intake.domain.eligibility import Finding
from intake.domain.identity import Identity
from saguaro.intake.v1 import types_pb2 as types

CONSENT_KINDS = {
    types.CONSENT_KIND_KETAMINE_TREATMENT: "ketamine_treatment",
    types.CONSENT_KIND_DATA_SHARING: "data_sharing",
}
CONSENT_KIND_OF = {word: kind for kind, word in CONSENT_KINDS.items()}

ANSWERS = {
    types.CONTRAINDICATION_ANSWER_VALUE_NO: "no",
    types.CONTRAINDICATION_ANSWER_VALUE_YES: "yes",
    types.CONTRAINDICATION_ANSWER_VALUE_UNKNOWN: "unknown",
}

OUTCOME_OF = {"cleared": types.ELIGIBILITY_OUTCOME_CLEARED, "declined": types.ELIGIBILITY_OUTCOME_DECLINED}


def identity_of(message: types.PersonIdentity) -> Identity:
    """The identity that a message states, without blanks at the ends."""
    return Identity(
        given_name=message.given_name.strip(),
        family_name=message.family_name.strip(),
        birth_date=message.birth_date,
        administrative_sex=types.AdministrativeSex.Name(message.administrative_sex),
        phone=message.phone.strip(),
        email=message.email.strip(),
        address_line=message.address_line.strip(),
        city=message.city.strip(),
        state=message.state,
        postal_code=message.postal_code,
    )


def identity_message(identity: Identity) -> types.PersonIdentity:
    """The message of an opened identity."""
    return types.PersonIdentity(
        given_name=identity.given_name,
        family_name=identity.family_name,
        birth_date=identity.birth_date,
        administrative_sex=types.AdministrativeSex.Value(identity.administrative_sex),
        phone=identity.phone,
        email=identity.email,
        address_line=identity.address_line,
        city=identity.city,
        state=identity.state,
        postal_code=identity.postal_code,
    )


def rule_messages(findings: Iterable[Finding]) -> list[types.DecidingRule]:
    """Every rule that was looked at, in order."""
    return [
        types.DecidingRule(
            code=finding.code,
            met=finding.met,
            source=finding.source,
            level=finding.level,
            decision_reason_code=finding.reason_code,
        )
        for finding in findings
    ]
