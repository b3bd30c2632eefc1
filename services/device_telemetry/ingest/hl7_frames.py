"""From what an HL7 message holds to frames of the log, one series a device; the same message always gives the same frames."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from chassis.values import decimal_text
from device_telemetry.domain import codes, columns
from device_telemetry.domain.hl7_content import Taken
from device_telemetry.domain.hl7_rows import milliseconds
from device_telemetry.domain.pcd01 import Observation
from device_telemetry.domain.pump_said import PumpSaid
from saguaro.device_telemetry.v1 import types_pb2 as types

# House default: a device that speaks HL7 promises a report a minute (IHE PCD: typically 1/min).
PERIOD_MS: Final = 60_000
# Columns count milliseconds from the first sample in 32 bits.
_SPAN_MS: Final = 24 * 3600 * 1000
_EARLIEST_MS: Final = 1000


def frames_of(taken: Taken, known: Mapping[str, str]) -> dict[str, list[types.Frame]]:
    """Device id -> its frames in the order of time, without sequence. `known` maps the ids of equipment to devices."""
    samples: defaultdict[str, list[Observation]] = defaultdict(list)
    reports: defaultdict[str, list[PumpSaid]] = defaultdict(list)
    for observation in taken.observations:
        device_id = device_of(observation.equipment, known)
        if device_id is not None and observation.at_ms >= _EARLIEST_MS:
            samples[device_id].append(observation)
    for said in taken.pumps:
        device_id = device_of(said.equipment, known)
        # A report that says neither status nor flow moves nothing.
        if device_id is not None and said.infusing is not None and said.at_ms >= _EARLIEST_MS:
            reports[device_id].append(said)
    found: dict[str, list[types.Frame]] = {}
    for device_id in sorted({*samples, *reports}):
        made = [_of_samples(device_id, part) for part in _parts(samples[device_id])]
        made += [_of_report(device_id, said) for said in reports[device_id]]
        for frame in made:
            # Without an offset MSH-7 is no moment, and nothing can be held against it.
            if taken.sent.offset is not None:
                frame.sent_at.FromMilliseconds(milliseconds(taken.sent.at))
        found[device_id] = sorted(made, key=lambda frame: frame.first_sample_at.ToMilliseconds())
    return found


def device_of(equipment: Iterable[str], known: Mapping[str, str]) -> str | None:
    """The nearest device that is registered."""
    return next((known[name] for name in equipment if name in known), None)


def report_of(said: PumpSaid) -> types.PumpReport:
    """The report as a pump on the stream gives it; what was not said is empty."""
    return types.PumpReport(
        # A label is compared with the code of the drug library: case and spaces at its ends are no difference.
        drug_code=said.drug_label.strip().lower(),
        concentration_mg_per_ml=decimal_or_empty(said.concentration_mg_per_ml),
        rate_ml_per_h=decimal_or_empty(said.rate_ml_per_h),
        vtbi_ml=decimal_or_empty(said.vtbi_ml),
        infusing=bool(said.infusing),
        current_rate_ml_per_h=decimal_or_empty(said.current_rate_ml_per_h),
        delivered_total_ml=decimal_or_empty(said.total_ml),
        counter_cleared=said.counter_cleared,
        keep_vein_open=bool(said.infusing) and said.keeps_vein_open,
        not_delivering_reason=said.why_not,
        weight_kg=decimal_or_empty(said.weight_kg),
        dose_rate=decimal_or_empty(said.dose_rate),
        dose_rate_unit=said.dose_rate_unit if said.dose_rate is not None else "",
        vtbi_remaining_ml=decimal_or_empty(said.remaining_ml),
        battery_left_min=decimal_or_empty(said.battery_left_min),
        delivered_segment_ml=decimal_or_empty(said.segment_ml) if said.segment_ended else "",
    )


def decimal_or_empty(value: object) -> str:
    """A decimal as text, "" for None."""
    return "" if value is None else decimal_text(value)  # type: ignore[arg-type]


def _parts(observations: Sequence[Observation]) -> list[list[Observation]]:
    """The observations in the order of time, cut where a frame would be too long."""
    found: list[list[Observation]] = []
    for item in sorted(observations, key=lambda one: one.at_ms):
        if not found or len(found[-1]) >= columns.MAX_SAMPLES or item.at_ms - found[-1][0].at_ms > _SPAN_MS:
            found.append([])
        found[-1].append(item)
    return found


def _of_samples(device_id: str, observations: Sequence[Observation]) -> types.Frame:
    first, delta_ms, channel, value_e6, quality = columns.write(
        [
            (item.at_ms, item.channel, item.value_e6, codes.USABLE if item.usable else codes.UNUSABLE)
            for item in observations
        ]
    )
    frame = types.Frame(
        device_id=device_id, declared_period_ms=PERIOD_MS, delta_ms=delta_ms, channel=channel, value_e6=value_e6, quality=quality,
    )  # fmt: skip
    frame.first_sample_at.FromMilliseconds(first)
    return frame


def _of_report(device_id: str, said: PumpSaid) -> types.Frame:
    frame = types.Frame(device_id=device_id, declared_period_ms=PERIOD_MS, pump_report=report_of(said))
    frame.first_sample_at.FromMilliseconds(said.at_ms)
    return frame
