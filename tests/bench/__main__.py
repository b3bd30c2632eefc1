"""`python -m tests.bench [ROW ...] [--quick] [--json]`: runs rows and prints their table."""

import argparse
import json
import signal
import sys
import time
from importlib import import_module

from tests.bench.fair import Row
from tests.bench.house import House
from tests.bench.sizes import QUICK, Sizes
from tests.bench.table import table

ROWS = ("booking", "command", "effect", "relay", "ordinary", "set_wise", "frames", "alarm", "memory")


def main() -> int:
    """0 when every row ran and nothing was lost or doubled; a missed target is a finding, not a failure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], metavar="ROW", help=" ".join(ROWS))
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: shows that the rows run, not how fast anything is"
    )
    parser.add_argument("--json", action="store_true", help="one object on standard output")
    arguments = parser.parse_args()
    sizes = QUICK if arguments.quick else Sizes()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the house is cleared away then too
    rows: list[Row] = []
    failed = 0
    with House() as house:
        for name in arguments.rows or ROWS:
            _say(f"{name} …")
            began = time.monotonic()
            try:
                rows.append(import_module(f"tests.bench.{name}").run(house, sizes, _say))
            except Exception as error:  # noqa: BLE001
                failed += 1
                _say(f"  {name} did not run: {type(error).__name__}: {error}")
            finally:
                house.stop_children()
            _say(f"  {time.monotonic() - began:.0f} s")
    if arguments.json:
        print(json.dumps({"rows": [row.as_json() for row in rows], "failed": failed}))
    else:
        print(table(rows))
    whole = all(turn.whole for row in rows for turn in (*row.ours, *row.bare))
    return 0 if whole and not failed else 1


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
