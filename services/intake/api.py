"""gRPC in, command or query out."""

from chassis.api import run_api
from intake.app import INDEX


def main() -> int:
    """Runs the api until it is told to stop. Only this process holds the key of the match tokens."""
    return run_api(INDEX, needs=("match_token_key",))
