"""Alarms of a session as the nurse reads them."""

from typing import Final

from saguaro.device_telemetry.v1 import service_pb2 as pb
from saguaro.device_telemetry.v1 import types_pb2 as types
from simulator.day import Visit
from simulator.episode import Episode
from simulator.planning import Order

# Alarms that an outage of the network causes by itself.
OUTAGE_ALARMS: Final = frozenset({"log.stopped"})


def read_alarms(episode: Episode, visit: Visit, order: Order) -> list[types.Alarm]:
    """Every alarm of the session; the nurse acknowledges those of high priority."""
    place = visit.lane.place
    found: list[types.Alarm] = []
    token = ""
    while True:
        request = pb.ListAlarmsRequest(session_id=order.session_id, page_size=500, page_token=token)
        page = episode.ask("nurse", "device_telemetry", "ListAlarms", request, place=place)
        found.extend(page.alarms)
        token = page.next_page_token
        if not token:
            break
    for alarm in found:
        if alarm.priority == types.ALARM_PRIORITY_HIGH and alarm.kind_code not in OUTAGE_ALARMS:
            seen = pb.AcknowledgeAlarmRequest(alarm_id=alarm.alarm_id)
            episode.ask("nurse", "device_telemetry", "AcknowledgeAlarm", seen, place=place)
    return found
