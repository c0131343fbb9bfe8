"""What one send did, so that its failure can be told: how far it got, and what must not be told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch_smtp.accounts import Account
    from nightlatch_smtp.session import Session
    from nightlatch_smtp.tokens import Secret


@dataclass(slots=True)
class Trace:
    """One send, as far as it is."""

    hidden: list[str] = field(repr=False)
    """What no error may show: the message's values, the address, the secrets that were used."""
    session: Session | None = None

    async def secret(self, account: Account, instead_of: str = "") -> Secret:
        """The account's secret, hidden from now on; raises NotSent."""
        secret = await account.secret(instead_of)
        self.hidden += [secret.text, account.username]
        return secret

    @property
    def where(self) -> str:
        """How far it got, in words."""
        return self.session.phase.value if self.session else "while a token was asked for"
