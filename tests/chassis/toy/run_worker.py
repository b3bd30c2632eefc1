"""The toy's worker as a process of its own, patched first as the command does it: `python -m tests.chassis.toy.run_worker`."""

from chassis import guards_worker

guards_worker.patch()

import os  # noqa: E402

from chassis.worker import run_worker, worker_class  # noqa: E402
from tests.chassis.toy.app import INDEX, POISONOUS  # noqa: E402

if __name__ == "__main__":
    POISONOUS.update(os.environ.get("TOY_POISON", "").split())
    run_worker(worker_class(INDEX))
