"""What a password may look like before anything is asked.

MUST 1: an empty password is refused here: to LDAP it is an anonymous bind, which succeeds (RFC 4513, 5.1.2).
MUST 2: what a backend would cut short (NUL, overlong text) is refused, never passed on shortened.
MUST 3: at least 64 characters of any kind pass (NIST SP 800-63B, 3.1.1.2): 1024 bytes hold 256 of the widest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.errors import Refused

if TYPE_CHECKING:
    from nightlatch.model import Secret

MAX_BYTES = 1024


def password_bytes(password: Secret) -> bytes:
    """The password in UTF-8, as every directory gets it; raises Refused for what can be no password."""
    problem = _problem(password.reveal())  # the text stays out of this frame, whose error may be shown
    if problem:
        raise Refused(problem)
    return password.reveal().encode()


def _problem(text: str) -> str:
    if not text:
        return "empty password"
    if "\x00" in text:
        return "a NUL in the password"
    if len(text) > MAX_BYTES:
        return "overlong password"
    try:
        return "overlong password" if len(text.encode()) > MAX_BYTES else ""
    except UnicodeEncodeError:
        return "a password that is no text"
