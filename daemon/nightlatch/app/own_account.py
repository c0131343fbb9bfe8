"""What people may do with their own account, built from the parts of one configuration.

MUST 1: every kind of ticket has a key of its own, so that none is good for anything else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.account import (
    OwnAccounts,
    OwnThings,
    Passwords,
    Proving,
    ResetCodes,
    Resets,
    Sessions,
    SigningIn,
)
from nightlatch.channel import Medium
from nightlatch.desk.signing_in import AdminSigningIn
from nightlatch.enrollment import Enrollments
from nightlatch.keys import MasterKey, Sealer
from nightlatch.login.hold import is_full

if TYPE_CHECKING:
    from nightlatch.desk.roles import RoleGroups
    from nightlatch.login.onboarding import Onboarding
    from nightlatch.login.parts import Parts


def build_admin_signing_in(parts: Parts, key: MasterKey, roles: RoleGroups) -> AdminSigningIn:
    """The same for administrators: sessions of their own, by keys of their own."""

    def sealer(purpose: str) -> Sealer:
        return Sealer(key.derive(purpose), parts.randomness)

    sessions = Sessions(parts, sealer("admin session"))
    return AdminSigningIn(parts, sealer("admin sign-in ticket"), sessions, roles)


def build_own_accounts(parts: Parts, key: MasterKey, onboarding: Onboarding) -> OwnAccounts:
    """Build them."""

    def sealer(purpose: str) -> Sealer:
        return Sealer(key.derive(purpose), parts.randomness)

    sessions = Sessions(parts, sealer("account session"))
    full = frozenset(name for name, one in parts.factors.items() if is_full(one.plugin))
    proving = Proving(parts, sealer("account proof ticket"), full)
    not_mailed = frozenset(
        name
        for name, one in parts.factors.items()
        if not (one.plugin.silent or one.plugin.last_resort or one.plugin.medium is Medium.MAILBOX)
    )
    passwords = Passwords(parts, sessions)
    return OwnAccounts(
        sessions,
        SigningIn(parts, sealer("account sign-in ticket"), onboarding, sessions, proving),
        OwnThings(parts, sessions, Enrollments(parts, sealer("account enrollment ticket"))),
        passwords,
        Resets(
            parts,
            sealer("account reset ticket"),
            ResetCodes(parts, key.derive("account reset codes")),
            Proving(parts, sealer("account reset proof ticket"), not_mailed),
            passwords,
        ),
    )
