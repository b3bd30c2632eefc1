"""A gRPC server with one rpc that inserts one row, commits and sends the request back. No chassis."""

import json
import os
from concurrent.futures import ThreadPoolExecutor

import grpc
import psycopg

METHOD = "/bench.Echo/Echo"


def main() -> None:
    """Prints its port and serves until it is killed. BENCH_DSN is the database."""
    connection = psycopg.connect(os.environ["BENCH_DSN"], prepare_threshold=1)

    def echo(request: bytes, _call: grpc.ServicerContext) -> bytes:
        with connection.transaction():
            connection.execute("INSERT INTO echo VALUES (%s, %s)", (int.from_bytes(request[:8], "big"), request))
        return request

    server = grpc.server(ThreadPoolExecutor(1))
    handler = grpc.method_handlers_generic_handler("bench.Echo", {"Echo": grpc.unary_unary_rpc_method_handler(echo)})
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"port": port}), flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
