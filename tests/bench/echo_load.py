"""One client of the echo. Arguments: port, calls."""

import json
import sys
import time

import grpc

from tests.bench.echo_server import METHOD


def main() -> None:
    """Says when it is ready, waits for a line, calls one after another, prints each latency."""
    port, calls = sys.argv[1], int(sys.argv[2])
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        grpc.channel_ready_future(channel).result(timeout=10)
        echo = channel.unary_unary(METHOD)
        print(json.dumps({"ready": True}), flush=True)
        sys.stdin.readline()
        each = []
        for number in range(calls):
            body = number.to_bytes(8, "big") + bytes(300)
            began = time.perf_counter()
            answer = echo(body, timeout=10)
            each.append(time.perf_counter() - began)
            if answer != body:
                raise RuntimeError("not what was sent")
    print(json.dumps({"each": each}), flush=True)


if __name__ == "__main__":
    main()
