"""Index and contract side by side: each unary rpc has one row, each streaming rpc one function."""

from collections.abc import Collection, Mapping
from importlib import import_module

from google.protobuf import descriptor_pool
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from chassis.index import Command, Query, RemoteCommand, RemoteQuery, Service

Row = Command | RemoteCommand | Query | RemoteQuery


def services_of(index: Service) -> list[ServiceDescriptor]:
    """The descriptors of the index's gRPC services; imports their generated modules."""
    return [_service(name) for name in index.grpc_services]


def _service(full_name: str) -> ServiceDescriptor:
    import_module(f"{full_name.rpartition('.')[0]}.service_pb2")
    return descriptor_pool.Default().FindServiceByName(full_name)


def checked_rows(index: Service, services: list[ServiceDescriptor], streams: Collection[str]) -> dict[str, Row]:
    """The row of each unary rpc. ValueError names everything in which index and contract differ."""
    rows: dict[str, Row] = {}
    wrong: list[str] = []
    for row in (*index.commands, *index.queries):
        if row.rpc in rows:
            wrong.append(f"{row.rpc} has two rows")
        rows[row.rpc] = row
    methods: dict[str, MethodDescriptor] = {}
    for method in (method for service in services for method in service.methods):
        if method.name in methods:
            wrong.append(f"{method.name} is an rpc of two services")
        methods[method.name] = method
        is_stream = method.client_streaming or method.server_streaming
        if method.name not in (streams if is_stream else rows):
            wrong.append(f"{method.name} has no {'stream function' if is_stream else 'row'}")
        elif not is_stream and rows[method.name].request.DESCRIPTOR.full_name != method.input_type.full_name:
            wrong.append(f"{method.name} takes {method.input_type.name}, its row another message")
    wrong += [
        f"{name} has a row or stream function but is no such rpc" for name in _superfluous(rows, streams, methods)
    ]
    if wrong:
        raise ValueError(f"index of {index.name}: {'; '.join(wrong)}")
    return rows


def _superfluous(
    rows: Mapping[str, Row], streams: Collection[str], methods: Mapping[str, MethodDescriptor]
) -> list[str]:
    streaming = {name for name, method in methods.items() if method.client_streaming or method.server_streaming}
    return [*(name for name in rows if name not in methods or name in streaming), *(set(streams) - streaming)]
