"""The floor: an empty grpc.aio echo on uvloop over a unix socket. A program: echo_server.py SOCKET."""

from __future__ import annotations

import asyncio
import sys

import grpc
import uvloop

METHOD = "/bench.Echo/Echo"


async def serve(path: str) -> None:
    """Serve until the process is ended."""
    server = grpc.aio.server()

    async def echo(request: bytes, _context: object) -> bytes:
        return request

    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo)
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("bench.Echo", handlers),))
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1]))
