"""The network's bounded span receiver in a process of its own, as `saguaro up` has it; ends when its standard input does."""

import sys
from pathlib import Path

from network.receiver import Receiver

PORT_LINE = "endpoint "


def main() -> None:
    """Prints where it listens, then serves."""
    receiver = Receiver(Path(sys.argv[1]))
    receiver.start()
    print(PORT_LINE + receiver.endpoint, flush=True)
    sys.stdin.read()
    receiver.stop()


if __name__ == "__main__":
    main()
