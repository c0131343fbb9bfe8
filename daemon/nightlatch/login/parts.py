"""What a login is made with, handed over once by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.watching import NoWatcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    import structlog

    from nightlatch.login.accounts import Accounts
    from nightlatch.login.ticket import Tickets
    from nightlatch.notices import Notices
    from nightlatch.plugins.facade import FactorFacade
    from nightlatch.policy.policy import Policy
    from nightlatch.ports import Clock, Randomness, Store
    from nightlatch.sending import Sender
    from nightlatch.watching import Watcher


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the core that a login uses."""

    accounts: Accounts
    factors: Mapping[str, FactorFacade]
    policy: Policy
    store: Store
    tickets: Tickets
    sender: Sender
    notices: Notices
    clock: Clock
    randomness: Randomness
    name_key: bytes
    """Turns names that no directory knows into limiter scopes, so that the store never holds them."""
    log: structlog.stdlib.BoundLogger
    watcher: Watcher = field(default_factory=NoWatcher)
    takes_held: bool = True
    """Whether credentials on hold count (`login/hold.py`): they sign in, and prove nothing for a change."""
