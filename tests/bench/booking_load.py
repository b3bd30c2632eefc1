"""Clients of the scheduling api: threads that book as fast as they are answered. Prints outcomes and latencies.

Arguments: address, mode, bookings, rooms, bookings a second or 0. Modes: "many" is 16 clients with conflicts, "one" a single client,
"paced" eight clients that together keep to the rate; in the last two every slot is asked for once.
"""

import json
import sys
import threading
import time
from uuid import UUID

from chassis.context import RequestContext
from chassis.grpc_client import Client
from chassis.remote import RemoteError
from saguaro.scheduling.v1 import service_pb2 as pb
from saguaro.scheduling.v1.service_pb2_grpc import SchedulingServiceStub
from tests.bench.clinic import CHAIR, INFUSION_MIN, MONITOR, NOW, NURSE, PERSON, PLAN, PUMP, SITE, Wish, wishes


def request(wish: Wish, rooms: int) -> pb.BookSessionRequest:
    """The wish as a request; the same wish has the same request_id."""
    room = wish.room(rooms)
    made = pb.BookSessionRequest(
        request_id=str(UUID(int=(9 << 64) + wish.person)),
        person_id=str(UUID(int=PERSON + wish.person)),
        site_id=str(SITE),
        plan_id=str(UUID(int=PLAN + wish.person)),
        ordinal=1,
        infusion_min=INFUSION_MIN,
        chair_id=str(UUID(int=CHAIR + room)),
        pump_id=str(UUID(int=PUMP + room)),
        monitor_id=str(UUID(int=MONITOR + room)),
        nurse_id=str(UUID(int=NURSE + room)),
    )
    made.starts_at.FromDatetime(wish.starts_at(rooms))
    return made


def main() -> None:
    """Says when it is ready, waits for a line, books, prints the outcome."""
    address, mode, bookings, rooms, pace = (
        sys.argv[1],
        sys.argv[2],
        int(sys.argv[3]),
        int(sys.argv[4]),
        float(sys.argv[5]),
    )
    client = Client(SchedulingServiceStub, address)
    context = RequestContext(UUID(int=1), "scheduler", str(SITE), "treatment", UUID(int=2), NOW)
    threads = {"many": 16, "one": 1, "paced": 8}[mode]
    alone = [[Wish(number, number) for number in range(client, bookings, threads)] for client in range(threads)]
    plan = wishes(bookings) if mode == "many" else alone
    requests = [[request(wish, rooms) for wish in mine] for mine in plan]
    seconds: list[float] = []
    outcomes = {"booked": 0, "taken": 0, "failed": 0}
    lock = threading.Lock()

    def book(mine: list[pb.BookSessionRequest]) -> None:
        calls = client.bound(context, 60.0)
        found = []
        began = time.perf_counter()
        for number, wish in enumerate(mine):
            if pace:
                time.sleep(max(0.0, began + number * threads / pace - time.perf_counter()))
            started, outcome = time.perf_counter(), "booked"
            try:
                calls.BookSession(wish)
            except RemoteError as refused:
                outcome = "taken" if refused.code == "ALREADY_EXISTS" else "failed"
                if outcome == "failed":
                    print(refused.code, refused.reason, file=sys.stderr)
            found.append((time.perf_counter() - started, outcome))
        with lock:
            for second, outcome in found:
                seconds.append(second)
                outcomes[outcome] += 1

    # The channel opens, the server's threads and the database's connections come up before the clock runs.
    warm = [threading.Thread(target=_warm, args=(client, context)) for _ in range(len(requests))]
    _together(warm)
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    clients = [threading.Thread(target=book, args=(mine,)) for mine in requests]
    began = time.perf_counter()
    _together(clients)
    print(json.dumps({"seconds": time.perf_counter() - began, **outcomes, "each": seconds}), flush=True)


def _warm(client: Client[SchedulingServiceStub], context: RequestContext) -> None:
    calls = client.bound(context, 60.0)
    for _ in range(10):
        calls.ListBookings(
            pb.ListBookingsRequest(site_id=str(SITE), from_time={"seconds": 1}, until_time={"seconds": 2})
        )


def _together(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
