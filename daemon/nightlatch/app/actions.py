"""What callers may do, built once for everybody and once for each narrower set of directories.

MUST 1: a caller with a list of directories finds nobody outside it: those people do not exist for it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nightlatch.administration import Administration
from nightlatch.app.own_account import build_admin_signing_in, build_own_accounts
from nightlatch.desk import Desk
from nightlatch.enrollment import Enrollments, Invites, Removals
from nightlatch.enrollment.takeover import Takeovers
from nightlatch.keys import MasterKey, Sealer
from nightlatch.login.accounts import Accounts
from nightlatch.login.engine import LoginEngine
from nightlatch.login.ticket import Tickets
from nightlatch.onboarding import Dialogue
from nightlatch.verification import Verifications

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nightlatch.account import OwnAccounts
    from nightlatch.desk.roles import RoleGroups
    from nightlatch.desk.signing_in import AdminSigningIn
    from nightlatch.login.parts import Parts
    from nightlatch.login.receipt import Receipts
    from nightlatch.plugins.channel_facade import ChannelFacade
    from nightlatch.ports import Directory


@dataclass(frozen=True, slots=True)
class Actions:
    """Logins, enrolments and administration, among the people that a caller may name."""

    engine: LoginEngine
    enrollments: Enrollments
    removals: Removals
    takeovers: Takeovers
    administration: Administration
    desk: Desk
    admin_signing_in: AdminSigningIn
    verifications: Verifications
    own_account: OwnAccounts


class ScopedActions:
    """Builds the actions for a set of directories when it is first asked for, and keeps them."""

    def __init__(
        self,
        parts: Parts,
        directories: tuple[Directory, ...],
        channels: Mapping[str, ChannelFacade],
        key: MasterKey,
        receipts: Receipts,
        *,
        roles: RoleGroups,
    ) -> None:
        self._parts = parts
        self._directories = directories
        self._channels = channels
        self._key = key
        self._receipts = receipts
        self._roles = roles
        self._built: dict[frozenset[str] | None, Actions] = {}

    def within(self, directories: frozenset[str] | None) -> Actions:
        """The actions among the people of these directories; None for all."""
        found = self._built.get(directories)
        if found is None:
            found = self._built[directories] = self._build(directories)
        return found

    async def close(self) -> None:
        """Wait for what is sent behind answers, for a bounded time."""
        built = self._built.values()
        sending = [part for one in built for part in (one.verifications, one.own_account.resets)]
        await asyncio.gather(*(part.close() for part in sending))

    def _build(self, names: frozenset[str] | None) -> Actions:
        parts = self._parts
        if names is not None:
            parts = replace(parts, accounts=Accounts([one for one in self._directories if one.name in names]))
        enrolling = Sealer(self._key.derive("enrollment ticket"), parts.randomness)
        verifying = Sealer(self._key.derive("verification ticket"), parts.randomness)
        removing = Sealer(self._key.derive("removal ticket"), parts.randomness)
        invites = Invites(parts, self._key.derive("invites"))
        onboarding = Dialogue(parts, invites)
        return Actions(
            LoginEngine(parts, onboarding),
            Enrollments(parts, enrolling),
            Removals(parts, removing),
            Takeovers(parts),
            Administration(parts, self._channels, invites),
            Desk(parts, invites, self._roles),
            build_admin_signing_in(parts, self._key, self._roles),
            Verifications(parts, Tickets(verifying, parts.randomness), self._receipts),
            build_own_accounts(parts, self._key, onboarding),
        )
