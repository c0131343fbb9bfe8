"""One change of a password at a server that speaks LDAP.

MUST 1: what is no password does not reach the network.
MUST 2: a change by the person goes behind a bind with the old password; what that bind says is never guessed.
MUST 3: a refusal of the new password and one of the old are never mixed, nor either with an outage.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.core import results

from nightlatch.directories.ldap_errors import bad_result
from nightlatch.directories.passwords import password_bytes
from nightlatch.errors import PasswordNotTaken, Refused, Unavailable

if TYPE_CHECKING:
    from nightlatch.directories.bounded import Call
    from nightlatch.directories.dialect import Dialect
    from nightlatch.directories.ldap_link import Answer
    from nightlatch.directories.ldap_server import LdapServer
    from nightlatch.model import Secret


class PasswordChange:
    """Another password for one DN: as the person, or without `old` as the service account."""

    def __init__(self, dialect: Dialect, dn: str, old: Secret | None, new: Secret) -> None:
        """Look at both passwords; raises Refused for the old one, PasswordNotTaken for the new one."""
        try:
            password_bytes(new)
        except Refused as error:
            raise PasswordNotTaken(f"This can be no password: {error.reason}.") from None
        if old is not None:
            password_bytes(old)
        self._dialect, self._dn, self._old, self._new = dialect, dn, old, new

    def at(self, server: LdapServer, call: Call) -> Answer:
        """The answer to the change; raises Refused, Restricted, ServerFailed, NoVerdict."""
        binds, passwords = self._dialect.binds, self._dialect.passwords
        person = None if self._old is None else (self._dn, self._old, binds.controls)
        bound, changed = server.change(
            call, person, lambda link: passwords.change(link, self._dn, self._old, self._new)
        )
        if changed is not None:
            return changed
        if person is None or bound.code != results.RESULT_INVALID_CREDENTIALS:
            raise bad_result(bound.code)
        raise binds.objection(bound) or Refused("wrong password")

    def judge(self, answer: Answer, part: str) -> None:
        """Return when the password was changed; raises PasswordNotTaken, Unavailable of `part`."""
        words = self._dialect.passwords.objection(answer)
        if words:
            raise PasswordNotTaken(words)
        if not answer.success:
            reason = bad_result(answer.code).reason
            raise Unavailable(part, f"the password was not changed: the server {reason}")
