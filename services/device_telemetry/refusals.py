"""Everything that stands against an act, gathered before it is refused, so that one answer names all that is missing."""

from chassis.errors import FailedPrecondition, Finding


class Refusals:
    """Findings in their order, each with a stable code."""

    def __init__(self) -> None:
        self._found: list[tuple[str, Finding]] = []

    def add(self, code: str, field: str, rule: str) -> None:
        """One more thing that stands against it."""
        self._found.append((code, Finding(field, rule)))

    def refuse(self, **ids: str) -> None:
        """FailedPrecondition: the first code as its reason, every finding, every code in the id `codes`. Nothing when there are none."""
        if not self._found:
            return
        reason, first = self._found[0]
        differing = [finding.field.rpartition(".")[2] for code, finding in self._found if code == "ECHO_DIFFERS"]
        more = {"differing_fields": ",".join(differing)} if differing else {}
        raise FailedPrecondition(
            reason,
            field=first.field,
            rule=first.rule,
            findings=[finding for _, finding in self._found],
            codes=",".join(dict.fromkeys(code for code, _ in self._found)),
            **more,
            **ids,
        )
