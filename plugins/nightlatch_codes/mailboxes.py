"""Email addresses that a code may be sent to.

MUST 1: what leaves `read` is one ASCII mailbox of at most 254 characters (RFC 5321, 4.5.3.1.3): no name,
        no list, no blank, no control character, so that it can stand in a header and in RCPT TO (OOB-05).
MUST 2: no characters by which old relays route onwards or start programs (% ! | ` and a dash in front),
        although RFC 5322 allows them, and no quoted or numeric forms.
"""

from __future__ import annotations

import re

_MAILBOX = re.compile(
    r"(?!-)(?=[^@]{1,64}@)"
    r"[A-Za-z0-9#$&'*+/=?^_{}~-]+(?:\.[A-Za-z0-9#$&'*+/=?^_{}~-]+)*"
    r"@"
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"[A-Za-z](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
_LONGEST = 254
_LONGEST_DOMAIN_SHOWN = 50


def read(typed: str) -> str:
    """The mailbox, its domain in lower case; raises ValueError with words for the person."""
    text = typed.strip(" ")
    if not text:
        raise ValueError("Give the email address that codes shall go to.")
    if len(text) > _LONGEST or _MAILBOX.fullmatch(text) is None:
        raise ValueError("That is no email address that codes can be sent to. Write it as name@example.com.")
    local, _, domain = text.partition("@")
    return f"{local}@{domain.lower()}"


def masked(mailbox: str) -> str:
    """What a person needs to know which mailbox it is: "a•••@example.com"; of a long domain, the end."""
    local, _, domain = mailbox.partition("@")
    if len(domain) > _LONGEST_DOMAIN_SHOWN:
        domain = "…" + domain[-_LONGEST_DOMAIN_SHOWN:]
    return f"{local[:1]}•••@{domain}"
