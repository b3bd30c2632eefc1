"""What is wrong with a part of a message: where, which code of HL7 table 0357, which rule. Never a value."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding. `location` is a field ("OBX-6"), `row` the number of the segment among its kind, from 1; 0 for the message."""

    location: str
    code: str
    rule: str
    row: int = 0

    @property
    def text(self) -> str:
        """Field and rule, as an operator reads it."""
        return f"{self.location}: {self.rule}"


def in_words(findings: Sequence[Finding]) -> str:
    """Each different field and rule once, in their order."""
    return "; ".join(dict.fromkeys(finding.text for finding in findings))
