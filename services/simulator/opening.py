"""Before the first day: sites open, practitioners and their papers, chairs, devices, nurses with shifts, and prices."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from google.protobuf.message import Message

from chassis.context import NETWORK_WIDE, RequestContext
from chassis.values import to_timestamp
from saguaro.billing.v1 import service_pb2 as billing
from saguaro.billing.v1 import types_pb2 as billing_types
from saguaro.device_telemetry.v1 import service_pb2 as device
from saguaro.device_telemetry.v1 import types_pb2 as device_types
from saguaro.intake.v1 import service_pb2 as intake
from saguaro.intake.v1 import types_pb2 as intake_types
from saguaro.scheduling.v1 import service_pb2 as scheduling
from saguaro.scheduling.v1 import types_pb2 as scheduling_types
from simulator.calls import Calls
from simulator.day import INFUSION_DAY, SCREENING_DAY, Day, site_moment
from simulator.places import Lane, Place
from simulator.staff import POSTS, Post, papers_of

_OPENED_DAYS_BEFORE: Final = 7
_ON_ITS_WAY: Final = ("SITE_UNKNOWN", "SITE_NOT_YET_KNOWN")
_PRICES_FROM: Final = "2026-01-01"
_OPENS: Final = time(8)
_SHIFT: Final = (time(6), timedelta(hours=17))
# The days after the infusions too: a second session may be booked there, and one may be moved.
_SPARE_DAYS: Final = (INFUSION_DAY, INFUSION_DAY + timedelta(days=1), INFUSION_DAY + timedelta(days=2))
# Dollars a unit at the first site, and what each further site asks more: house prices of a simulated network.
_PRICES: Final = (
    ("96365", 210, 5),
    ("96366", 65, 2),
    ("96374", 140, 5),
    ("J3490", 85, 1),
    ("99204", 240, 10),
    ("99214", 155, 5),
    ("96127", 7, 1),
)
_RESOURCES: Final = {
    "chair": scheduling_types.RESOURCE_KIND_CHAIR,
    "pump": scheduling_types.RESOURCE_KIND_PUMP,
    "monitor": scheduling_types.RESOURCE_KIND_MONITOR,
    "nurse": scheduling_types.RESOURCE_KIND_NURSE,
}


def open_sites(calls: Calls, day: Day) -> None:
    """Everything that the day needs. Repeated calls of one run change nothing."""
    opener = _Opener(calls, day)
    for place in day.places:
        opener.open(place)
        for post in POSTS:
            opener.appoint(place, post)
    for lane in day.lanes:
        opener.equip(lane)


class _Opener:
    """Setting up has no patient: its calls are joined by an id of their own."""

    def __init__(self, calls: Calls, day: Day) -> None:
        self._calls, self._day = calls, day
        self._requests = 0

    def open(self, place: Place) -> None:
        """The site with its price list."""
        site = scheduling_types.Site(site_id=place.site_id, site_code=place.site_code, time_zone=place.time_zone)
        self._ask("operator", place, "scheduling", "OpenSite", scheduling.OpenSiteRequest(site=site))
        items = [
            billing_types.PriceItem(code=code, unit_price_usd=f"{first + more * place.index}.50")
            for code, first, more in _PRICES
        ]
        prices = billing.PublishPriceListRequest(site_id=place.site_id, effective_from=_PRICES_FROM, items=items)
        self._ask("billing_admin", place, "billing", "PublishPriceList", prices)

    def appoint(self, place: Place, post: Post) -> None:
        """Whoever holds the post, with papers and privileges for this site."""
        practitioner_id = place.staff(post.name)
        papers = papers_of(post, practitioner_id)
        practice = intake_types.SitePractice(
            site_id=place.site_id,
            privileges=post.privileges,
            dea_number=papers.dea_number,
            dea_expires_on=papers.dea_expires_on,
        )
        request = intake.RecordPractitionerRequest(
            practitioner_id=practitioner_id,
            licence_type=papers.licence_type,
            licence_state="AZ",
            licence_number=papers.licence_number,
            licence_expires_on=papers.licence_expires_on,
            npi=papers.npi,
            sites=[practice],
        )
        self._ask("operator", place, "intake", "RecordPractitioner", request)

    def equip(self, lane: Lane) -> None:
        """A chair with pump, monitor and nurse, the nurse's shifts, and the devices as device-telemetry knows them: a spare pump too."""
        place = lane.place
        for kind, code in _RESOURCES.items():
            resource = scheduling_types.Resource(
                resource_id=lane.id(kind), site_id=place.site_id, kind=code, resource_code=lane.code(kind)
            )
            self._ask("operator", place, "scheduling", "AddResource", scheduling.AddResourceRequest(resource=resource))
        for shift_day in sorted({*_SPARE_DAYS, *self._day.days_of(lane)}):
            starts_at = site_moment(place, shift_day, _SHIFT[0])
            shift = scheduling.AddShiftRequest(
                nurse_id=lane.id("nurse"),
                site_id=place.site_id,
                starts_at=to_timestamp(starts_at),
                ends_at=to_timestamp(starts_at + _SHIFT[1]),
            )
            self._ask("operator", place, "scheduling", "AddShift", shift)
        for kind, device_kind, equipment_id in (
            ("pump", device_types.DEVICE_KIND_PUMP, lane.equipment_id("pump")),
            ("spare_pump", device_types.DEVICE_KIND_PUMP, lane.equipment_id("spare_pump")),
            ("monitor", device_types.DEVICE_KIND_MONITOR, lane.equipment_id("monitor")),
        ):
            registration = device.RegisterDeviceRequest(
                device_id=lane.id(kind), site_id=place.site_id, kind=device_kind, equipment_id=equipment_id
            )
            self._ask("operator", place, "device_telemetry", "RegisterDevice", registration)

    def _ask(self, role: str, place: Place, service: str, rpc: str, request: Any) -> Message:
        self._requests += 1
        request.request_id = self._day.run.id("opening", self._requests)
        context = RequestContext(
            actor_id=UUID(place.staff(role)),
            role=role,
            site_id=NETWORK_WIDE,
            purpose="HOPERAT",
            correlation_id=UUID(self._day.run.id("opening")),
            clinic_time=_opening_time(place, SCREENING_DAY),
        )
        answer: Message = self._calls.ask(service, rpc, request, context, until=_ON_ITS_WAY)
        return answer


def _opening_time(place: Place, first_day: date) -> datetime:
    return site_moment(place, first_day - timedelta(days=_OPENED_DAYS_BEFORE), _OPENS)
