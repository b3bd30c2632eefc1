"""Codes that devices speak: MDC terms of ISO/IEEE 11073-10101 as IHE PCD uses them, units in MDC and UCUM, sample qualities.

The limits of a clinic are about metrics ("spo2"), the devices speak of channels (MDC 150456). Pressures of an arterial line
(150037 to 150039) are kept with the frames but are no metric here: the limits of the house are written for the cuff.
"""

from typing import Final

# Qualities of a sample, as in device_telemetry.v1.SampleQuality.
USABLE: Final = 1
UNUSABLE: Final = 2
HELD: Final = 3

HEART_RATE: Final = 147842
PULSE_RATE_OXIMETER: Final = 149530
PULSE_RATE_CUFF: Final = 149546
CUFF_SYSTOLIC: Final = 150021
CUFF_DIASTOLIC: Final = 150022
CUFF_MEAN: Final = 150023
OXYGEN_SATURATION: Final = 150456
RESPIRATION_RATE: Final = 151562

# The metrics that limits are written for, in the order in which a frame is judged.
CHANNEL_OF_METRIC: Final[dict[str, int]] = {
    "hr": HEART_RATE,
    "spo2": OXYGEN_SATURATION,
    "rr": RESPIRATION_RATE,
    "sbp": CUFF_SYSTOLIC,
    "dbp": CUFF_DIASTOLIC,
    "map": CUFF_MEAN,
}

# Numeric metrics that an HL7 observation may carry into a frame.
READABLE_CHANNELS: Final = frozenset(
    {*CHANNEL_OF_METRIC.values(), PULSE_RATE_OXIMETER, PULSE_RATE_CUFF, 149514, 150037, 150038, 150039}
)

_PRESSURES = frozenset({CUFF_SYSTOLIC, CUFF_DIASTOLIC, CUFF_MEAN, 150037, 150038, 150039})
_BEATS = frozenset({HEART_RATE, PULSE_RATE_OXIMETER, PULSE_RATE_CUFF, 149514})

_PRESSURE_UNITS = frozenset({"266016", "MDC_DIM_MMHG", "mm[Hg]"})
_BEAT_UNITS = frozenset({"264864", "MDC_DIM_BEAT_PER_MIN", "{beat}/min", "{beats}/min", "/min"})
_BREATH_UNITS = frozenset({"264928", "MDC_DIM_RESP_PER_MIN", "{resp}/min", "{breath}/min", "{breaths}/min", "/min"})
_SATURATION_UNITS = frozenset({"262688", "MDC_DIM_PERCENT", "%"})


def units_of(channel: int) -> frozenset[str]:
    """The unit codes (MDC number, MDC name, UCUM) in which a channel is accepted; empty for a channel that is not read."""
    if channel in _PRESSURES:
        return _PRESSURE_UNITS
    if channel in _BEATS:
        return _BEAT_UNITS
    if channel == RESPIRATION_RATE:
        return _BREATH_UNITS
    if channel == OXYGEN_SATURATION:
        return _SATURATION_UNITS
    return frozenset()
