"""What the core needs from outside, declared by the one who needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nightlatch.model import (
        Account,
        AuditEvent,
        AuditQuery,
        AuditRow,
        AuditWriter,
        Changes,
        Credential,
        DecisionRequest,
        Group,
        Groups,
        Person,
        Secret,
        Snapshot,
        Standing,
    )

T = TypeVar("T")


class Clock(Protocol):
    """The time. Unix seconds, and a steady count of seconds for measuring how long something took."""

    def now(self) -> float:
        """The wall clock."""

    def steady(self) -> float:
        """A clock that never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Let that much time go by."""


class Randomness(Protocol):
    """Cryptographic randomness."""

    def bytes(self, count: int) -> bytes:
        """`count` random bytes."""


class Directory(Protocol):
    """Finds accounts, checks passwords, tells groups. All raise `Unavailable` when it can not answer."""

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""

    @property
    def folds_case(self) -> bool:
        """Whether "Alice" and "alice" are one person here."""

    async def find(self, name: str) -> Account | None:
        """The one account that the directory knows by this name, or None."""

    async def check_password(self, account: Account, password: Secret) -> None:
        """Return when the password is right; raise `Refused` when it is not.

        Raises `Restricted` when it is right, but the account is disabled, expired, or must change it first.
        """

    @property
    def resets_passwords(self) -> bool:
        """Whether a forgotten password may be set anew here."""

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        """Give the account another password; without `old` it is set anew, where that is allowed.

        Raises Refused for a wrong old password, `PasswordNotTaken` with words for one that may not be the new
        one, Conflict where passwords are not changed here, Unavailable.
        """

    async def groups(self, account: Account) -> Groups:
        """All groups of a person, nested ones included; raises Unavailable when any part is not known."""

    async def group(self, named: str) -> Group | None:
        """The one group with this DN or short name, or None; raises Unavailable."""

    def people(self) -> AsyncIterator[tuple[Person, ...]]:
        """Everyone in the directory with their groups, a page at a time; raises Unavailable."""

    def servers(self) -> tuple[int, int]:
        """How many servers it has, and how many of them are passed over after failures. Asks none."""

    async def health(self) -> str:
        """A line about the directory when it works; raises `Unavailable` when it does not."""

    async def close(self) -> None:
        """Let go of connections and threads."""


class WorkFirst(Exception):
    """Raised by the body of a decision that needs something slow: `work` is to be done outside of it.

    The work keeps what it found where the body looks for it, and returns what forgets it again.
    """

    def __init__(self, work: Callable[[], Awaitable[Callable[[], None]]]) -> None:
        super().__init__("something has to be worked out before the decision")
        self.work = work


class Store(Protocol):
    """Keeps credentials, limits, spent keys and the audit. All raise `Unavailable` when they can not."""

    async def decide(self, request: DecisionRequest, body: Callable[[Snapshot], tuple[Changes, T]]) -> T:
        """Lock what `request` names, call `body` once with it, write its changes, commit, return its result.

        `body` is pure, quick, and runs outside the caller's thread. What it raises comes out here,
        and then nothing is written; but after `WorkFirst` its work is done, one at a time for an account,
        and `body` is called anew. A return means that the commit is durable.
        """

    async def credentials(self, account_id: str) -> tuple[Credential, ...]:
        """An account's credentials, oldest first, outside any decision."""

    async def standing(self, account_id: str) -> Standing:
        """An account's standing, outside any decision."""

    async def mark(self, name: str) -> str:
        """The text of the installation that is kept under a name, outside any decision; empty for none."""

    async def audit_rows(self, account_id: str | None, limit: int) -> tuple[tuple[float, AuditEvent], ...]:
        """The newest audit rows, newest first, with their time; of one account, or of all for None."""

    async def enrolled(self) -> dict[str, tuple[str, ...]]:
        """The factors of every account's credentials that have not expired, by account id."""

    async def standings(self) -> dict[str, Standing]:
        """Every standing that is kept, by account id."""

    async def record(self, event: AuditEvent) -> None:
        """Write one audit row that belongs to no decision."""

    async def health(self) -> str:
        """A line about the store when it works."""

    async def close(self) -> None:
        """Finish what is queued, then let go of the database."""


class AuditLog(Protocol):
    """Reads the audit. All raise `Unavailable`."""

    async def damage(self) -> tuple[str, ...]:
        """What the audit's tables lack, each thing in words; empty where they are as nightlatch made them."""

    async def page(self, query: AuditQuery, beyond: int | None, most: int) -> tuple[AuditRow, ...]:
        """At most `most` rows behind the one with the id `beyond`, in the query's order; None for all."""

    async def accounts_named(self, name: str) -> tuple[str, ...]:
        """The ids of accounts that went by this name, as far as the store has met them."""

    async def writers(self) -> tuple[AuditWriter, ...]:
        """Every writer that has rows or heads."""

    async def chain(
        self, writer: str, sequence: int, most: int, take: Callable[[list[AuditRow]], None]
    ) -> int | None:
        """Give `take` rows of a writer from this number on; the number to go on with, None at the end."""

    async def misplaced(self, beyond: int | None, most: int) -> tuple[tuple[AuditRow, ...], int | None]:
        """The rows of no chain, among the `most` behind the one with this id; and the id to go on with."""

    async def unchained(self) -> tuple[int, bool]:
        """How many rows have no chain, and whether one of them was written after the first that has one."""
