"""Taking over credentials that people have in another system, named by an administrator.

MUST 1: what one person has is stored in one decision, or not at all.
MUST 2: what is there already stays as it is: nothing is stored twice, and nothing takes its place.
MUST 3: no secret of a request is in an error, a log or an audit row.
MUST 4: no confirming answer is asked for, as the other system has had it: so only who may read the other
        system's secrets may call this, which is an administrator on the daemon's own host.
MUST 5: what comes within a day after a rescue is on hold (REC-04): people may have written what is read.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from nightlatch.enrollment.asking import change
from nightlatch.enrollment.enroll import MAX_LABEL
from nightlatch.enrollment.making import MAX_CREDENTIALS, without_devices
from nightlatch.errors import Conflict, Invalid
from nightlatch.factor import ImportedCodes, ImportedSecret
from nightlatch.login.hold import Level, after_adding
from nightlatch.model import Changes, Credential, DecisionRequest, Snapshot
from nightlatch.plugins.facade import CallContext

if TYPE_CHECKING:
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
        self,
        caller: str,
        user: str,
        offered: tuple[Offered, ...],
        *,
        chosen: frozenset[str] = frozenset(),
        dry_run: bool = False,
    ) -> tuple[Account, tuple[TakenOver, ...]]:
        """Store what can be; raises Invalid, NotFound, Conflict, Unavailable: then nothing is stored.

        `chosen` are the factors that take what several would take.
        """
        self._check(chosen)
        if not 1 <= len(offered) <= MAX_CREDENTIALS:
            raise Invalid(f"Import 1 to {MAX_CREDENTIALS} credentials of one person at a time.")
        if any(len(one.label) > MAX_LABEL or not one.label.isprintable() for one in offered):
            raise Invalid(f"A credential's name has at most {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)
        present = await self._parts.store.credentials(account.id)
        # In a thread: codes are hashed, and nobody's login waits for that.
        made = await asyncio.to_thread(self._made, account, present, offered, chosen)
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
            standing = snapshot.standing
            for one in new:
                there = replace(snapshot, standing=standing)
                standing = after_adding(there, self._parts.factors, one, Level.NONE)
            return Changes(put=new, standing=standing, events=events), None

        request = DecisionRequest(account_id=account.id, account=account, standing=True)
        await self._parts.store.decide(request, body)
        for credential, event in zip(new, events, strict=True):
            self._parts.notices.tell("notice_credential_added", event, credential.label)

    def _made(
        self,
        account: Account,
        present: tuple[Credential, ...],
        offered: tuple[Offered, ...],
        chosen: frozenset[str],
    ) -> list[tuple[Credential | None, TakenOver]]:
        """What each would become, beside what is there and what came before it."""
        made: list[tuple[Credential | None, TakenOver]] = []
        there = present
        for one in offered:
            taker = self._taker(one, chosen)
            if isinstance(taker, TakenOver):
                made.append((None, taker))
                continue
            credential, fate = self._one(account, there, one, taker)
            if credential is not None:
                there = (*there, credential)
            made.append((credential, fate))
        return made

    def _one(
        self, account: Account, there: tuple[Credential, ...], offered: Offered, facade: FactorFacade
    ) -> tuple[Credential | None, TakenOver]:
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
        if len(without_devices(there, self._parts)) >= MAX_CREDENTIALS:
            return None, TakenOver(Fate.REFUSED, facade.name, reason=f"has {MAX_CREDENTIALS} credentials")
        identity = str(uuid.UUID(bytes=self._parts.randomness.bytes(16), version=4))
        label = _free(offered.label or facade.title, facade.name, there)
        credential = Credential(account.id, identity, facade.name, label, state, now)
        return credential, TakenOver(Fate.IMPORTED, facade.name, identity)

    def _check(self, chosen: frozenset[str]) -> None:
        taking = {
            name
            for name, one in self._parts.factors.items()
            if one.takes(ImportedSecret) or one.takes(ImportedCodes)
        }
        if wrong := sorted(chosen - taking):
            known = ", ".join(sorted(taking)) or "none"
            raise Invalid(f'No factor "{wrong[0]}" takes anything over here. Those that do: {known}.')

    def _taker(self, offered: Offered, chosen: frozenset[str]) -> FactorFacade | TakenOver:
        """The one factor that takes such things, or why there is not just one. Nothing is guessed."""
        takers = {name: one for name, one in self._parts.factors.items() if one.takes(type(offered.what))}
        named = {name: one for name, one in takers.items() if name in chosen} or takers
        if len(named) == 1:
            return next(iter(named.values()))
        if not named:
            return TakenOver(Fate.REFUSED, reason="no factor that is switched on takes such credentials")
        several = " and ".join(sorted(named))
        return TakenOver(Fate.REFUSED, reason=f"{several} would take it: say which with --factor")


def _free(label: str, factor: str, there: tuple[Credential, ...]) -> str:
    """The name, with a number behind it where another credential has it."""
    taken = {one.label for one in there if one.factor == factor}
    numbered = (f"{label[: MAX_LABEL - 3]} {number}" for number in range(2, MAX_CREDENTIALS + 2))
    return next(name for name in (label, *numbered) if name not in taken)
