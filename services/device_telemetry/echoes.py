"""What the attached pump of a session says that it will do, and how it differs from what was ordered."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import cast, select

from chassis.unit_of_work import UnitOfWork
from device_telemetry.domain import dose_mode
from device_telemetry.domain.dose_mode import DoseEcho
from device_telemetry.domain.programme import Programme, differences
from device_telemetry.frames.decode import amount_of, programme_of_report
from device_telemetry.records import seconds_of
from device_telemetry.refusals import Refusals
from device_telemetry.tables import MOMENT, attachment, pump_echo
from saguaro.device_telemetry.v1 import types_pb2 as types


class Echo:
    """The last report of the pump that is attached now."""

    def __init__(self, row: Any) -> None:
        self.pump_id, self.reported_at = row.device_id, row.reported_at
        self.report = types.PumpReport.FromString(bytes(row.report))
        self.programme = programme_of_report(self.report)

    @property
    def dose(self) -> DoseEcho:
        """What it shows in dose mode."""
        report = self.report
        return DoseEcho(
            amount_of(report.weight_kg, "pump_report.weight_kg"),
            amount_of(report.dose_rate, "pump_report.dose_rate"),
            report.dose_rate_unit,
        )

    @property
    def remaining_ml(self) -> Decimal | None:
        """What it says is still to go in; the programmed volume of a pump that does not count down."""
        left = amount_of(self.report.vtbi_remaining_ml, "pump_report.vtbi_remaining_ml")
        return self.programme.vtbi_ml if left is None else left


def fresh_echo(uow: UnitOfWork, session: Any, found: Refusals) -> Echo | None:
    """The echo that an act may rest on; what is wrong with it is added to `found`. None when there is none at all."""
    row = uow.execute(
        select(attachment.c.device_id, pump_echo.c.reported_at, pump_echo.c.report)
        .outerjoin(
            pump_echo,
            (pump_echo.c.device_id == attachment.c.device_id) & (pump_echo.c.session_id == attachment.c.session_id),
        )
        .where(attachment.c.session_id == session.session_id, attachment.c.kind == "pump")
        .where(attachment.c.during.contains(cast(uow.clinic_time, MOMENT)))
    ).one_or_none()
    if row is None:
        found.add("NO_PUMP_ATTACHED", "session_id", "must have a pump attached")
        return None
    if row.reported_at is None:
        found.add("NO_ECHO", "session_id", "its pump must have echoed its programme")
        return None
    age = uow.clinic_time - row.reported_at
    if age > timedelta(seconds=seconds_of(uow, "echo_age", session.site_id, uow.clinic_time)):
        found.add("ECHO_TOO_OLD", "session_id", "the echo of its pump must be younger than the policy allows")
    if -age > timedelta(seconds=seconds_of(uow, "clock_tolerance", session.site_id, uow.clinic_time)):
        found.add("ECHO_IN_FUTURE", "session_id", "the echo of its pump must not lie in the future")
    return Echo(row)


def compare(
    echo: Echo, ordered: Programme, weight_kg: Decimal | None, found: Refusals, but: Iterable[str] = ()
) -> None:
    """Adds each field in which the echo differs from the order, or which it lacks; those in `but` are judged elsewhere."""
    names = (*differences(echo.programme, ordered), *dose_mode.differences(echo.dose, ordered, weight_kg))
    for name in names:
        if name not in but:
            found.add("ECHO_DIFFERS", f"echoed_programme.{name}", "must equal the order")
