"""The blocking client."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import grpc

from nightlatch.client import calls, login_calls
from nightlatch.client.calls import Where
from nightlatch.client.errors import ClientError, Unavailable
from nightlatch.client.links import Links
from nightlatch.client.receipts import RENEWAL_SECONDS, KeptKeys
from nightlatch.client.results import CodeResult, LoginResult, PromptKind, Verification, Wait
from nightlatch.client.setting import SECONDS, Setting, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from os import PathLike
    from types import TracebackType
    from typing import Self

    from nightlatch.client.calls import Call
    from nightlatch.client.links import Options
    from nightlatch.client.receipts import Keys
    from nightlatch.client.results import DeviceResult, Prompt, Receipt, SentCode, Step

A = TypeVar("A")


def _open(target: str, credentials: grpc.ChannelCredentials | None, options: Options) -> grpc.Channel:
    if credentials is None:
        return grpc.insecure_channel(target, options=options)
    return grpc.secure_channel(target, credentials, options=options)


class Client:
    """Asks nightlatch daemons, from any thread; blocks until there is an answer.

    All methods raise the errors of `nightlatch.client.errors`: `Unavailable` when no daemon has decided in
    time, `Denied` when the application lacks the right, `InvalidRequest` for what no daemon takes. None of
    them says anything about the person, and none of them lets anybody in.

    A process that forks uses its client in the workers only: connections do not survive a fork.
    """

    def __init__(
        self,
        *targets: str,
        cert: str | PathLike[str] = "",
        key: str | PathLike[str] = "",
        ca: str | PathLike[str] = "",
        timeout: float = SECONDS,
    ) -> None:
        """Connect to nothing yet; raises BadCertificate, InvalidRequest.

        `targets` are daemons that share a store: "mfa.example.com:7443", or "unix:/run/…". The first that
        answers is used. `cert`, `key` and `ca` are files in PEM, read again when a connection fails and they
        have changed. `timeout` is in seconds, for a call with all its attempts; what sends messages may take
        three times as long.
        """
        self._setting = Setting(targets, (cert, key, ca), timeout)
        self._links: Links[grpc.Channel] = Links(self._setting.files, _open)
        self._keys = KeptKeys()

    def __repr__(self) -> str:
        return f"Client({', '.join(self._setting.targets.names)})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all connections, and the calls that are under way on them."""
        for channel in self._links.close():
            channel.close()

    def verify_code(
        self,
        user: str,
        code: str,
        *,
        ticket: bytes = b"",
        service: str = "",
        remote_host: str = "",
        request_id: str = "",
        receipt: bool = False,
        timeout: float | None = None,
    ) -> CodeResult:
        """Whether a code is right, of an app, a printed list, or sent: then with the `ticket` of `send_code`.

        A lost answer is asked for again, which costs the person nothing: each call has a request_id, a new
        UUID unless you give one. An empty code is a wrong one.
        """
        if not calls.can_be_a_code(code):
            return CodeResult(Verification.WRONG)
        where = Where(service, remote_host)
        call = calls.verify_code(user, code, ticket, where, request_id=request_id, receipt=receipt)
        return calls.code_result(self._ask(call, timeout), utc_now())

    def send_code(
        self,
        user: str,
        factor: str,
        *,
        credential_id: str = "",
        service: str = "",
        remote_host: str = "",
        timeout: float | None = None,
    ) -> SentCode:
        """Send a code by a factor, to the address used last or to that of one credential.

        Raises also TooMany, when enough was asked for, and NotFound, where the application may know that
        there is nothing to send to; one that may not is not told whether anything was sent. An answer that
        was lost raises Unavailable, and the message may be on its way.
        """
        call = calls.send_code(user, factor, credential_id, Where(service, remote_host))
        return calls.sent_code(self._ask(call, timeout))

    def check_device(
        self,
        user: str,
        device_token: str,
        *,
        service: str = "",
        remote_host: str = "",
        receipt: bool = False,
        timeout: float | None = None,
    ) -> DeviceResult:
        """Whether a device is trusted, so that no code needs to be asked for. Keep the new token, if any."""
        call = calls.check_device(user, device_token, Where(service, remote_host), receipt=receipt)
        return calls.device_result(self._ask(call, timeout))

    def login(
        self,
        user: str,
        password: str = "",
        *,
        service: str,
        ask: Callable[[Prompt], str],
        tell: Callable[[str], None] | None = None,
        remote_host: str = "",
        terminal: str = "",
        established: bool = False,
        device_token: str = "",
        keeps_device_token: bool = False,
        draws_qr: bool = False,
    ) -> LoginResult:
        """A whole login, from the password to an outcome.

        `ask` shows a prompt and gives what the person typed; `password` answers the first prompt for one.
        `tell` gets the words of a pause. `established`: the application has checked the first factor itself.
        """
        step = self.begin_login(
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
                    tell(step.text)
                time.sleep(step.seconds)
                answer = ""
            elif password and step.kind is PromptKind.PASSWORD:
                answer, password = password, ""
            else:
                answer = ask(step)
            step = self.answer_login(user, step.ticket, answer)
        raise Unavailable("The login did not come to an end.")

    def begin_login(
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
        timeout: float | None = None,
    ) -> Step:
        """The first step of a login, for who can not wait in `login`: a web application between two forms."""
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
        answer = self._ask(login_calls.begin_login(begin), timeout)
        return login_calls.step_of(answer.step, user, utc_now())

    def answer_login(self, user: str, ticket: bytes, answer: str, *, timeout: float | None = None) -> Step:
        """The step after an answer. `user` as in `begin_login`: a grant for another name is none.

        Raises also Expired. An answer is sent once: when its reply is lost, Unavailable, and the login begins
        anew.
        """
        stepped = self._ask(login_calls.answer_login(ticket, answer), timeout)
        return login_calls.step_of(stepped.step, user, utc_now())

    def keys(self, *, timeout: float | None = None) -> Keys:
        """The public keys of receipts, from a daemon."""
        answer = self._ask(calls.get_keys(), timeout)
        return self._keys.keep(calls.keys_of(answer))

    def check_receipt(self, receipt: str, audience: str) -> Receipt:
        """What a receipt to `audience` states; raises InvalidReceipt.

        A daemon is asked for keys at first, for an unknown one, and again when those at hand get old.
        """
        if self._keys.renewal_due():
            with suppress(ClientError):
                self.keys(timeout=RENEWAL_SECONDS)
        stated = self._keys.check(receipt, audience)
        return self.keys().check(receipt, audience) if stated is None else stated

    def _ask(self, call: Call[A], timeout: float | None) -> A:
        attempts = self._setting.attempts(timeout, harmless=call.harmless)
        while True:
            channel = self._links.channel(attempts.target)
            send = channel.unary_unary(
                call.path, request_serializer=calls.to_bytes, response_deserializer=call.read
            )
            try:
                answer = send(call.request, timeout=attempts.seconds())
            except grpc.RpcError as error:
                pause = attempts.failed(error)
                self._links.renew()
                time.sleep(pause)
            else:
                attempts.worked()
                return answer
