"""Addresses that a directory has of a person, offered for codes. They are proven all the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nightlatch.channel import Medium
from nightlatch.errors import Invalid
from nightlatch.login.answers import read_code

if TYPE_CHECKING:
    from nightlatch.enrollment.making import Making
    from nightlatch.model import Account
    from nightlatch.plugins.facade import FactorFacade

MOST_OFFERED = 9
"""One digit: a longer number is an address that was typed."""
MAX_ADDRESS = 254


@dataclass(frozen=True, slots=True)
class OfferedAddress:
    """An address, and how it is shown."""

    text: str = field(repr=False)
    masked: str


async def offered_addresses(
    making: Making, account: Account, facade: FactorFacade
) -> tuple[OfferedAddress, ...]:
    """The directory's addresses that the factor takes, each once, masked as the factor masks them."""
    contact = account.contact
    found: dict[str, OfferedAddress] = {}
    for text in contact.phones if facade.plugin.medium is Medium.PHONE else contact.mails:
        try:
            _, credential = await making.make(account, facade, "", text)
        except Invalid:
            continue  # not one that codes can go to
        found.setdefault(text, OfferedAddress(text, credential.label))
    return tuple(found.values())[:MOST_OFFERED]


def read_address(answer: bytes, offered: tuple[OfferedAddress, ...]) -> str:
    """The address that was chosen by its number, or typed; empty for none. The factor judges what it is."""
    typed = read_code(answer).reveal().strip()
    if not typed:
        return offered[0].text if offered else ""
    if len(typed) == 1 and typed.isascii() and typed.isdigit():
        number = int(typed)
        return offered[number - 1].text if 1 <= number <= len(offered) else ""
    return typed if len(typed) <= MAX_ADDRESS and typed.isprintable() else ""
