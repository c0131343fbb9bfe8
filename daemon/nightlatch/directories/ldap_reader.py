"""Searches whose answer must be whole, over one connection, in pages (RFC 2696).

MUST 1: an answer that ends in anything but success, that refers to other servers, or that has more
        entries than the query allows, is no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.core import results

from nightlatch.directories.ldap_errors import PARTIAL, NoVerdict, ServerFailed, bad_result

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.directories.ldap_link import Entry, Found, LdapLink, Query

PAGE = 500
"""Entries in a page: what slapd gives anybody at once, and half of what Active Directory does."""


class LinkReader:
    """Reads over one connection. Implements `nightlatch.directories.dialect.Reader`."""

    def __init__(self, link: LdapLink, *, references_are_elsewhere: bool) -> None:
        self._link = link
        self._elsewhere = references_are_elsewhere

    def one(self, query: Query) -> Entry | None:
        """The entry at the query's base that fits the filter, or None."""
        found = self._link.search(query)
        if found.code == results.RESULT_NO_SUCH_OBJECT:
            return None
        self._check(found, query)
        return found.entries[0] if found.entries else None

    def all(self, query: Query) -> tuple[Entry, ...]:
        """Every entry that fits."""
        return tuple(entry for page in self.pages(query) for entry in page)

    def pages(self, query: Query) -> Iterator[tuple[Entry, ...]]:
        """Every entry that fits, a page at a time."""
        count, cookie, more = 0, b"", True
        while more:
            page, cookie = self.page(query, cookie)
            count += len(page)
            if count > query.size_limit:
                raise NoVerdict(
                    f"has more than {query.size_limit} entries for one question ({query.setting})"
                )
            more = bool(cookie)
            yield page

    def page(self, query: Query, cookie: bytes) -> tuple[tuple[Entry, ...], bytes]:
        """One page, and where the next goes on: empty after the last."""
        found = self._link.search(query, PAGE, cookie)
        self._check(found, query)
        return found.entries, found.cookie

    def _check(self, found: Found, query: Query) -> None:
        if found.code == results.RESULT_NO_SUCH_OBJECT:
            raise no_base(query)
        if found.code != results.RESULT_SUCCESS:
            raise bad_result(found.code)
        if found.references and not self._elsewhere:
            raise NoVerdict(f"{PARTIAL}; it refers to another server")


def no_base(query: Query) -> ServerFailed:
    """There is nothing where the search begins."""
    return ServerFailed(
        f"has no entry {query.base}, or does not show it to the service account: look at {query.setting}"
    )
