"""How servers that speak LDAP are told another password, and what their refusals mean.

MUST 1: a change by the person goes over a connection that is bound with the old password.
MUST 2: a refusal is told in the words that the server's answer stands for, and in no others: nobody guesses.
MUST 3: no message holds what a server said about a password: it may repeat it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

from ldap3.core import results

from nightlatch.directories import ppolicy
from nightlatch.directories.ldap_errors import NoVerdict

if TYPE_CHECKING:
    from nightlatch.directories.ldap_link import Answer, LdapLink
    from nightlatch.model import Secret

NOT_TAKEN = "The directory does not take this password. Choose another one."
_DOMAIN_POLICY = (
    "The new password does not fit the domain's password rules (length, complexity, history or age). "
    "Choose another one."
)
_POLICY_WORDS = {
    3: "The directory does not let you change your password. Ask your administrator.",
    4: "The directory does not let you change your password this way. Ask your administrator.",
    5: "The directory finds this password too simple. Choose another one.",
    6: "This password is too short for the directory. Choose a longer one.",
    7: "Your password was changed not long ago, and must be kept for a while. Try again later.",
    8: "You have had this password before. Choose another one.",
}
"""By the error of the password policy control (draft-behera-ldap-password-policy-10, 6.2)."""
_RESTRICTED = re.compile(r"\b0000052d\b", re.IGNORECASE)
"""ERROR_PASSWORD_RESTRICTION (MS-ERREF 2.2), in front of Active Directory's message."""


class PasswordDialect(Protocol):
    """How one kind of server changes passwords."""

    def change(self, link: LdapLink, dn: str, old: Secret | None, new: Secret) -> Answer:
        """Ask for the change; `old` is None where the service account sets it. Raises ServerFailed."""

    def objection(self, answer: Answer) -> str:
        """Words for the person, where the answer says that the password is not taken; else empty."""


class ModifiedPasswords:
    """The Password Modify extended operation (RFC 3062), with the password policy control."""

    def change(self, link: LdapLink, dn: str, old: Secret | None, new: Secret) -> Answer:
        """Ask for the change."""
        return link.modify_password(dn, old, new, ((ppolicy.OID, False, None),))

    def objection(self, answer: Answer) -> str:
        """What the policy control says; without it, what the result code does."""
        try:
            told = answer.controls.get(ppolicy.OID)
            error = None if told is None else ppolicy.read_response(told).error
        except NoVerdict:
            error = None
        if error in _POLICY_WORDS:
            return _POLICY_WORDS[error]
        return NOT_TAKEN if answer.code == results.RESULT_CONSTRAINT_VIOLATION else ""


class UnicodePasswords:
    """The attribute unicodePwd (MS-ADTS 3.1.1.3.1.5): the old value out and the new one in, or replaced."""

    def change(self, link: LdapLink, dn: str, old: Secret | None, new: Secret) -> Answer:
        """Ask for the change."""
        return link.modify_unicode_password(dn, old, new)

    def objection(self, answer: Answer) -> str:
        """Windows and Samba say "0000052D" for every rule of the domain, and no more."""
        if answer.success:
            return ""
        if _RESTRICTED.search(answer.message):
            return _DOMAIN_POLICY
        return NOT_TAKEN if answer.code == results.RESULT_CONSTRAINT_VIOLATION else ""
