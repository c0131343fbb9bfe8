"""The client for asyncio: the same methods as the blocking one's, to be awaited."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import grpc

from nightlatch.client import calls, login_calls
from nightlatch.client.calls import Where
from nightlatch.client.errors import ClientError, Unavailable
from nightlatch.client.failure import Lost
from nightlatch.client.links import Links
from nightlatch.client.receipts import RENEWAL_SECONDS, KeptKeys
from nightlatch.client.results import CodeResult, LoginResult, PromptKind, Verification, Wait
from nightlatch.client.setting import SECONDS, Setting, utc_now

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from os import PathLike
    from types import TracebackType
    from typing import Self

    from nightlatch.client.calls import Call
    from nightlatch.client.links import Options
    from nightlatch.client.receipts import Keys
    from nightlatch.client.results import DeviceResult, Prompt, Receipt, SentCode, Step

A = TypeVar("A")


def _open(target: str, credentials: grpc.ChannelCredentials | None, options: Options) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=options)
    return grpc.aio.secure_channel(target, credentials, options=options)


class AsyncClient:
    """Asks nightlatch daemons from one event loop. What `Client` says of its methods holds here."""

    def __init__(
        self,
        *targets: str,
        cert: str | PathLike[str] = "",
        key: str | PathLike[str] = "",
        ca: str | PathLike[str] = "",
        timeout: float = SECONDS,
    ) -> None:
        """Connect to nothing yet; the arguments are those of `Client`."""
        self._setting = Setting(targets, (cert, key, ca), timeout)
        self._links: Links[grpc.aio.Channel] = Links(self._setting.files, _open)
        self._keys = KeptKeys()

    def __repr__(self) -> str:
        return f"AsyncClient({', '.join(self._setting.targets.names)})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all connections, and the calls that are under way on them."""
        for channel in self._links.close():
            await channel.close()

    async def verify_code(
        self,
        user: str,
        code: str,
        *,
        ticket: bytes = b"",
        service: str = "",
        remote_host: str = "",
        request_id: str = "",
        receipt: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109, for all attempts together, and told to the daemon
    ) -> CodeResult:
        """Whether a code is right: see `Client.verify_code`."""
        if not calls.can_be_a_code(code):
            return CodeResult(Verification.WRONG)
        where = Where(service, remote_host)
        call = calls.verify_code(user, code, ticket, where, request_id=request_id, receipt=receipt)
        return calls.code_result(await self._ask(call, timeout), utc_now())

    async def send_code(
        self,
        user: str,
        factor: str,
        *,
        credential_id: str = "",
        service: str = "",
        remote_host: str = "",
        timeout: float | None = None,  # noqa: ASYNC109, as above
    ) -> SentCode:
        """Send a code by a factor: see `Client.send_code`."""
        call = calls.send_code(user, factor, credential_id, Where(service, remote_host))
        return calls.sent_code(await self._ask(call, timeout))

    async def check_device(
        self,
        user: str,
        device_token: str,
        *,
        service: str = "",
        remote_host: str = "",
        receipt: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109, as above
    ) -> DeviceResult:
        """Whether a device is trusted: see `Client.check_device`."""
        call = calls.check_device(user, device_token, Where(service, remote_host), receipt=receipt)
        return calls.device_result(await self._ask(call, timeout))

    async def login(
        self,
        user: str,
        password: str = "",
        *,
        service: str,
        ask: Callable[[Prompt], Awaitable[str]],
        tell: Callable[[str], Awaitable[None]] | None = None,
        remote_host: str = "",
        terminal: str = "",
        established: bool = False,
        device_token: str = "",
        keeps_device_token: bool = False,
        draws_qr: bool = False,
    ) -> LoginResult:
        """A whole login, from the password to an outcome: see `Client.login`."""
        step = await self.begin_login(
            user,
            service=service,
            remote_host=remote_host,
            terminal=terminal,
            established=established,
            device_token=device_token,
            keeps_device_token=keeps_device_token,
            draws_qr=draws_qr,
        )
        for _ in range(login_calls.MOST_STEPS):
            if isinstance(step, LoginResult):
                return step
            if isinstance(step, Wait):
                if tell is not None:
                    await tell(step.text)
                await asyncio.sleep(step.seconds)
                answer = ""
            elif password and step.kind is PromptKind.PASSWORD:
                answer, password = password, ""
            else:
                answer = await ask(step)
            step = await self.answer_login(user, step.ticket, answer)
        raise Unavailable("The login did not come to an end.")

    async def begin_login(
        self,
        user: str,
        *,
        service: str,
        remote_host: str = "",
        terminal: str = "",
        established: bool = False,
        device_token: str = "",
        keeps_device_token: bool = False,
        draws_qr: bool = False,
        timeout: float | None = None,  # noqa: ASYNC109, as above
    ) -> Step:
        """The first step of a login: see `Client.begin_login`."""
        begin = login_calls.Begin(
            user,
            service,
            Where(service, remote_host),
            terminal,
            established,
            device_token,
            keeps_device_token,
            draws_qr,
        )
        answer = await self._ask(login_calls.begin_login(begin), timeout)
        return login_calls.step_of(answer.step, user, utc_now())

    async def answer_login(
        self,
        user: str,
        ticket: bytes,
        answer: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109, as above
    ) -> Step:
        """The step after an answer: see `Client.answer_login`."""
        stepped = await self._ask(login_calls.answer_login(ticket, answer), timeout)
        return login_calls.step_of(stepped.step, user, utc_now())

    async def keys(self, *, timeout: float | None = None) -> Keys:  # noqa: ASYNC109, as above
        """The public keys of receipts, from a daemon."""
        answer = await self._ask(calls.get_keys(), timeout)
        return self._keys.keep(calls.keys_of(answer))

    async def check_receipt(self, receipt: str, audience: str) -> Receipt:
        """What a receipt for `audience` states: see `Client.check_receipt`."""
        if self._keys.renewal_due():
            with suppress(ClientError):
                await self.keys(timeout=RENEWAL_SECONDS)
        stated = self._keys.check(receipt, audience)
        return (await self.keys()).check(receipt, audience) if stated is None else stated

    async def _ask(self, call: Call[A], timeout: float | None) -> A:  # noqa: ASYNC109, as above
        attempts = self._setting.attempts(timeout, harmless=call.harmless)
        while True:
            channel = self._links.channel(attempts.target)
            send = channel.unary_unary(
                call.path, request_serializer=calls.to_bytes, response_deserializer=call.read
            )
            try:
                answer = await _answer(send(call.request, timeout=attempts.seconds()))
            except grpc.RpcError as error:
                pause = attempts.failed(error)
                self._links.renew()
                await asyncio.sleep(pause)
            else:
                attempts.worked()
                return answer


async def _answer(call: Awaitable[A]) -> A:
    """A call's answer; raises grpc.RpcError.

    What the daemon cancels, as it does when it stops, looks to grpc.aio as if this task were cancelled.
    """
    try:
        return await call
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Lost from None
