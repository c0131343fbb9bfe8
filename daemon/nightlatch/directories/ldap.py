"""A directory that speaks LDAP: finds a person with the service account, then binds as the person.

MUST 1: refused is what the server says to a person's bind with `invalidCredentials`. Nothing else is.
MUST 2: what was typed goes into a filter escaped, and never into a DN.
MUST 3: one entry, under the base, with a stable id; two entries are never a choice.
MUST 4: an empty password, or a NUL, does not reach the network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ldap3.core import results
from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories.bounded import BoundedCalls
from nightlatch.directories.dn import lies_under
from nightlatch.directories.failover import Failover
from nightlatch.directories.ldap_errors import NoVerdict, ServerFailed, bad_result
from nightlatch.directories.ldap_link import Query, Route
from nightlatch.directories.ldap_server import LdapServer
from nightlatch.directories.passwords import password_bytes
from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Account

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    import structlog

    from nightlatch.directories.bounded import Call
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.directories.settings import LdapSettings
    from nightlatch.model import Secret

T = TypeVar("T")

_LONGEST_NAME = 256
_LONGEST_ID = 256


class LdapDirectory:
    """One configured LDAP directory. Implements `nightlatch.ports.Directory`."""

    def __init__(
        self,
        settings: LdapSettings,
        password: Secret,
        context: ssl.SSLContext,
        log: structlog.stdlib.BoundLogger,
    ) -> None:
        self._settings = settings
        self._part = f"directory {settings.name}"
        self._log = log.bind(directory=settings.name)
        self._servers = Failover(
            [
                LdapServer(
                    Route(url, context, settings.connect_timeout, settings.operation_timeout),
                    (settings.bind_dn, password),
                    keep=settings.workers,
                )
                for url in settings.urls
            ]
        )
        self._calls = BoundedCalls(self._part, settings.workers, longest_answer(settings))

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._settings.name

    async def find(self, name: str) -> Account | None:
        """The one person with this login name, or None; raises Unavailable, also where two have it."""
        if not _can_be_a_name(name):
            return None
        query = Query(
            self._settings.base,
            f"(&(objectClass={self._settings.user_object_class})"
            f"({self._settings.user_attribute}={escape_filter_chars(name)}))",
            (self._settings.user_attribute, self._settings.id_attribute),
            size_limit=2,
        )
        entries = await self._calls.run(
            lambda call: self._ask(call, lambda server: self._search(server, call, query))
        )
        if not entries:
            return None
        if len(entries) > 1:
            self._log.error(
                "directory.ambiguous", attribute=self._settings.user_attribute, base=self._settings.base
            )
            raise Unavailable(
                self._part, f"two entries have the same {self._settings.user_attribute}; neither gets in"
            )
        return self._account(entries[0], name)

    async def check_password(self, account: Account, password: Secret) -> None:
        """Bind as the person; raises Refused for a wrong password, Unavailable for anything else."""
        password_bytes(password)
        if account.directory != self.name or not lies_under(account.handle, self._settings.base):
            raise Unavailable(self._part, "was asked about an account that is not in it")
        right = await self._calls.run(
            lambda call: self._ask(call, lambda server: server.bind(call, account.handle, password))
        )
        if right is not True:
            raise Refused("wrong password")

    async def health(self) -> str:
        """Search the base with the service account; the answering server's URL."""
        query = Query(self._settings.base, "(objectClass=*)", ("objectClass",), size_limit=1, only_base=True)

        def look(server: LdapServer, call: Call) -> str:
            self._search(server, call, query)
            return f"{server.url} answers"

        return await self._calls.run(lambda call: self._ask(call, lambda server: look(server, call)))

    async def close(self) -> None:
        """Cut what runs, and close the connections."""
        await self._calls.close()
        for server in self._servers.all:
            server.close()

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

    def _search(self, server: LdapServer, call: Call, query: Query) -> tuple[Entry, ...]:
        code, entries = server.search(call, query)
        if code == results.RESULT_SUCCESS or (
            code == results.RESULT_SIZE_LIMIT_EXCEEDED and len(entries) > 1
        ):
            return entries
        if code == results.RESULT_NO_SUCH_OBJECT:
            raise ServerFailed(
                f"has no entry {query.base}, or does not show it to the service account: look at base"
            )
        raise bad_result(code)

    def _account(self, entry: Entry, typed: str) -> Account:
        if not lies_under(entry.dn, self._settings.base):
            self._log.error("directory.outside_base", base=self._settings.base)
            raise Unavailable(self._part, "an entry from outside the base was found; it does not count")
        ids = entry.attributes.get(self._settings.id_attribute.lower(), ())
        stable_id = _text(ids[0]) if len(ids) == 1 else ""
        if not stable_id or len(stable_id) > _LONGEST_ID:
            self._log.error("directory.no_stable_id", attribute=self._settings.id_attribute)
            raise Unavailable(
                self._part,
                f"an entry shows the service account no usable {self._settings.id_attribute} (id_attribute)",
            )
        names = [_text(value) for value in entry.attributes.get(self._settings.user_attribute.lower(), ())]
        names = [name for name in names if name]
        if not names:
            raise Unavailable(
                self._part,
                f"an entry shows the service account no {self._settings.user_attribute} (user_attribute)",
            )
        spelled = next((name for name in names if name.casefold() == typed.casefold()), names[0])
        return Account(self.name, stable_id, spelled, handle=entry.dn)


def longest_answer(settings: LdapSettings) -> float:
    """Seconds after which nobody waits for an answer: failover to a second server and one operation."""
    return min(len(settings.urls), 2) * settings.connect_timeout + settings.operation_timeout


def _can_be_a_name(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable()


def _text(value: bytes) -> str:
    """A value as text; empty where it is none, or holds what no line of a log should."""
    text = value.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else ""
