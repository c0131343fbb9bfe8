"""What is taken as an email address.

MUST 1: nothing that could end a header or a command, or name a second recipient (OOB-05).
"""

from __future__ import annotations

import re

LONGEST = 254
"""RFC 5321, 4.5.3.1.3, without the angle brackets."""
LONGEST_LOCAL = 64
"""RFC 5321, 4.5.3.1.1."""
_MAILBOX = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


def is_mailbox(address: str) -> bool:
    """Whether `address` is one ASCII mailbox: a dot-atom, an @, a host name (RFC 5321, without quoting)."""
    local = address.partition("@")[0]
    return len(address) <= LONGEST and len(local) <= LONGEST_LOCAL and bool(_MAILBOX.fullmatch(address))


def mailbox(address: str) -> str:
    """The address as it is; raises ValueError, in words for a setting."""
    if not is_mailbox(address):
        raise ValueError("must be one plain address in ASCII, such as nightlatch@example.com.")
    return address
