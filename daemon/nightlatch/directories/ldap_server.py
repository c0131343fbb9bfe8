"""One LDAP server, with the connections that are kept to it.

A connection that was bound before is bound again in 0.2 ms, a new one takes TLS. Connections for
searches stay bound as the service account; people's passwords are tried on others, so that a
search never runs as somebody else.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, TypeVar

from ldap3.core import results

from nightlatch.directories.ldap_errors import LinkLost, NoVerdict, ServerFailed, bad_result
from nightlatch.directories.ldap_link import LdapLink
from nightlatch.errors import NightlatchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.directories.bounded import Call
    from nightlatch.directories.ldap_link import Answer, Control, Found, Query, Route
    from nightlatch.model import Secret

T = TypeVar("T")

LONGEST_IDLE = 60.0
"""Seconds after which an unused connection is not trusted any more: firewalls forget them silently."""
LONGEST_LIFE = 600.0
"""Seconds after which a connection is made anew, so that a changed certificate or address is noticed."""


class IdleLinks:
    """Connections that nobody uses now, the latest first. Safe to use from many threads."""

    def __init__(self, keep: int, steady: Callable[[], float] = time.monotonic) -> None:
        self._keep = keep
        self._steady = steady
        self._lock = threading.Lock()
        self._links: list[tuple[LdapLink, float, float]] = []

    def take(self) -> tuple[LdapLink, float] | None:
        """A connection and when it was made, or None."""
        now = self._steady()
        while True:
            with self._lock:
                if not self._links:
                    return None
                link, made, left = self._links.pop()
            if now - left < LONGEST_IDLE and now - made < LONGEST_LIFE:
                return link, made
            link.close()

    def give(self, link: LdapLink, made: float) -> None:
        """Keep `link`, or close it when there are enough."""
        with self._lock:
            if len(self._links) < self._keep:
                self._links.append((link, made, self._steady()))
                return
        link.close()

    def close(self) -> None:
        """Close all, and keep none from now on."""
        with self._lock:
            self._keep = 0
            links, self._links = self._links, []
        for link, _, _ in links:
            link.close()


class LdapServer:
    """Searches and binds at one server. All raise ServerFailed when it can not answer."""

    def __init__(
        self,
        route: Route,
        account: tuple[str, Secret],
        keep: int,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.url = route.url
        self._route = route
        self._account = account
        self._steady = steady
        self._searching = IdleLinks(keep, steady)
        self._binding = IdleLinks(keep, steady)

    def __repr__(self) -> str:
        """Name the server, and nothing of the account."""
        return f"LdapServer({self.url})"

    def search(self, call: Call, query: Query) -> Found:
        """Search as the service account."""
        return self.with_search_link(call, lambda link: link.search(query))

    def with_search_link(self, call: Call, use: Callable[[LdapLink], T]) -> T:
        """What `use` makes of one connection of the service account; it may be called a second time."""
        return self._with_link(call, self._searching, self.open_for_search, use)

    def bind(self, call: Call, dn: str, password: Secret, controls: tuple[Control, ...] = ()) -> Answer:
        """What the server says to this DN and password."""
        return self._with_link(
            call, self._binding, self._open, lambda link: link.bind(dn, password, controls)
        )

    def change(
        self,
        call: Call,
        bind: tuple[str, Secret, tuple[Control, ...]] | None,
        change: Callable[[LdapLink], Answer],
    ) -> tuple[Answer, Answer | None]:
        """What the server says to a bind, and behind a good one to a change: once, on a new connection.

        Without `bind` it is the service account that asks.
        """
        link = LdapLink(self._route, call, writes=True)
        try:
            with call.watching(link.socket):
                bound = link.bind(*(bind or self._account))
                if not bound.success:
                    return bound, None
                try:
                    return bound, change(link)
                except ServerFailed as error:  # asked again, it could refuse what it has taken already
                    raise NoVerdict(f"{error.reason}; the change may have been made, or not") from None
        finally:
            link.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._searching.close()
        self._binding.close()

    def _with_link(
        self, call: Call, idle: IdleLinks, make: Callable[[Call], LdapLink], use: Callable[[LdapLink], T]
    ) -> T:
        kept = idle.take()
        if kept is not None:
            try:
                return _use(call, idle, kept, use)
            except LinkLost:
                if call.over:
                    raise
        # A kept connection may be older than the server's start. Once more on a new one: that counts.
        return _use(call, idle, (make(call), self._steady()), use)

    def _open(self, call: Call) -> LdapLink:
        return LdapLink(self._route, call)

    def open_for_search(self, call: Call) -> LdapLink:
        """A new connection, bound as the service account, for who closes it."""
        link = self._open(call)
        try:
            with call.watching(link.socket):
                answer = link.bind(*self._account)
        except NightlatchError:
            link.close()
            raise
        if answer.success:
            return link
        link.close()
        if answer.code == results.RESULT_INVALID_CREDENTIALS:
            raise ServerFailed("refused the service account: look at bind_dn and bind_password_file")
        raise bad_result(answer.code)


def _use(call: Call, idle: IdleLinks, taken: tuple[LdapLink, float], use: Callable[[LdapLink], T]) -> T:
    link, made = taken
    answered = False
    try:
        with call.watching(link.socket):
            result = use(link)
        answered = True
        return result
    finally:
        if answered:
            idle.give(link, made)
        else:
            link.close()
