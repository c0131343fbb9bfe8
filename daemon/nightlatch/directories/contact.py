"""Addresses and language from a person's entry.

They are offers: whoever can write the entry chose them. Who uses one proves it first.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.model import Contact

if TYPE_CHECKING:
    from nightlatch.directories.ldap_link import Entry
    from nightlatch.directories.server_settings import ServerSettings

MOST = 5
"""Values of one kind; more are left out."""
LONGEST = 254
"""Characters of a value (the longest mail address of RFC 5321); longer ones are left out."""

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,4}", re.ASCII)


def contact_attributes(settings: ServerSettings) -> tuple[str, ...]:
    """What is read of an entry for `read_contact`."""
    named = (settings.phone_attribute, settings.mail_attribute, settings.language_attribute)
    return tuple(attribute for attribute in named if attribute)


def read_contact(entry: Entry, settings: ServerSettings) -> Contact:
    """What the configured attributes say; nothing for those that are not configured."""
    languages = _values(entry, settings.language_attribute)
    return Contact(
        phones=_values(entry, settings.phone_attribute),
        mails=_values(entry, settings.mail_attribute),
        language=_first_tag(languages[0]) if languages else "",
    )


def plain_text(value: bytes) -> str:
    """A value as text; empty where it is none, or holds what no line of a log should."""
    text = value.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else ""


def _values(entry: Entry, attribute: str) -> tuple[str, ...]:
    if not attribute:
        return ()
    texts = (plain_text(value).strip() for value in entry.values(attribute) if len(value) <= 4 * LONGEST)
    return tuple(text for text in texts if 0 < len(text) <= LONGEST)[:MOST]


def _first_tag(listed: str) -> str:
    """The first language of a list such as "fr, en-gb;q=0.8" (RFC 2798, 2.7)."""
    tag = re.split("[,;]", listed, maxsplit=1)[0].strip()
    return tag if _LANGUAGE.fullmatch(tag) else ""
