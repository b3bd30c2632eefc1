"""A monitor that replays a recording at the period at which it was taken."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.frames import Timed, frame
from simulator.recording import CUFF, PERIOD_S, Recording, Sample

# The contract lets a frame hold 4,096 samples.
MAX_SAMPLES = 4000


class Monitor:
    """One device. Its frames count up over all sessions that it is attached to."""

    def __init__(self, device_id: str, *, first_sequence: int = 1, cuff_period_s: int = PERIOD_S) -> None:
        self.device_id = device_id
        self._cuff_period_s = cuff_period_s
        # Of the last frame that was made.
        self.last_sequence = first_sequence - 1

    def frames(self, samples: list[Timed]) -> Iterator[types.Frame]:
        """As many frames as these samples need, in the order of time: a later one must not outrun what was measured before.

        Readings of the cuff have frames of their own, with the period that the cuff promises.
        """
        waiting: list[Timed] = []
        for _, moment in groupby(sorted(samples, key=lambda timed: timed.at), key=lambda timed: timed.at):
            taken = list(moment)
            cuff = [timed for timed in taken if _is_reading(timed.sample)]
            others = [timed for timed in taken if not _is_reading(timed.sample)]
            if len(waiting) + len(others) > MAX_SAMPLES:
                yield self._frame(PERIOD_S, waiting)
                waiting = []
            waiting += others
            if cuff:
                if waiting:
                    yield self._frame(PERIOD_S, waiting)
                    waiting = []
                yield self._frame(self._cuff_period_s, cuff)
        if waiting:
            yield self._frame(PERIOD_S, waiting)

    def _frame(self, period_s: int, samples: list[Timed]) -> types.Frame:
        self.last_sequence += 1
        return frame(self.device_id, self.last_sequence, period_s * 1000, samples)


def _is_reading(sample: Sample) -> bool:
    """True for a reading of the cuff; its held repetitions go with everything else."""
    return sample.channel in CUFF and sample.quality != types.SAMPLE_QUALITY_HELD


class Playback:
    """The window of a recording that a patient's monitor shows, by minutes of clinic time from `begins_at` on."""

    def __init__(self, recording: Recording, begins_at: datetime, at: float, minutes: int) -> None:
        self._rows = list(recording.window(at, minutes))
        self._begins_at = begins_at
        self._next = 0

    def until(self, moment: datetime) -> list[Timed]:
        """The samples not given yet that were taken up to this moment. ValueError past the end of the window."""
        found: list[Timed] = []
        while (at := self._begins_at + timedelta(seconds=PERIOD_S * self._next)) <= moment:
            if self._next >= len(self._rows):
                raise ValueError("the window of the recording is too short for this session")
            found.extend(Timed(at, sample) for sample in self._rows[self._next])
            self._next += 1
        return found


def held(rows: Sequence[tuple[datetime, tuple[Sample, ...]]], period_s: int = PERIOD_S) -> list[Timed]:
    """Each value repeated at 1 Hz until the next is due, the repetitions marked HELD: they are no measurements."""
    found: list[Timed] = []
    for at, samples in rows:
        for second in range(period_s):
            for sample in samples:
                keeps = second == 0 or sample.quality == types.SAMPLE_QUALITY_UNUSABLE
                quality = sample.quality if keeps else types.SAMPLE_QUALITY_HELD
                found.append(Timed(at + timedelta(seconds=second), Sample(sample.channel, sample.value, quality)))
    return found
