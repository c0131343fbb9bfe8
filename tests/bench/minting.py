"""More credentials for people who have an app already, by the daemon's own loader; and logins that wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from bench.people import CALLER
from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.factor import Subject
from nightlatch.keys import Sealer
from nightlatch.login.ticket import LIFETIME, LoginState, Stage, Tickets
from nightlatch.model import Changes, Credential, DecisionRequest
from nightlatch.plugins.facade import CallContext
from nightlatch.store import open_store
from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from bench.people import People
    from nightlatch.factor import Enrollment, EnrollmentRequest
    from nightlatch.model import Account, Snapshot
    from nightlatch.plugins.facade import FactorFacade

MINTED = "00000000-0000-4000-8000-000000000002"
_SECONDS = 600.0
Wanted = tuple["Account", "EnrollmentRequest"]


def mint(
    people: People, state_dir: Path, name: str, facade: FactorFacade, wanted: Sequence[Wanted]
) -> list[Enrollment]:
    """Enrol accounts with the factor `name` in the store of `people`, under the credential id `MINTED`."""
    return asyncio.run(_mint(people, state_dir, name, facade, wanted))


async def _mint(
    people: People, state_dir: Path, name: str, facade: FactorFacade, wanted: Sequence[Wanted]
) -> list[Enrollment]:
    clock, randomness = SystemClock(), SystemRandomness()
    now = clock.now()
    context = CallContext(now, now + _SECONDS, randomness)
    store = open_store(f"sqlite:///{state_dir / 'nightlatch.db'}", people._key, clock, randomness)
    made = []
    puts = []
    for account, request in wanted:
        enrollment = facade.enroll(Subject(account.name, account.directory), request, context)
        credential = Credential(account.id, MINTED, name, "minted", enrollment.state, now)
        decision = DecisionRequest(account_id=account.id, account=account)
        puts.append(store.decide(decision, _putting(credential)))
        made.append(enrollment)
    await asyncio.gather(*puts)
    await store.close()
    return made


def waiting(people: People, account: Account, answer: str, stage: Stage = Stage.FACTOR) -> bytes:
    """An AnswerLogin request for a login in which `account` was asked for its minted credential."""
    clock, randomness = SystemClock(), SystemRandomness()
    state = LoginState(
        login_id=randomness.bytes(16).hex(),
        stage=stage,
        user=account.name,
        service="bench",
        source="192.0.2.1",
        expires_at=clock.now() + LIFETIME,
        account=account,
        credential_id=MINTED if stage is Stage.FACTOR else "",
    )
    tickets = Tickets(Sealer(people._key.derive("login ticket"), randomness), randomness)
    request = login_pb2.AnswerLoginRequest(ticket=tickets.seal(state, CALLER), answer=answer.encode())
    return request.SerializeToString()


def _putting(credential: Credential) -> Callable[[Snapshot], tuple[Changes, None]]:
    return lambda _snapshot: (Changes(put=(credential,)), None)
