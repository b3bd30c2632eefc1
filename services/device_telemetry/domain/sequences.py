"""Which frames of a device were taken in: the highest number, and the numbers below it that are still missing.

A repeated number is a repeated frame. A number that was skipped may still come (its first sending was not acknowledged), and is taken once.
"""

from dataclasses import dataclass, field

# How many skipped numbers are remembered; a device repeats far fewer than this before it hears an acknowledgement.
REMEMBERED = 256


@dataclass
class Sequences:
    """State of one device in one log."""

    last: int = 0
    missing: list[int] = field(default_factory=list)

    def take(self, sequence: int) -> bool:
        """True when the frame is new."""
        if sequence > self.last:
            first_open = self.last + 1 if self.last else max(sequence - REMEMBERED, 1)
            self.missing = [*self.missing, *range(max(first_open, sequence - REMEMBERED), sequence)][-REMEMBERED:]
            self.last = sequence
            return True
        if sequence in self.missing:
            self.missing.remove(sequence)
            return True
        return False
