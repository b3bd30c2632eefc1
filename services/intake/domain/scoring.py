"""Which instrument is scored how. One that has no code of its own is a sum."""

from collections.abc import Callable, Mapping

from intake.domain import audit_c, cssrs, phq9, summed
from intake.domain.scale import Form, Score

OF_THEIR_OWN: Mapping[str, Callable[[Form, Mapping[str, int]], Score]] = {
    phq9.INSTRUMENT: phq9.score,
    cssrs.INSTRUMENT: cssrs.score,
}


def score(form: Form, given: Mapping[str, int], administrative_sex: Callable[[], str]) -> Score:
    """What checked answers come to. `administrative_sex` is asked only where the cut-off rests on it: it lies sealed."""
    if form.instrument == audit_c.INSTRUMENT:
        return audit_c.score(form, given, administrative_sex())
    return OF_THEIR_OWN.get(form.instrument, summed.score)(form, given)
