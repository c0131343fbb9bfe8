"""A directory that speaks LDAP: finds a person with the service account, then binds as the person.

MUST 1: a bind is right with the result code success, and where nothing speaks against the person.
        Refused is what the dialect can tell to be the person's; all else is an outage.
MUST 2: what was typed goes into a filter escaped, and never into a DN.
MUST 3: one entry, under the base, with a stable id; two entries are never a choice.
MUST 4: an empty password, or a NUL, does not reach the network.
MUST 5: groups are those of the entry that has the account's stable id now, and all of them.
MUST 6: whatever of a person's names was typed, the account is the same, under a name that is nobody else's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from ldap3.core import results

from nightlatch.directories.bounded import BoundedCalls
from nightlatch.directories.entry_accounts import EntryAccounts
from nightlatch.directories.ldap_errors import NoVerdict, ServerFailed, bad_result
from nightlatch.directories.ldap_link import Query
from nightlatch.directories.ldap_password import PasswordChange
from nightlatch.directories.ldap_people import PeopleReading
from nightlatch.directories.ldap_reader import LinkReader, no_base
from nightlatch.directories.passwords import password_bytes
from nightlatch.dn import lies_under
from nightlatch.errors import Conflict, Refused, Unavailable
from nightlatch.model import Groups

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    import structlog

    from nightlatch.directories.bounded import Call
    from nightlatch.directories.dialect import Dialect, Reader
    from nightlatch.directories.failover import Failover
    from nightlatch.directories.ldap_link import Answer, Entry
    from nightlatch.directories.ldap_server import LdapServer
    from nightlatch.model import Account, Group, Person, Secret
    from nightlatch.ports import Clock

T = TypeVar("T")

LONGEST_READING = 120.0
"""Seconds for reading all groups of a directory, and for each page of its people."""

_LONGEST_NAME = 256
_LONGEST_DN = 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Which directory it is, where its people are, and how much it may do at once."""

    name: str
    base: str
    workers: int
    seconds: float
    """After which nobody waits for one answer."""
    resets_passwords: bool = False
    """Whether the service account may set a forgotten password anew."""


class LdapDirectory:
    """One configured LDAP directory. Implements `nightlatch.ports.Directory`."""

    folds_case = True  # caseIgnoreMatch is the rule of uid, cn, mail, sAMAccountName and userPrincipalName

    def __init__(
        self,
        place: Place,
        servers: Failover[LdapServer],
        dialect: Dialect,
        log: structlog.stdlib.BoundLogger,
        clock: Clock,
    ) -> None:
        self._place = place
        self._servers = servers
        self._dialect = dialect
        self._part = f"directory {place.name}"
        self._log = log.bind(directory=place.name)
        self._clock = clock
        self._accounts = EntryAccounts(place.name, place.base, dialect.persons, self._log)
        self._calls = BoundedCalls(self._part, place.workers, place.seconds)

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._place.name

    async def find(self, name: str) -> Account | None:
        """The one person with this login name, or None; raises Unavailable, also where two have it."""
        if not _can_be_a_name(name):
            return None
        return await self._calls.run(
            lambda call: self._ask(call, lambda server: self._find(server, call, name))
        )

    async def check_password(self, account: Account, password: Secret) -> None:
        """Bind as the person; raises Refused for a wrong password, Unavailable for anything else.

        Raises Restricted where the password is right, and the directory lets the person not in.
        """
        password_bytes(password)
        self._require_ours(account)
        answer, objection = await self._calls.run(
            lambda call: self._ask(call, lambda server: self._bind(server, call, account, password))
        )
        if objection is not None:
            raise objection
        if not answer.success:
            raise Refused("wrong password")
        remark = self._dialect.binds.remark(answer)
        if remark is not None:
            note = self._log.warning if remark.pressing else self._log.debug
            note("directory.password_remark", account=account.id, remark=remark.words)

    @property
    def resets_passwords(self) -> bool:
        """Whether the service account may set a forgotten password anew."""
        return self._place.resets_passwords

    async def change_password(self, account: Account, old: Secret | None, new: Secret) -> None:
        """Change a password as the person, or without `old` as the service account.

        Raises Refused, Restricted, PasswordNotTaken, Conflict, Unavailable.
        """
        self._require_ours(account)
        if old is None and not self.resets_passwords:
            raise Conflict(f"Forgotten passwords are not set anew in {self.name}. Ask your administrator.")
        change = PasswordChange(self._dialect, account.handle, old, new)
        answer = await self._calls.run(lambda call: self._ask(call, lambda server: change.at(server, call)))
        change.judge(answer, self._part)

    async def groups(self, account: Account) -> Groups:
        """All groups of a person, nested ones included; raises Unavailable for anything less."""
        self._require_ours(account)
        read_at = self._clock.now()
        groups = await self._read(lambda reader: self._groups(reader, account))
        return Groups(groups, read_at)

    async def group(self, named: str) -> Group | None:
        """The one group with this DN or short name, or None; raises Unavailable, also where two have it."""
        if not 0 < len(named) <= _LONGEST_DN or not named.isprintable():
            return None
        return await self._read(lambda reader: self._dialect.groups.group(reader, named))

    async def people(self) -> AsyncIterator[tuple[Person, ...]]:
        """Everyone under the base with their groups, a page at a time; raises Unavailable.

        What came before an error is not everyone.
        """
        now = self._clock.now()
        reading = await self._calls.run(
            lambda call: self._ask(call, lambda server: self._begin(server, call, now)), LONGEST_READING
        )
        try:
            while reading.more:
                yield await self._calls.run(
                    lambda call: self._answer(call, reading.next_page), LONGEST_READING
                )
        finally:
            reading.close()

    def servers(self) -> tuple[int, int]:
        """How many servers it has, and how many of them are passed over after failures."""
        return self._servers.state()

    async def health(self) -> str:
        """Search the base with the service account; the answering server's URL."""
        query = Query(self._place.base, "(objectClass=*)", ("objectClass",), size_limit=1, only_base=True)

        def look(server: LdapServer, call: Call) -> str:
            self._search(server, call, query)
            return f"{server.url} answers"

        return await self._calls.run(lambda call: self._ask(call, lambda server: look(server, call)))

    async def close(self) -> None:
        """Cut what runs, and close the connections."""
        await self._calls.close()
        for server in self._servers.all:
            server.close()

    async def _read(self, reading: Callable[[Reader], T]) -> T:
        """What `reading` makes of searches at one server; at the next from the beginning."""
        elsewhere = self._dialect.references_are_elsewhere

        def at(server: LdapServer, call: Call) -> T:
            return server.with_search_link(
                call, lambda link: reading(LinkReader(link, references_are_elsewhere=elsewhere))
            )

        return await self._calls.run(lambda call: self._ask(call, lambda server: at(server, call)))

    def _ask(self, call: Call, question: Callable[[LdapServer], T]) -> T:
        """Put `question` to one server after the other until one answers. Runs in a worker's thread."""
        for server in self._servers.order():
            try:
                answer = question(server)
            except ServerFailed as error:
                if call.over:
                    break
                call.failures.append(f"{server.url} {error.reason}")
                if self._servers.failed(server):
                    self._log.warning("directory.server_failed", server=server.url, reason=error.reason)
                continue
            except NoVerdict as error:
                raise Unavailable(self._part, f"{server.url} {error.reason}") from None
            if self._servers.worked(server):
                self._log.info("directory.server_works_again", server=server.url)
            return answer
        raise Unavailable(self._part, "; ".join(call.failures) or "gave up, nobody waits any more")

    def _answer(self, call: Call, question: Callable[[Call], T]) -> T:
        """The answer of the one server that a reading began at."""
        try:
            return question(call)
        except (ServerFailed, NoVerdict) as error:
            raise Unavailable(self._part, f"while everyone was read: {error.reason}") from None

    def _find(self, server: LdapServer, call: Call, name: str) -> Account | None:
        """Who has this name; who was found by another one must be found by the own name as well (MUST 6)."""
        account = self._named(server, call, name)
        if account is None or account.is_called(name):
            return account
        if account.other_names and self._named(server, call, account.name) != account:
            raise NoVerdict(f"does not find {account.handle} by {account.name}, its own name")
        return account

    def _named(self, server: LdapServer, call: Call, name: str) -> Account | None:
        persons = self._dialect.persons
        query = Query(self._place.base, persons.filter(name), persons.attributes, size_limit=2)
        entries = self._search(server, call, query)
        if len(entries) > 1:
            words = persons.words[1]
            self._log.error("directory.ambiguous", attribute=words, base=self._place.base)
            raise Unavailable(self._part, f"two entries have the same {words}; neither gets in")
        return self._accounts.of(entries[0]) if entries else None

    def _search(self, server: LdapServer, call: Call, query: Query) -> tuple[Entry, ...]:
        found = server.search(call, query)
        if found.code == results.RESULT_SUCCESS or (
            found.code == results.RESULT_SIZE_LIMIT_EXCEEDED and len(found.entries) > 1
        ):
            return found.entries
        if found.code == results.RESULT_NO_SUCH_OBJECT:
            raise no_base(query)
        raise bad_result(found.code)

    def _bind(
        self, server: LdapServer, call: Call, account: Account, password: Secret
    ) -> tuple[Answer, Refused | None]:
        """The answer to a bind that speaks of the person, and what the dialect reads in it."""
        binds = self._dialect.binds
        answer = server.bind(call, account.handle, password, binds.controls)
        failure = None
        if not answer.success and answer.code != results.RESULT_INVALID_CREDENTIALS:
            failure = bad_result(answer.code)
        if isinstance(failure, ServerFailed):
            raise failure
        objection = binds.objection(answer)
        if failure is not None and objection is None:
            raise failure
        return answer, objection

    def _groups(self, reader: Reader, account: Account) -> tuple[Group, ...]:
        persons, groups = self._dialect.persons, self._dialect.groups
        attributes = (*persons.attributes, *groups.attributes)
        person = reader.one(
            Query(account.handle, "(objectClass=*)", attributes, size_limit=1, only_base=True)
        )
        if person is None or persons.stable_id(person) != account.stable_id:
            raise NoVerdict("has another entry, or none, where the person's was: it was moved or removed")
        return groups.groups(reader, person)

    def _begin(self, server: LdapServer, call: Call, now: float) -> PeopleReading:
        return PeopleReading(server, call, (self._place.base, self._dialect, self._accounts.of), now)

    def _require_ours(self, account: Account) -> None:
        if account.directory != self.name or not lies_under(account.handle, self._place.base):
            raise Unavailable(self._part, "was asked about an account that is not in it")


def _can_be_a_name(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable()
