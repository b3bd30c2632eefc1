"""Channels of the frame log: MDC terms of ISO/IEEE 11073-10101 as IHE PCD uses them, and the qualities of a sample.

The limits of a clinic are about metrics ("spo2"), the devices speak of channels (MDC 150456). Pressures of an arterial line
(150037 to 150039) are kept with the frames but are no metric here: the limits of the house are written for the cuff.
"""

from typing import Final

from device_telemetry.domain.mdc_terms import FLOW_CURRENT, VOLUME_TOTAL
from device_telemetry.domain.mdc_units import Quantity

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

# Numeric metrics that an HL7 observation may carry into a frame, and what they measure: the cuff, the arterial line, pulses, breath,
# saturation; of a pump the current flow and the counter of what it delivered.
QUANTITY_OF_CHANNEL: Final[dict[int, Quantity]] = {
    **dict.fromkeys((CUFF_SYSTOLIC, CUFF_DIASTOLIC, CUFF_MEAN, 150037, 150038, 150039), Quantity.PRESSURE),
    **dict.fromkeys((HEART_RATE, PULSE_RATE_OXIMETER, PULSE_RATE_CUFF, 149514), Quantity.BEATS),
    RESPIRATION_RATE: Quantity.BREATHS,
    OXYGEN_SATURATION: Quantity.FRACTION,
    FLOW_CURRENT: Quantity.FLOW,
    VOLUME_TOTAL: Quantity.VOLUME,
}
