"""Decides what this process is before anything heavy is imported: a worker must be patched first."""

import sys

SERVICES = ("intake", "scheduling", "treatment_plan", "device_telemetry", "billing")
_KINDS = ("api", "worker")


def main() -> None:
    """The entry point of the `saguaro` command."""
    arguments = sys.argv[1:]
    service = arguments[0].replace("-", "_") if arguments else ""
    if service in SERVICES:
        if len(arguments) != 2 or arguments[1] not in _KINDS:
            raise SystemExit(f"usage: saguaro {arguments[0]} api|worker")
        sys.exit(run_process(service, arguments[1]))
    from cli.commands import app  # noqa: PLC0415

    app()


def run_process(service: str, kind: str) -> int:
    """Becomes one process of a service. Returns its exit code."""
    if kind == "worker":
        from chassis import guards_worker  # noqa: PLC0415

        guards_worker.patch()
    from importlib import import_module  # noqa: PLC0415

    from chassis import guards  # noqa: PLC0415

    guards.install("worker" if kind == "worker" else "api")
    code = import_module(f"{service}.{kind}").main()
    return int(code or 0)
