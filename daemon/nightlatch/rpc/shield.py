"""Keeps those who are no administrators from changing anything of those who are.

MUST 1: whether somebody is an administrator is asked anew each time; what can not be found out is no "no".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc

from nightlatch.errors import NotFound, Unavailable
from nightlatch.rpc.roles import CHANGING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import structlog

    from nightlatch.rpc.caller import Caller, CallerAddresses

ADMINISTRATOR = "That person is an administrator: only an administrator may do this for them."


class Shield:
    """Stands between the guard and the methods that change something of a person."""

    def __init__(
        self,
        addresses: CallerAddresses,
        is_administrator: Callable[[Caller, str], Awaitable[bool]],
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        """`is_administrator` says it of a name that a caller may name; raises NotFound, Unavailable."""
        self._addresses = addresses
        self._is_administrator = is_administrator
        self._log = log

    def before(self, method: str, inner: Any) -> Any:  # noqa: ANN401, gRPC's own types vary
        """The handler, shielded where it changes something of a person."""
        if method not in CHANGING:
            return inner

        async def shielded(request: Any, context: Any) -> object:  # noqa: ANN401, gRPC's own types vary
            caller = self._addresses.caller(context.peer())
            if not caller.rights.over_administrators:
                await self._refuse(caller, method, request.user, context)
            return await inner(request, context)

        return shielded

    async def _refuse(self, caller: Caller, method: str, user: str, context: Any) -> None:  # noqa: ANN401
        """End the call where the person is an administrator, or may be one."""
        try:
            protected = await self._is_administrator(caller, user)
        except NotFound:
            return  # the method says so
        except Unavailable as error:
            await context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
        if protected:
            self._log.warning("call.denied", caller=str(caller), method=method, reason="an administrator's")
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, ADMINISTRATOR)
