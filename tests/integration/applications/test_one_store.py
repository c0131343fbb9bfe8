"""Two worker processes over one store, SQLite or PostgreSQL: one grant a code, a ticket and a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar
from uuid import uuid4

import grpc
import pytest

from nightlatch.keys import KEY_BYTES
from nightlatch.v1 import login_pb2, login_pb2_grpc, verification_pb2, verification_pb2_grpc
from testbed.fixtures_store import run
from testbed.front_door import Person, enroll
from testbed.process import wait_until
from testbed.two_workers import TwoWorkers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from testbed.codes import App
    from testbed.postgres import Postgres
    from testbed.slapd import Slapd

Response = verification_pb2.VerifyCodeResponse
CALLS = 120
CHANNELS = 16
"""The kernel gives connections to workers as it likes: that all go to one is then as good as impossible."""
BOTH = {"1", "2"}
VERIFIED = verification_pb2.VERIFICATION_VERIFIED
WRONG = verification_pb2.VERIFICATION_WRONG
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class UnderWay(Protocol[T_co]):
    """A call that was made."""

    def result(self) -> T_co:
        """Its answer; raises grpc.RpcError."""


class Shop(TwoWorkers):
    """The daemon, its store, and what many calls at once come to."""

    url = ""

    def enroll(self) -> App:
        """Give alice an authenticator app."""
        with self.daemon.channel(admin=True) as admin:
            return enroll(admin, "alice")

    def workers_of(self, event: str, seen: int) -> set[str]:
        """Which workers have logged an event, but for the first `seen` times."""
        return {str(one["worker"]) for one in self.made.said(event)[seen:]}

    def at_once(self, call: Callable[[grpc.Channel], UnderWay[T]]) -> tuple[list[T], set[grpc.StatusCode]]:
        """Make a call many times at once, over connections to both workers; the answers, and error codes."""
        before = len(self.made.said("call.ended"))
        channels = [self.client.channel() for _ in range(CHANNELS)]
        for channel in channels:
            grpc.channel_ready_future(channel).result(30)
        calls = [call(channels[number % CHANNELS]) for number in range(CALLS)]
        answers, codes = [], set()
        for one in calls:
            try:
                answers.append(one.result())
            except grpc.RpcError as error:
                codes.add(error.code())
        for channel in channels:
            channel.close()
        wait_until(lambda: len(self.made.said("call.ended")) >= before + CALLS, "the log")
        assert self.workers_of("call.ended", before) == BOTH
        assert not self.made.said("rpc.failed")
        return answers, codes

    def audited(self, event: str) -> list[str]:
        """The results of an event in the audit."""
        rows = run(self.url, f"select result from audit where event = '{event}' order by id")  # noqa: S608
        return [str(result) for (result,) in rows]


@pytest.fixture(params=["sqlite", "postgresql"])
def shop(request: pytest.FixtureRequest, open_folder: Path, slapd: Slapd) -> Iterator[Shop]:
    """A daemon with two workers."""
    folder, store = open_folder / uuid4().hex[:8], ""
    url = f"sqlite:///{folder / 'd' / 'state' / 'nightlatch.db'}"
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.create_database())
        folder.mkdir()
        key = folder / "shared.key"
        key.touch(mode=0o600)
        key.write_bytes(b"\x07" * KEY_BYTES)
        store = f'[store]\nurl = "{url}"\nkey_file = "{key}"\n'
    made = Shop(folder, slapd, store)
    made.url = url
    made.daemon.start()
    yield made
    made.daemon.stop()


def verify(code: str, request_id: str = "") -> Callable[[grpc.Channel], UnderWay[Response]]:
    """A call of VerifyCode, to be made on any connection."""
    request = verification_pb2.VerifyCodeRequest(user="alice", code=code, request_id=request_id)
    return lambda channel: verification_pb2_grpc.VerificationServiceStub(channel).VerifyCode.future(
        request, timeout=60
    )


def test_a_code_is_accepted_once_over_all_workers(shop: Shop) -> None:
    """The same code many times at once, over two processes on one store: one grant."""
    answers, failed = shop.at_once(verify(shop.enroll().fresh()))
    assert not failed
    verdicts = [answer.verification for answer in answers]
    assert verdicts.count(VERIFIED) == 1
    assert shop.audited("verification.code").count("granted") == 1


def test_a_ticket_answered_at_both_workers_at_once_is_one_grant(shop: Shop) -> None:
    """SES-01: one question, answered rightly many times at the same time: one of them lets somebody in."""
    app = shop.enroll()
    with shop.client.channel() as channel:
        step = Person(channel, service="shop").begin(login_pb2.PRIMARY_ESTABLISHED)
    request = login_pb2.AnswerLoginRequest(ticket=step.ticket, answer=app.fresh().encode())
    answers, codes = shop.at_once(
        lambda channel: login_pb2_grpc.LoginServiceStub(channel).AnswerLogin.future(request, timeout=60)
    )
    ends = [answer.step.outcome.verdict for answer in answers]
    assert ends.count(login_pb2.VERDICT_GRANTED) == 1
    assert set(ends) <= {login_pb2.VERDICT_GRANTED, login_pb2.VERDICT_LOCKED}
    assert codes == {grpc.StatusCode.FAILED_PRECONDITION}
    assert shop.audited("login.factor").count("granted") == 1


@pytest.mark.parametrize("right", [True, False])
def test_one_request_at_both_workers_has_one_verdict(shop: Shop, right: bool) -> None:  # noqa: FBT001
    """The same request_id many times at once: one decision, the same verdict for all, at any worker."""
    app = shop.enroll()
    code, verdict = (app.fresh(), VERIFIED) if right else (app.wrong(), WRONG)
    answers, failed = shop.at_once(verify(code, "one"))
    assert not failed
    assert {answer.verification for answer in answers} == {verdict}
    assert len({answer.factor for answer in answers}) == 1
    assert shop.audited("verification.code") == ["granted" if right else "refused"]
    answers, codes = shop.at_once(verify(app.wrong() if right else app.fresh(), "one"))
    assert (answers, codes) == ([], {grpc.StatusCode.FAILED_PRECONDITION}), "another request of the same name"
    assert len(shop.audited("verification.code")) == 1
