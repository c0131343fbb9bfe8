"""Taking over credentials that people have in another system, named by an administrator.

MUST 1: what one person has is stored in one decision, or not at all.
MUST 2: what is there already stays as it is: nothing is stored twice, and nothing takes its place.
MUST 3: no secret of a request is in an error, a log or an audit row.
MUST 4: no confirming answer is asked for, as the other system has had it: so only who may read the other
        system's secrets may call this, which is an administrator on the daemon's own host.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.enrollment.asking import change
from nightlatch.enrollment.enroll import MAX_LABEL
from nightlatch.enrollment.making import MAX_CREDENTIALS
from nightlatch.errors import Conflict, Invalid
from nightlatch.model import Changes, Credential, DecisionRequest, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
    from nightlatch.factor import ImportedCodes, ImportedSecret
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account
    from nightlatch.plugins.facade import FactorFacade

SECONDS = 10.0
MEANWHILE = "Their credentials were changed meanwhile. Nothing was stored; import them again."


@dataclass(frozen=True, slots=True)
class Offered:
    """One credential of another system."""

    label: str
    what: ImportedSecret | ImportedCodes = field(repr=False)


class Fate(Enum):
    """What became of it."""

    IMPORTED = "imported"
    PRESENT = "present"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What became of one credential, and why."""

    fate: Fate
    factor: str = ""
    credential_id: str = ""
    reason: str = ""


class Takeovers:
    """Takes over credentials."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def take(
        self, caller: str, user: str, offered: tuple[Offered, ...], *, dry_run: bool = False
    ) -> tuple[Account, tuple[TakenOver, ...]]:
        """Store what can be; raises Invalid, NotFound, Conflict, Unavailable: then nothing is stored."""
        if not 1 <= len(offered) <= MAX_CREDENTIALS:
            raise Invalid(f"Import 1 to {MAX_CREDENTIALS} credentials of one person at a time.")
        if any(len(one.label) > MAX_LABEL or not one.label.isprintable() for one in offered):
            raise Invalid(f"A credential's name has at most {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)
        present = await self._parts.store.credentials(account.id)
        # In a thread: codes are hashed, and nobody's login waits for that.
        made = await asyncio.to_thread(self._made, account, present, offered)
        new = tuple(credential for credential, _ in made if credential is not None)
        if new and not dry_run:
            await self._store(caller, account, present, new)
        fates = tuple(fate for _, fate in made)
        return account, tuple(replace(one, credential_id="") for one in fates) if dry_run else fates

    async def _store(
        self, caller: str, account: Account, present: tuple[Credential, ...], new: tuple[Credential, ...]
    ) -> None:
        """Store them all, if nothing was changed since `present` was read; a login may have been."""
        events = tuple(change("credential.import", account, caller, one) for one in new)
        before = [(one.id, one.label) for one in present]

        def body(snapshot: Snapshot) -> tuple[Changes, None]:
            if [(one.id, one.label) for one in snapshot.credentials] != before:
                raise Conflict(MEANWHILE)
            return Changes(put=new, events=events), None

        await self._parts.store.decide(DecisionRequest(account_id=account.id, account=account), body)
        for credential, event in zip(new, events, strict=True):
            self._parts.notices.tell("notice_credential_added", event, credential.label)

    def _made(
        self, account: Account, present: tuple[Credential, ...], offered: tuple[Offered, ...]
    ) -> list[tuple[Credential | None, TakenOver]]:
        """What each would become, beside what is there and what came before it."""
        made: list[tuple[Credential | None, TakenOver]] = []
        there = present
        for one in offered:
            credential, fate = self._one(account, there, one)
            if credential is not None:
                there = (*there, credential)
            made.append((credential, fate))
        return made

    def _one(
        self, account: Account, there: tuple[Credential, ...], offered: Offered
    ) -> tuple[Credential | None, TakenOver]:
        facade = self._taker(offered)
        if facade is None:
            return None, TakenOver(
                Fate.REFUSED, reason="no factor that is switched on takes such credentials"
            )
        own = tuple(one.state for one in there if one.factor == facade.name)
        now = self._parts.clock.now()
        if facade.plugin.single and own:
            return None, TakenOver(Fate.PRESENT, facade.name, reason="has some already, and they stay")
        try:
            state = facade.imported(
                offered.what, own, CallContext(now, now + SECONDS, self._parts.randomness)
            )
        except Invalid as error:
            return None, TakenOver(Fate.REFUSED, facade.name, reason=str(error))
        if state is None:
            return None, TakenOver(Fate.PRESENT, facade.name, reason="has the same already")
        if len(there) >= MAX_CREDENTIALS:
            return None, TakenOver(Fate.REFUSED, facade.name, reason=f"has {MAX_CREDENTIALS} credentials")
        identity = str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))
        label = _free(offered.label or facade.title, facade.name, there)
        credential = Credential(account.id, identity, facade.name, label, state, now)
        return credential, TakenOver(Fate.IMPORTED, facade.name, identity)

    def _taker(self, offered: Offered) -> FactorFacade | None:
        """The factor that takes such things: the first by name, where several do."""
        takers = [one for one in self._parts.factors.values() if one.takes(type(offered.what))]
        return min(takers, key=lambda one: one.name, default=None)


def _free(label: str, factor: str, there: tuple[Credential, ...]) -> str:
    """The name, with a number behind it where another credential has it."""
    taken = {one.label for one in there if one.factor == factor}
    numbered = (f"{label[: MAX_LABEL - 3]} {number}" for number in range(2, MAX_CREDENTIALS + 2))
    return next(name for name in (label, *numbered) if name not in taken)
