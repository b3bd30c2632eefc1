"""Each guard refuses in a real process: nothing is patched or mocked, since what is guarded is the process itself."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chassis.guards import EXIT_REFUSED

SERVICES = Path(__file__).resolve().parents[2] / "services"

PATCHED = "from chassis import guards_worker; guards_worker.patch()\n"
WORKER = PATCHED + "from chassis import guards; guards.install('worker')\n"
API = "from chassis import guards; guards.install('api')\n"


def run(directory: Path, program: str, **environment: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Runs a program in a process of its own: exit code, standard output, refusals on standard error."""
    file = directory / "program.py"
    file.write_text(program)
    inherited = {name: value for name, value in os.environ.items() if name not in {"PSYCOPG_WAIT_FUNC", "PYTHONPATH"}}
    done = subprocess.run(
        [sys.executable, str(file)],
        env=inherited | {"PYTHONPATH": str(SERVICES)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    refusals = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert refusals or done.returncode == 0, done.stderr
    return done.returncode, done.stdout, refusals


def test_worker_that_imports_no_grpc_runs(tmp_path: Path) -> None:
    code, out, refusals = run(
        tmp_path,
        WORKER + "import nameko.containers, kafka, psycopg, sqlalchemy\n"
        "from psycopg import waiting\nassert waiting.wait is waiting.wait_selector\nprint('ran')",
    )
    assert (code, out, refusals) == (0, "ran\n", [])


def test_api_that_imports_no_eventlet_runs(tmp_path: Path) -> None:
    code, out, refusals = run(tmp_path, API + "import grpc, kafka, psycopg, sqlalchemy\nprint('ran')")
    assert (code, out, refusals) == (0, "ran\n", [])


@pytest.mark.parametrize(
    ("program", "kind", "module"),
    [
        pytest.param(PATCHED + "import grpc\n" + WORKER + "print('ran')", "worker", "grpc", id="worker-grpc-early"),
        pytest.param(WORKER + "import grpc\nprint('ran')", "worker", "grpc", id="worker-grpc-late"),
        pytest.param(WORKER + "import grpc_health.v1\nprint('ran')", "worker", "grpc_health", id="worker-grpc-health"),
        pytest.param("import eventlet\n" + API + "print('ran')", "api", "eventlet", id="api-eventlet-early"),
        pytest.param(API + "import eventlet\nprint('ran')", "api", "eventlet", id="api-eventlet-late"),
        pytest.param(API + "import nameko.rpc\nprint('ran')", "api", "nameko", id="api-nameko-late"),
        pytest.param(
            "from chassis import guards; guards.install('gateway')\nimport eventlet\nprint('ran')",
            "gateway",
            "eventlet",
            id="gateway-eventlet-late",
        ),
    ],
)
def test_forbidden_import_ends_the_process_and_says_why(tmp_path: Path, program: str, kind: str, module: str) -> None:
    code, out, refusals = run(tmp_path, program)
    assert code == EXIT_REFUSED
    assert out == ""
    assert [(one["kind"], one["module"], one["reason"]) for one in refusals] == [(kind, module, "FORBIDDEN_IMPORT")]
    assert kind in refusals[0]["event"]
    assert module in refusals[0]["event"]
    assert refusals[0]["advice"]


def test_late_import_names_file_and_line_of_the_importer(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("'A module that does what it must not.'\n\nimport grpc\n")
    _, _, refusals = run(tmp_path, WORKER + "import helper\n")
    assert refusals[0]["importer"] == f"{tmp_path / 'helper.py'}:3"


def test_early_import_names_who_holds_it(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("from eventlet import spawn\n")
    _, _, refusals = run(tmp_path, "import helper\n" + API)
    assert refusals[0]["importer"] == str(tmp_path / "helper.py")


def test_refusal_cannot_be_swallowed(tmp_path: Path) -> None:
    program = "try:\n    import grpc\nexcept BaseException:\n    print('swallowed')\n"
    threaded = WORKER + f"import threading\ndef work():\n    exec({program!r})\nt = threading.Thread(target=work)\n"
    code, out, _ = run(tmp_path, threaded + "t.start(); t.join()\nprint('ran')")
    assert (code, out) == (EXIT_REFUSED, "")


def test_asking_whether_a_module_exists_is_no_import(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, API + "import importlib.util\nprint(importlib.util.find_spec('eventlet') is not None)")
    assert (code, out) == (0, "True\n")


def test_late_import_by_import_module_is_refused(tmp_path: Path) -> None:
    code, _, refusals = run(tmp_path, WORKER + "import importlib\nimportlib.import_module('grpc')\nprint('ran')")
    assert code == EXIT_REFUSED
    assert refusals[0]["importer"] == f"{tmp_path / 'program.py'}:4"


@pytest.mark.parametrize(
    ("program", "says"),
    [
        pytest.param("from chassis import guards; guards.install('worker')", "is not patched", id="not-patched"),
        pytest.param(
            "import eventlet; eventlet.monkey_patch(socket=False)\n" + WORKER.split("\n")[1],
            "socket is not patched",
            id="partly",
        ),
        pytest.param("import sqlalchemy\n" + WORKER, "sqlalchemy came before", id="imported-before-the-patch"),
        pytest.param(
            "import sqlalchemy, eventlet; eventlet.monkey_patch()\nfrom chassis import guards; guards.install('worker')",
            "sqlalchemy came before",
            id="patched-by-another-and-late",
        ),
        pytest.param(
            "import eventlet; eventlet.monkey_patch()\nimport os; os.environ['PSYCOPG_WAIT_FUNC'] = 'wait_select'\n"
            "import psycopg\nfrom chassis import guards; guards.install('worker')",
            "PSYCOPG_WAIT_FUNC=wait_selector",
            id="psycopg-waits-otherwise",
        ),
        pytest.param(
            PATCHED + "import sys; sys.modules['crc32c'] = None\nfrom chassis import guards; guards.install('worker')",
            "crc32c",
            id="checksums-in-python",
        ),
    ],
)
def test_worker_that_is_not_set_up_as_one_refuses_to_start(tmp_path: Path, program: str, says: str) -> None:
    code, out, refusals = run(tmp_path, program + "\nprint('ran')")
    assert (code, out) == (EXIT_REFUSED, "")
    assert says in refusals[0]["event"]
    assert refusals[0]["reason"] == "NOT_SET_UP"
