"""Events in, reactions out. The process has been patched before this module is imported."""

from chassis.worker import run_worker, worker_class
from device_telemetry.app import INDEX

Worker = worker_class(INDEX)


def main() -> None:
    """Runs the worker until it is told to stop."""
    run_worker(Worker)
