"""Thousands of people with their phones: enrolled in a store, and their logins begun."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.factor import EnrollmentRequest, Subject
from nightlatch.keys import Sealer, create_key_file
from nightlatch.login.ticket import LIFETIME, LoginState, Stage, Tickets
from nightlatch.model import Account, Changes, Credential, DecisionRequest
from nightlatch.plugins.facade import CallContext
from nightlatch.plugins.loader import load_factors
from nightlatch.store import open_store
from nightlatch.v1 import login_pb2
from testbed.codes import STEP, App

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from nightlatch.keys import MasterKey
    from nightlatch.model import Snapshot

CALLER = "pam uid=0"
CREDENTIAL = "00000000-0000-4000-8000-000000000001"


class People:
    """Accounts of a directory that no login of the benchmark asks: their tickets name them."""

    def __init__(self, count: int, directory: str = "people", prefix: str = "person") -> None:
        names = [f"{prefix}{number:05d}" for number in range(count)]
        self.accounts = [Account(directory, name, name) for name in names]
        self.apps: list[App] = []
        self._clock, self._randomness = SystemClock(), SystemRandomness()

    def enroll(self, state_dir: Path, url: str = "") -> None:
        """Make a key and a store, and give everybody an app. The store is a file, or at `url`."""
        state_dir.mkdir(mode=0o700, parents=True)
        self._key: MasterKey = create_key_file(state_dir / "master.key", self._randomness)
        asyncio.run(self._enroll(url or f"sqlite:///{state_dir / 'nightlatch.db'}"))

    async def _enroll(self, url: str) -> None:
        store = open_store(url, self._key, self._clock, self._randomness)
        factor = load_factors(("totp",), {})["totp"]
        now = self._clock.now()
        context = CallContext(now, now + 600, self._randomness)
        puts = []
        for account in self.accounts:
            subject = Subject(account.name, account.directory)
            enrollment = factor.enroll(subject, EnrollmentRequest("phone"), context)
            self.apps.append(App(enrollment.qr_payload))
            credential = Credential(account.id, CREDENTIAL, "totp", "phone", enrollment.state, now)
            request = DecisionRequest(account_id=account.id, account=account)
            puts.append(store.decide(request, _putting(credential)))
            if len(puts) == 500:
                await asyncio.gather(*puts)
                puts.clear()
        await asyncio.gather(*puts)
        await store.close()

    def answers(self, indexes: Iterator[int]) -> list[bytes]:
        """AnswerLogin requests, each with a fresh code, for people whose logins wait for one."""
        tickets = Tickets(Sealer(self._key.derive("login ticket"), self._randomness), self._randomness)
        return [self._answer(index, tickets) for index in indexes]

    def _answer(self, index: int, tickets: Tickets) -> bytes:
        state = LoginState(
            login_id=self._randomness.bytes(16).hex(),
            stage=Stage.FACTOR,
            user=self.accounts[index].name,
            service="bench",
            source="192.0.2.1",
            expires_at=self._clock.now() + LIFETIME,
            account=self.accounts[index],
            credential_id=CREDENTIAL,
        )
        app = self.apps[index]
        ticket = tickets.seal(state, CALLER)
        request = login_pb2.AnswerLoginRequest(ticket=ticket, answer=app.fresh(earliest=0).encode())
        return request.SerializeToString()


def _putting(credential: Credential) -> Callable[[Snapshot], tuple[Changes, None]]:
    return lambda _snapshot: (Changes(put=(credential,)), None)


def granted(answer: bytes) -> None:
    """Raise where an answer is no grant."""
    step = login_pb2.AnswerLoginResponse.FromString(answer).step
    if step.outcome.verdict != login_pb2.VERDICT_GRANTED:
        raise AssertionError(f"not a grant: {step}")


def wait_for_a_young_step() -> None:
    """Wait until the present 30 seconds have just begun, so that codes do not run out in a measurement."""
    while time.time() % STEP > STEP / 2:
        time.sleep(0.2)
