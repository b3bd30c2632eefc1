"""Kinds of consent as this service keeps them."""

from chassis.errors import Poison
from saguaro.intake.v1 import types_pb2 as intake_types
from treatment_plan.records import TREATMENT_CONSENT

_KINDS = {
    intake_types.CONSENT_KIND_KETAMINE_TREATMENT: TREATMENT_CONSENT,
    intake_types.CONSENT_KIND_DATA_SHARING: "data_sharing",
}


def kind_of(kind: int) -> str:
    """The code of a kind. Poison for one that this version does not know: it might be one that treatment rests on."""
    for known, code in _KINDS.items():
        if kind == known:
            return code
    raise Poison("kind: must be a kind of consent that this version knows")
