"""All that there is for the people of some directories."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nightlatch.account.own_things import OwnThings
    from nightlatch.account.passwords import Passwords
    from nightlatch.account.reset import Resets
    from nightlatch.account.session import Sessions
    from nightlatch.account.signing_in import SigningIn


@dataclass(frozen=True, slots=True)
class OwnAccounts:
    """Sessions, and what they are good for."""

    sessions: Sessions
    signing_in: SigningIn
    things: OwnThings
    passwords: Passwords
    resets: Resets
