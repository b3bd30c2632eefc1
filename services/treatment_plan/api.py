"""gRPC in, command or query out."""

from chassis.api import run_api
from treatment_plan.app import INDEX


def main() -> int:
    """Runs the api until it is told to stop."""
    return run_api(INDEX)
