"""A worker of the benchmark's consumer, started as `saguaro <service> worker` starts one: patched before anything else."""

from chassis import guards_worker


def main() -> None:
    """Runs until it is told to stop."""
    guards_worker.patch()
    from chassis import guards

    guards.install("worker")
    from chassis.worker import run_worker, worker_class
    from tests.bench.toy.app import INDEX

    run_worker(worker_class(INDEX))


if __name__ == "__main__":
    main()
