"""gRPC in, command or query out."""

from billing.app import INDEX
from chassis.api import run_api


def main() -> int:
    """Runs the api until it is told to stop."""
    return run_api(INDEX)
