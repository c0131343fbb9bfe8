"""The floor: an empty grpc.aio echo on uvloop.

A program: echo_server.py SOCKET, or with TLS, for clients with certificates: echo_server.py 127.0.0.1:PORT
CERTIFICATE KEY CLIENT_CA. Several may share a port.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import grpc
import uvloop

METHOD = "/bench.Echo/Echo"


async def serve(where: str, files: list[bytes]) -> None:
    """Serve until the process is ended."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 1)])

    async def echo(request: bytes, _context: object) -> bytes:
        return request

    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    if files:
        certificate, key, authority = files
        credentials = grpc.ssl_server_credentials([(key, certificate)], authority, require_client_auth=True)
        server.add_secure_port(where, credentials)
    else:
        server.add_insecure_port(f"unix:{where}")
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], [Path(file).read_bytes() for file in sys.argv[2:]]))
