"""An account as it travels in a ticket: with its language, and with no more than a few addresses."""

from __future__ import annotations

from typing import Any

from nightlatch.model import Account, Contact

MOST_ADDRESSES = 5
"""Of each kind; a ticket has room for so much, whatever a directory holds."""
LONGEST_ADDRESS = 254
LONGEST_LANGUAGE = 64


def account_fields(account: Account) -> list[object]:
    """An account as plain values, for JSON."""
    contact = account.contact
    # Only where there are any: a daemon of an older version then opens the ticket, too.
    others = [list(account.other_names)] if account.other_names else []
    return [
        account.directory,
        account.stable_id,
        account.name,
        account.handle,
        _few(contact.phones),
        _few(contact.mails),
        contact.language[:LONGEST_LANGUAGE],
        *others,
    ]


def account_in(fields: list[Any]) -> Account:
    """The account of `account_fields`."""
    directory, stable_id, name, handle, phones, mails, language, *others = fields
    contact = Contact(tuple(phones), tuple(mails), language)
    return Account(directory, stable_id, name, handle, contact, tuple(others[0]) if others else ())


def _few(addresses: tuple[str, ...]) -> list[str]:
    """Those that a channel could take: all are ASCII, which is as long sealed as it looks."""
    return [one for one in addresses if one.isascii() and len(one) <= LONGEST_ADDRESS][:MOST_ADDRESSES]
