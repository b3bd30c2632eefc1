"""Finds people on record who may be the person that is being registered, at whichever site they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import jellyfish
from rapidfuzz.distance import JaroWinkler
from sqlalchemy import func, select, text

from chassis.unit_of_work import UnitOfWork
from intake import policy
from intake.domain.identity import Identity
from intake.domain.likeness import FIELDS, likeness
from intake.domain.match_keys import tokens
from intake.people import open_identity
from intake.tables import match_token, person, registration

# Ordered, so that two registrations that share some of them never wait for each other in a circle.
_LOCK = text(
    "SELECT pg_advisory_xact_lock(wanted) FROM (SELECT unnest(CAST(:keys AS bigint[])) AS wanted ORDER BY 1) AS ordered"
)


@dataclass(frozen=True)
class Candidate:
    """Somebody on record. `likeness` is 0 to 1; `agreed_on` names the combinations whose tokens are equal."""

    person_id: UUID
    site_ids: tuple[UUID, ...]
    likeness: float
    agreed_on: tuple[str, ...]


def tokens_of(identity: Identity, key: bytes) -> dict[str, bytes]:
    """Combination -> keyed token; how a name sounds is its Metaphone code."""
    return tokens(identity, jellyfish.metaphone, key)


def lock_tokens(uow: UnitOfWork, wanted: Iterable[bytes]) -> None:
    """Until this transaction ends nobody else registers a person with one of these tokens: two clerks, one person, one record."""
    uow.execute(_LOCK, {"keys": sorted(int.from_bytes(token[:8], "big", signed=True) for token in wanted)})


def candidates(
    uow: UnitOfWork, identity: Identity, found_by: Mapping[str, bytes], *, synthetic: bool
) -> list[Candidate]:
    """People whose likeness reaches the threshold of the policy, the most alike first. Drawn people never meet real ones."""
    rules = policy.numbers(uow, "match.")
    weights = {field: float(rules[f"match.weight.{field}"]) for field in FIELDS}
    agreed = _agreeing(uow, found_by, synthetic, int(rules["match.most_candidates"]))
    best: dict[UUID, float] = dict.fromkeys(agreed, 0.0)
    sites: dict[UUID, list[UUID]] = {person_id: [] for person_id in agreed}
    query = select(registration.c.person_id, registration.c.site_id, registration.c.identity_sealed)
    for row in uow.execute(query.where(registration.c.person_id.in_(list(agreed))).order_by(registration.c.site_id)):
        stated = open_identity(uow, row.person_id, row.identity_sealed)
        alike = likeness(identity, stated, weights, JaroWinkler.similarity)
        best[row.person_id] = max(best[row.person_id], round(alike, 4))
        sites[row.person_id].append(row.site_id)
    threshold = float(rules["match.threshold"])
    found = [Candidate(who, tuple(sites[who]), best[who], agreed[who]) for who in agreed if best[who] >= threshold]
    return sorted(found, key=lambda candidate: (-candidate.likeness, candidate.person_id))


def _agreeing(
    uow: UnitOfWork, found_by: Mapping[str, bytes], synthetic: bool, most: int
) -> dict[UUID, tuple[str, ...]]:
    """Person -> combinations agreed on, of those who agree on most."""
    combinations = func.array_agg(match_token.c.combination.distinct())
    query = (
        select(match_token.c.person_id, combinations.label("agreed"))
        .join(person, person.c.person_id == match_token.c.person_id)
        .where(match_token.c.token.in_(list(found_by.values())), person.c.synthetic == synthetic)
        .group_by(match_token.c.person_id)
        .order_by(func.count(match_token.c.combination.distinct()).desc(), match_token.c.person_id)
        .limit(most)
    )
    return {row.person_id: tuple(sorted(row.agreed)) for row in uow.execute(query)}
