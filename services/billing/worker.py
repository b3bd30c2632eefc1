"""Events in, reactions out. The process has been patched before this module is imported."""

from billing.app import INDEX
from chassis.worker import run_worker, worker_class

Worker = worker_class(INDEX)


def main() -> None:
    """Runs the worker until it is told to stop."""
    run_worker(Worker)
