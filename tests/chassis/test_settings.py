"""Settings: all mistakes at once, none of them with a value, and no secret in any repr."""

import base64
from pathlib import Path

import pytest
from pydantic import ValidationError

from chassis.settings import ProcessSettings
from chassis.settings_environment import SettingsError
from chassis.settings_types import Address

KEY = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "pa55-of-the-role"
API = {
    "SAGUARO_DATABASE_URL": "postgresql://intake_api@127.0.0.1:5432/intake",
    "SAGUARO_DATABASE_PASSWORD": PASSWORD,
    "SAGUARO_SEALING_KEY": KEY,
    "SAGUARO_PAGE_TOKEN_KEY": KEY,
}
WORKER = {name: value for name, value in API.items() if name != "SAGUARO_PAGE_TOKEN_KEY"} | {
    "SAGUARO_KAFKA_BOOTSTRAP": "127.0.0.1:9092,[::1]:9093"
}


def mistakes(environ: dict[str, str], kind: str = "api", needs: tuple[str, ...] = ()) -> dict[str, str]:
    """What is wrong, by variable."""
    with pytest.raises(SettingsError) as refused:
        ProcessSettings.load("intake", kind, needs=needs, environ=environ)  # type: ignore[arg-type]
    for mistake in refused.value.mistakes:
        assert str(mistake) in str(refused.value)
        assert mistake.advice
    return {mistake.variable: mistake.wrong for mistake in refused.value.mistakes}


def test_loads_with_defaults() -> None:
    settings = ProcessSettings.load("intake", "api", environ=API)
    assert settings.grpc_listen == Address("127.0.0.1", 0)
    assert settings.database_url == API["SAGUARO_DATABASE_URL"]
    assert settings.secret("database_password") == PASSWORD.encode()
    assert settings.secret("sealing_key") == bytes(range(32))
    assert settings.slot == 0


def test_is_frozen() -> None:
    settings = ProcessSettings.load("intake", "api", environ=API)
    with pytest.raises(ValidationError):
        settings.slot = 3  # type: ignore[misc]


def test_worker_reads_brokers() -> None:
    settings = ProcessSettings.load("intake", "worker", environ=WORKER | {"SAGUARO_SLOT": "2"})
    assert settings.kafka_bootstrap == (Address("127.0.0.1", 9092), Address("::1", 9093))
    assert [str(one) for one in settings.kafka_bootstrap] == ["127.0.0.1:9092", "[::1]:9093"]
    assert settings.slot == 2


def test_no_repr_shows_a_secret() -> None:
    settings = ProcessSettings.load(
        "intake", "api", needs=("match_token_key",), environ=API | {"SAGUARO_MATCH_TOKEN_KEY": KEY}
    )
    shown = repr(settings) + str(settings) + repr(settings.model_dump()) + settings.model_dump_json()
    assert PASSWORD not in shown
    assert KEY not in shown
    assert repr(bytes(range(32)))[2:-1] not in shown


def test_every_mistake_is_reported_at_once_without_values(tmp_path: Path) -> None:
    found = mistakes(
        {
            "SAGUARO_DATABASE_URL": f"postgresql://intake_api:{PASSWORD}@127.0.0.1:5432/intake",
            "SAGUARO_SEALING_KEY": "c2hvcnQ=",
            "SAGUARO_PAGE_TOKEN_KEY": "%%%",
            "SAGUARO_DATABASE_PASSWORD": PASSWORD,
            "SAGUARO_DATABASE_PASSWORD_FILE": str(tmp_path / "none"),
            "SAGUARO_GRPC_LISTEN": "everywhere",
            "SAGUARO_GRPC_LISTN": "127.0.0.1:0",
            "SAGUARO_PEER_SCHEDULING": "nowhere",
            "SAGUARO_SLOT": "first",
            "SAGUARO_OTLP_ENDPOINT": "collector:4318",
            "SAGUARO_REPORT_FILE": str(tmp_path / "no" / "report.json"),
            "SAGUARO_LOG_LEVEL": "LOUD",
        }
    )
    assert set(found) == {
        "SAGUARO_DATABASE_URL",
        "SAGUARO_DATABASE_PASSWORD",
        "SAGUARO_SEALING_KEY",
        "SAGUARO_PAGE_TOKEN_KEY",
        "SAGUARO_GRPC_LISTEN",
        "SAGUARO_GRPC_LISTN",
        "SAGUARO_PEER_SCHEDULING",
        "SAGUARO_SLOT",
        "SAGUARO_OTLP_ENDPOINT",
        "SAGUARO_REPORT_FILE",
        "SAGUARO_LOG_LEVEL",
    }
    shown = repr(found)
    for value in (PASSWORD, "c2hvcnQ", "everywhere", "nowhere", "first", "LOUD"):
        assert value not in shown


def test_unknown_variable_names_the_nearest_known() -> None:
    with pytest.raises(SettingsError, match=r"SAGUARO_GRPC_LISTN is not a setting: did you mean SAGUARO_GRPC_LISTEN\?"):
        ProcessSettings.load("intake", "api", environ=API | {"SAGUARO_GRPC_LISTN": "127.0.0.1:0"})


def test_variables_of_the_supervisor_are_no_mistake() -> None:
    environ = API | {"SAGUARO_DIE_WITH_PARENT": "1", "SAGUARO_HOME": "/x", "PATH": "/"}
    assert ProcessSettings.load("intake", "api", environ=environ) == ProcessSettings.load("intake", "api", environ=API)


@pytest.mark.parametrize("name", ["DATABASE_PASSWORD", "SEALING_KEY", "PAGE_TOKEN_KEY"])
def test_a_secret_has_no_default(name: str) -> None:
    without = {variable: value for variable, value in API.items() if variable != f"SAGUARO_{name}"}
    assert list(mistakes(without)) == [f"SAGUARO_{name}"]


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n")
    environ = {name: value for name, value in API.items() if name != "SAGUARO_DATABASE_PASSWORD"}
    settings = ProcessSettings.load("intake", "api", environ=environ | {"SAGUARO_DATABASE_PASSWORD_FILE": str(file)})
    assert settings.secret("database_password") == PASSWORD.encode()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_secret_file_must_be_readable_text(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    environ = {name: value for name, value in API.items() if name != "SAGUARO_DATABASE_PASSWORD"}
    assert list(mistakes(environ | {"SAGUARO_DATABASE_PASSWORD_FILE": str(file)})) == ["SAGUARO_DATABASE_PASSWORD_FILE"]


@pytest.mark.parametrize("variable", ["SAGUARO_MATCH_TOKEN_KEY", "SAGUARO_MLLP_LISTEN", "SAGUARO_STREAM_LISTEN"])
def test_what_a_process_did_not_ask_for_it_may_not_have(variable: str) -> None:
    value = KEY if variable.endswith("KEY") else "127.0.0.1:0"
    assert mistakes(API | {variable: value}) == {variable: "is not for this process"}
    needs = (variable.removeprefix("SAGUARO_").lower(),)
    loaded = ProcessSettings.load("intake", "api", needs=needs, environ=API | {variable: value})
    assert getattr(loaded, needs[0]) is not None
    assert mistakes(API, needs=needs) == {
        variable: f"is missing, and so is {variable}_FILE" if variable.endswith("KEY") else "is missing"
    }


def test_a_needed_peer_must_be_named() -> None:
    assert mistakes(API, needs=("peer_scheduling",)) == {"SAGUARO_PEER_SCHEDULING": "is missing"}
    settings = ProcessSettings.load(
        "intake", "api", needs=("peer_scheduling",), environ=API | {"SAGUARO_PEER_SCHEDULING": "@/run/scheduling"}
    )
    assert settings.peers == {"scheduling": "@/run/scheduling"}


def test_an_event_must_fit_the_broker() -> None:
    assert "SAGUARO_KAFKA_MAX_EVENT_BYTES" in mistakes(
        WORKER | {"SAGUARO_KAFKA_MAX_EVENT_BYTES": "1048588"}, kind="worker"
    )


def test_the_pool_is_at_least_as_large_as_what_uses_it() -> None:
    assert list(mistakes(WORKER | {"SAGUARO_POOL_SIZE": "4"}, kind="worker")) == ["SAGUARO_POOL_SIZE"]
    assert list(mistakes(API | {"SAGUARO_POOL_SIZE": "4"})) == ["SAGUARO_POOL_SIZE"]


@pytest.mark.parametrize(
    "url",
    [
        "mysql://role@h:1/db",
        "postgresql://h:1/db",
        "postgresql://role@h/db",
        "postgresql://role@h:1",
        "postgresql://role@h:x/db",
        "postgresql://role@h:1/db?password=x",
        "role",
    ],
)
def test_database_url_is_complete_and_without_password(url: str) -> None:
    assert list(mistakes(API | {"SAGUARO_DATABASE_URL": url})) == ["SAGUARO_DATABASE_URL"]
