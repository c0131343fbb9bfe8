"""Giving a person a second factor that an administrator has named; how is in `making.py`.

MUST 1: between the two calls the credential is in a sealed ticket: nobody can read the secret back.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nightlatch.enrollment.addresses import offered_addresses
from nightlatch.enrollment.asking import ask, change
from nightlatch.enrollment.making import Confirmation, Making
from nightlatch.enrollment.pending import LIFETIME, Pending, PendingTickets
from nightlatch.errors import Conflict, Invalid, NotFound, Refused
from nightlatch.factor import Decision
from nightlatch.login.answers import read_code
from nightlatch.login.hold import Level
from nightlatch.login.ticket import TicketError

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.keys import Sealer
    from nightlatch.login.parts import Parts
    from nightlatch.model import Account
    from nightlatch.plugins.facade import FactorFacade

MAX_LABEL = 64
WRONG_CODE = "That code was not right. Nothing was stored."


@dataclass(frozen=True, slots=True)
class Begun:
    """A new credential, and what to show the person once."""

    enrollment: Enrollment = field(repr=False)
    ticket: bytes = field(default=b"", repr=False)
    """To be confirmed with; empty when the credential counts already."""
    prompt: str = ""
    credential_id: str = ""
    """Set when the credential counts already."""


class Enrollments:
    """Enrols credentials for accounts that an administrator names."""

    def __init__(self, parts: Parts, sealer: Sealer) -> None:
        self._parts = parts
        self._making = Making(parts)
        self._tickets = PendingTickets(sealer, "enrollment")

    async def begin(
        self,
        caller: str,
        user: str,
        factor: str,
        label: str,
        address: str = "",
        *,
        directory_address: int = 0,
    ) -> Begun:
        """Make a credential; raises Invalid, NotFound, Conflict, Refused, Locked, Unavailable.

        `directory_address` is the number of one of the addresses that the directory has, from 1 on.
        """
        facade = self._facade(factor)
        if len(label) > MAX_LABEL or not label.isprintable():
            raise Invalid(f"A credential's name has 1 to {MAX_LABEL} printable characters.")
        account = await self._parts.accounts.get(user)
        address = await self._address(account, facade, address, directory_address)
        made, credential = await self._making.make(account, facade, label, address)
        await self._refuse_too_many(account, facade, credential.label)
        if not facade.plugin.confirmed:
            event = change("credential.add", account, caller, credential)
            await self._making.store(account, credential, event)
            return Begun(made, credential_id=credential.id)
        challenge = await ask(
            self._parts, account, credential, change("message.send", account, caller, credential)
        )
        if challenge.state is not None:
            credential = replace(credential, state=challenge.state)
        pending = Pending(account, credential, challenge.memo, self._parts.clock.now() + LIFETIME)
        return Begun(made, self._tickets.seal(pending, caller), challenge.prompt or "")

    async def confirm(self, caller: str, ticket: bytes, answer: bytes, shown: Level = Level.NONE) -> str:
        """Store the credential and return its id; raises Refused, Locked, TicketError, Unavailable.

        `shown` is what the one who adds it has proven of themselves; NONE where an administrator adds it.
        """
        pending = self._tickets.open(ticket, caller, self._parts.clock.now())
        if pending.credential.factor not in self._parts.factors:
            raise TicketError("The factor was switched off during the enrolment.")
        event = change("credential.add", pending.account, caller, pending.credential)
        waiting = Confirmation(pending.account, pending.credential, pending.memo, event, shown=shown)
        if await self._making.confirm(waiting, read_code(answer)) is not Decision.ACCEPT:
            raise Refused(WRONG_CODE)
        return pending.credential.id

    async def _address(self, account: Account, facade: FactorFacade, address: str, number: int) -> str:
        """Where codes shall go, as typed or as the directory has it: proven by the code all the same."""
        if facade.plugin.medium is None:
            if address or number:
                raise Invalid(f"{facade.title} sends nothing, so it takes no address.")
            return ""
        if address and number:
            raise Invalid("Give either an address, or the number of one that the directory has.")
        if address:
            return address
        offered = await offered_addresses(self._making, account, facade)
        if 1 <= number <= len(offered):
            return offered[number - 1].text
        found = ", ".join(
            f"--directory-address {place} for {one.masked}" for place, one in enumerate(offered, 1)
        )
        has = f"choose {found}" if found else "the directory has none"
        raise Invalid(f"{facade.title} needs an address to send codes to: {has}, or give one with --address.")

    def _facade(self, factor: str) -> FactorFacade:
        facade = self._parts.factors.get(factor)
        if facade is None or facade.plugin.silent:
            known = (name for name, one in self._parts.factors.items() if not one.plugin.silent)
            raise NotFound(
                f'No factor called "{factor}" can be enrolled here. Known: {", ".join(sorted(known))}.'
            )
        return facade

    async def _refuse_too_many(self, account: Account, facade: FactorFacade, label: str) -> None:
        present = await self._making.present(account)
        if facade.plugin.single:
            return
        if any(one.factor == facade.name and one.label == label for one in present):
            raise Conflict(f'{account.name} has a credential "{label}" already. Give this one another name.')
