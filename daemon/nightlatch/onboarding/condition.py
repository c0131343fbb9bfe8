"""What must still hold when the store writes: the facts that the dialogue was begun on.

MUST 1: who is blocked or locked by now sets nothing up and gets in by no grace (SES-04, THR-06).
MUST 2: of two dialogues of one person the first to confirm wins; the other one finds a factor, and ends.
MUST 3: what was shown before (another factor, a last resort) counts while its credential is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch import limits
from nightlatch.errors import Locked, Refused, Restricted
from nightlatch.onboarding import words

if TYPE_CHECKING:
    from nightlatch.login.parts import Parts
    from nightlatch.login.ticket import LoginState
    from nightlatch.model import Credential, Snapshot
    from nightlatch.policy.model import Requirement


@dataclass(frozen=True, slots=True)
class StillSo:
    """Called by the store with what it has locked and read; raises Locked, Refused."""

    parts: Parts
    state: LoginState
    requirement: Requirement
    scope: str
    """The limiter scope of the account's second factors."""
    granted: bool = False
    """Whether the login is granted already, by a last resort."""

    def __call__(self, snapshot: Snapshot) -> None:
        """Raise where it is so no more."""
        charged = limits.charge_factor(snapshot.limits[self.scope], snapshot.now)
        if isinstance(charged, limits.Blocked):
            raise Locked(charged.reason, charged.retry_after)
        if snapshot.standing.disabled_at is not None:
            raise Refused("the account is disabled by an administrator")
        shown = self.granted or self.state.proving
        held = [one for one in snapshot.credentials if not self._silent(one)]
        if shown and not any(one.id == self.state.credential_id for one in held):
            raise Refused("the credential was removed during the login")
        counting = [one for one in held if one.factor in self.requirement.factors]
        if not self.granted and (counting or (held and not shown)):
            raise Restricted("a credential was set up meanwhile", words.MEANWHILE)

    def _silent(self, credential: Credential) -> bool:
        facade = self.parts.factors.get(credential.factor)
        return facade is not None and facade.plugin.silent
