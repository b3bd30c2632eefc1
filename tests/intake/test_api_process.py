"""The api of intake as its own process: over gRPC, with the key of the match tokens and not without."""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from chassis.database import Database
from chassis.process import EXIT_SETTINGS
from chassis.testing import ServiceHarness
from intake.app import INDEX
from saguaro.intake.v1 import service_pb2 as pb
from saguaro.intake.v1 import service_pb2_grpc as stubs
from tests.conftest import MATCH_TOKEN_KEY, SEALING_KEY, Server

from .conftest import NOW, PHOENIX, identity, opened

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; from intake.api import main; sys.exit(main())"
StartApi = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def database(database_of: Callable[..., Database]) -> Database:
    """Intake with one open site."""
    database = database_of("intake")
    assert ServiceHarness(INDEX, database).deliver(opened(PHOENIX, "PHX", "America/Phoenix")) == "applied"
    return database


@pytest.fixture
def start(server: Server, database: Database, tmp_path: Path) -> Iterator[StartApi]:
    """Starts the api; it is killed at the end."""
    children: list[subprocess.Popen[str]] = []

    def make(**more: str) -> subprocess.Popen[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{ROOT / 'services'}{os.pathsep}{ROOT / 'build' / 'contracts'}",
            "SAGUARO_DATABASE_URL": server.url("intake_api", str(database.url.database)),
            "SAGUARO_DATABASE_PASSWORD": server.password("intake_api"),
            "SAGUARO_SEALING_KEY": base64.b64encode(SEALING_KEY).decode(),
            "SAGUARO_PAGE_TOKEN_KEY": base64.b64encode(SEALING_KEY).decode(),
            "SAGUARO_REPORT_FILE": str(tmp_path / "report.json"),
        }
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM], env=environment | more, stderr=subprocess.PIPE, text=True
        )
        children.append(child)
        return child

    yield make
    for child in children:
        child.kill()
        child.communicate()


def address(child: subprocess.Popen[str], report: Path) -> str:
    """Where the api listens, once it has reported."""
    end = time.monotonic() + 60
    while not report.exists():
        assert child.poll() is None, child.communicate()[1]
        assert time.monotonic() < end, "the api did not report in time"
        time.sleep(0.05)
    return str(json.loads(report.read_text())["addresses"]["grpc"])


def metadata(role: str) -> tuple[tuple[str, str], ...]:
    return (
        ("saguaro-actor", str(uuid4())),
        ("saguaro-role", role),
        ("saguaro-site", PHOENIX),
        ("saguaro-purpose", "treatment"),
        ("saguaro-clinic-time", (NOW + timedelta(minutes=1)).isoformat()),
    )


def register(number: str, **other: str) -> pb.RegisterPersonRequest:
    return pb.RegisterPersonRequest(
        request_id=str(uuid4()),
        site_id=PHOENIX,
        identity=identity(**other),
        medical_record_number=number,
        synthetic=True,
    )


def test_a_person_is_registered_over_grpc_and_a_refusal_names_its_rule(start: StartApi, tmp_path: Path) -> None:
    child = start(SAGUARO_MATCH_TOKEN_KEY=base64.b64encode(MATCH_TOKEN_KEY).decode())
    with grpc.insecure_channel(address(child, tmp_path / "report.json")) as channel:
        grpc.channel_ready_future(channel).result(timeout=30)
        intake = stubs.IntakeServiceStub(channel)
        answer = intake.RegisterPerson(register("G-1"), metadata=metadata("intake_clerk"), timeout=20)
        assert answer.outcome == pb.RegisterPersonResponse.OUTCOME_REGISTERED
        found = intake.RegisterPerson(register("G-2"), metadata=metadata("intake_clerk"), timeout=20)
        assert [candidate.person_id for candidate in found.candidates] == [answer.person_id]
        diagnosis = pb.RecordDiagnosisRequest(
            request_id=str(uuid4()), person_id=answer.person_id, site_id=PHOENIX, icd10cm_code="F32"
        )
        with pytest.raises(grpc.RpcError) as refused:
            intake.RecordDiagnosis(diagnosis, metadata=metadata("clinician"), timeout=20)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        trailing = dict(refused.value.trailing_metadata())
        info = error_details_pb2.ErrorInfo()
        status_pb2.Status.FromString(trailing["grpc-status-details-bin"]).details[0].Unpack(info)
        assert info.metadata["field"] == "icd10cm_code"
        assert "billable leaf" in info.metadata["rule"]
    child.terminate()
    errors = child.communicate(timeout=30)[1]
    assert child.returncode == 0
    for value in ("Marisol", "Quintanilla", "1984-03-07", "5550147", "F32"):
        assert value not in errors


def test_without_the_key_of_the_match_tokens_it_does_not_start(start: StartApi) -> None:
    child = start()
    errors = child.communicate(timeout=60)[1]
    assert child.returncode == EXIT_SETTINGS
    assert "SAGUARO_MATCH_TOKEN_KEY" in errors
