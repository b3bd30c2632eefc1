"""Errors of statements that go to psycopg directly count like those that go through SQLAlchemy."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from billing.app import INDEX
from chassis.database import Database, constraint_of, is_transient
from chassis.errors import AlreadyExists
from chassis.index import Command, Ids
from chassis.testing import ServiceHarness
from chassis.unit_of_work import UnitOfWork
from saguaro.billing.v1 import service_pb2 as pb


def _answer(uow: UnitOfWork, ids: Ids) -> pb.PublishPriceListResponse:
    return pb.PublishPriceListResponse(price_list_id=ids["id"])


def _harness(database: Database, handle: Callable[[UnitOfWork, pb.PublishPriceListRequest], Ids]) -> ServiceHarness:
    command = Command("PublishPriceList", pb.PublishPriceListRequest, handle, _answer)
    return ServiceHarness(replace(INDEX, commands=(command,)), database)


def _request() -> pb.PublishPriceListRequest:
    request = pb.PublishPriceListRequest(site_id=str(uuid4()), effective_from="2026-01-01")
    request.items.add(code="96365", unit_price_usd="1")
    return request


def test_a_deadlock_on_the_drivers_own_connection_reaches_no_caller(database_of: Callable[..., Database]) -> None:
    both_hold_one = Barrier(2, timeout=10)
    numbers = count()
    attempts: list[int] = []

    def handle(uow: UnitOfWork, request: pb.PublishPriceListRequest) -> Ids:
        attempts.append(number := next(numbers))
        first = number % 2
        uow.driver.execute("SELECT pg_advisory_xact_lock(%s)", (first,))
        if number < 2:
            both_hold_one.wait()
        uow.driver.execute("SELECT pg_advisory_xact_lock(%s)", (1 - first,))
        return {"id": str(uow.new_id())}

    harness = _harness(database_of("billing"), handle)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: harness.call("PublishPriceList", _request()), range(2)))
    assert all(answer.price_list_id for answer in answers)
    assert len(attempts) == 3


def test_a_constraint_broken_on_the_drivers_own_connection_is_mapped(database_of: Callable[..., Database]) -> None:
    def handle(uow: UnitOfWork, request: pb.PublishPriceListRequest) -> Ids:
        uow.driver.execute(
            "INSERT INTO price_list VALUES (gen_random_uuid(), %s, '2026-01-01', '2026-01-01T00:00:00Z')",
            (request.site_id,),
        )
        return {"id": str(uow.new_id())}

    harness, request = _harness(database_of("billing"), handle), _request()
    harness.call("PublishPriceList", request)
    with pytest.raises(AlreadyExists) as refused:
        harness.call("PublishPriceList", request)
    assert refused.value.reason == "PRICE_LIST_EXISTS"


@pytest.mark.parametrize(
    ("error", "transient"),
    [
        (psycopg.errors.DeadlockDetected("deadlock detected"), True),
        (OperationalError("SELECT 1", None, psycopg.errors.AdminShutdown("terminating")), True),
        (psycopg.OperationalError("the connection is closed"), True),
        (psycopg.ProgrammingError("cannot adapt type"), False),
        (psycopg.errors.UniqueViolation("duplicate key"), False),
        (ValueError("a defect"), False),
    ],
)
def test_what_may_be_tried_again(error: Exception, transient: bool) -> None:
    assert is_transient(error) is transient
    assert constraint_of(error) is None
