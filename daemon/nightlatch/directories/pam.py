"""The accounts of this machine. Names come from NSS, passwords are checked by `nightlatch-pamcheck`.

MUST 1: a name is what passwd(5) spells, letter by letter: `Bob` and `bob` are two people.
MUST 2: only the outcome RIGHT grants; words that tell more than "refused" need a password that was right.
MUST 3: nobody's look-up that fails is nobody, and no groups that could not be read are none: Unavailable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from nightlatch.directories.bounded import BoundedCalls
from nightlatch.directories.local_users import LocalUsers
from nightlatch.directories.nss import NameService
from nightlatch.directories.pam_protocol import Outcome, is_unix_name
from nightlatch.directories.pamcheck_link import PamCheckLink
from nightlatch.directories.passwords import password_bytes
from nightlatch.errors import Conflict, Refused, Restricted, Unavailable
from nightlatch.model import Account, Group, Groups, Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import structlog

    from nightlatch.directories.nss import User
    from nightlatch.directories.settings import PamSettings
    from nightlatch.model import Secret
    from nightlatch.ports import Clock

T = TypeVar("T")

_ROOT = 0
_PAGE = 500
_LONGEST_GROUP = 256

_REFUSALS = {
    Outcome.WRONG: "wrong password",
    Outcome.UNPROVEN: "PAM refuses the account, whatever the password",
    Outcome.MORE_ASKED: "the PAM service nightlatch-primary asked for more than the password",
}
_RESTRICTIONS = {
    Outcome.MUST_CHANGE: (
        "the password must be changed first",
        "Your password must be changed first. Change it, or ask your administrator to, then sign in again.",
    ),
    Outcome.EXPIRED: (
        "the account has expired",
        "Your account has expired. Ask your administrator.",
    ),
    Outcome.CLOSED: (
        "PAM's account rules do not let the account in now",
        "Your account may not sign in here at the moment. Ask your administrator.",
    ),
}
_OUTAGES = {
    Outcome.BUSY: "nightlatch-pamcheck checks too many passwords already",
    Outcome.INVALID: "nightlatch-pamcheck did not understand: is it of another version?",
    Outcome.UNAVAILABLE: "PAM could not check the password; the journal of nightlatch-pamcheck says why",
}


class PamDirectory:
    """The local accounts as a directory. Implements `nightlatch.ports.Directory`."""

    folds_case = False

    def __init__(
        self,
        settings: PamSettings,
        log: structlog.stdlib.BoundLogger,
        clock: Clock,
        helper_uid: int = _ROOT,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._part = f"directory {settings.name}"
        self._link = PamCheckLink(self._part, settings, log.bind(directory=settings.name), helper_uid)
        self._lookups = BoundedCalls(self._part, settings.max_lookups, settings.timeout)
        self._names = NameService()
        self._local = LocalUsers()

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._settings.name

    async def find(self, name: str) -> Account | None:
        """The account with exactly this name, or None; raises Unavailable."""
        if not is_unix_name(name):
            return None
        if self._local.has(name):
            return Account(self.name, name, name)
        user = await self._look_up(lambda: self._names.user(name))
        return self._account(user) if user is not None and user.name == name else None

    async def check_password(self, account: Account, password: Secret) -> None:
        """Ask `nightlatch-pamcheck`; raises Refused for what is the person's, Unavailable for anything else.

        Raises Restricted where PAM's account rules say no to a password that was right.
        """
        self._require_own(account)
        # The bytes have no name here: this frame goes with the error, and is shown with it.
        outcome = await self._link.ask(account.stable_id, password_bytes(password))
        if outcome is Outcome.RIGHT:
            return
        if outcome in _RESTRICTIONS:
            raise Restricted(*_RESTRICTIONS[outcome])
        if outcome in _REFUSALS:
            raise Refused(_REFUSALS[outcome])
        raise Unavailable(self._part, _OUTAGES[outcome])

    resets_passwords = False

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:  # noqa: ARG002, the port's signature
        """Refuse: this process has no right to; raises Conflict with what to do instead."""
        raise Conflict("The password of a local account is changed with the command passwd.")

    async def groups(self, account: Account) -> Groups:
        """The groups of a local account, its primary one included; raises Unavailable.

        A number that has no group is told as its own name: files may carry it, and rules may name it.
        """
        self._require_own(account)
        read_at = self._clock.now()
        return Groups(await self._look_up(lambda: self._groups_of(account.stable_id)), read_at)

    async def group(self, named: str) -> Group | None:
        """The group with exactly this name, or None; raises Unavailable."""
        if not 0 < len(named) <= _LONGEST_GROUP or not named.isprintable():
            return None
        found = await self._look_up(lambda: self._names.group(named))
        return Group(found.name, found.name) if found is not None and found.name == named else None

    async def people(self) -> AsyncIterator[tuple[Person, ...]]:
        """Everybody in passwd(5) who has a login name, 500 at a time; raises Unavailable.

        Somebody whose shell is nologin or false counts as not enabled; passwords are not looked at.
        """
        people = await self._look_up(self._everyone)
        for start in range(0, len(people), _PAGE):
            yield tuple(people[start : start + _PAGE])

    def servers(self) -> tuple[int, int]:
        """The helper, which is never passed over."""
        return 1, 0

    async def health(self) -> str:
        """See whether `nightlatch-pamcheck` listens; raises Unavailable."""
        await self._link.listens()
        return f"nightlatch-pamcheck listens at {self._settings.socket}"

    async def close(self) -> None:
        """Wait for the look-ups that run."""
        await self._lookups.close()

    async def _look_up(self, ask: Callable[[], T]) -> T:
        """Ask NSS in a thread of this directory; raises Unavailable."""
        try:
            return await self._lookups.run(lambda _: ask())
        except OSError as error:
            raise Unavailable(self._part, f"the user database did not answer: {error.strerror}") from None

    def _groups_of(self, name: str) -> tuple[Group, ...]:
        user = self._names.user(name)
        if user is None:
            raise Unavailable(self._part, "the account is gone, and its groups with it")
        return tuple(self._group_numbered(gid) for gid in self._names.groups_of(user))

    def _group_numbered(self, gid: int) -> Group:
        found = self._names.group_numbered(gid)
        name = str(gid) if found is None else found.name
        return Group(name, name)

    def _everyone(self) -> list[Person]:
        users, groups = self._names.users(), self._names.groups()
        if not users or not groups:
            raise Unavailable(self._part, "the user database is empty")
        names: dict[int, str] = {}
        inside: dict[str, list[str]] = {}
        for group in groups:
            names.setdefault(group.gid, group.name)
            for member in group.members:
                inside.setdefault(member, []).append(group.name)
        return [
            self._person(user, (names.get(user.gid, str(user.gid)), *inside.get(user.name, ())))
            for user in {user.name: user for user in reversed(users)}.values()  # the first line counts
            if is_unix_name(user.name)
        ]

    def _person(self, user: User, groups: tuple[str, ...]) -> Person:
        told = tuple(Group(name, name) for name in dict.fromkeys(groups))
        return Person(self._account(user), told, enabled=user.has_shell)

    def _account(self, user: User) -> Account:
        return Account(self.name, user.name, user.name)

    def _require_own(self, account: Account) -> None:
        if account.directory != self.name or not is_unix_name(account.stable_id):
            raise Unavailable(self._part, "was asked about an account that is not in it")
