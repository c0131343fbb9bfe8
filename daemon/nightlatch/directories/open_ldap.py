"""How OpenLDAP, and what behaves like it, is asked: settings of kind "ldap".

MUST 1: the password policy control may keep a person out, and lets nobody in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ldap3.utils.conv import escape_filter_chars

from nightlatch.directories import ppolicy
from nightlatch.directories.contact import contact_attributes, plain_text, read_contact
from nightlatch.directories.dialect import Dialect, Remark
from nightlatch.directories.ldap_errors import NoVerdict
from nightlatch.directories.ldap_groups import group_dialect
from nightlatch.directories.login_names import login_names
from nightlatch.directories.password_change import ModifiedPasswords
from nightlatch.errors import Refused, Restricted

if TYPE_CHECKING:
    from nightlatch.directories.ldap_link import Answer, Control, Entry
    from nightlatch.directories.settings import LdapSettings
    from nightlatch.model import Contact

LOCKED_FOR_GOOD = b"000001010000Z"
"""pwdAccountLockedTime where only an administrator helps (draft-behera-ldap-password-policy-10, 5.3.3)."""

_REASONS: dict[int | None, str] = {
    ppolicy.LOCKED: "locked by the directory",
    ppolicy.EXPIRED: "password expired",
}
_RESTRICTIONS = {
    ppolicy.CHANGE_AFTER_RESET: (
        "password must be changed first",
        "Your password must be changed. Change it, then sign in again.",
    )
}
_NOT_NOW = (
    "not let in by the password policy",
    "Your account can not sign in now. Ask your administrator.",
)


def open_ldap(settings: LdapSettings) -> Dialect:
    """The dialect of a directory of kind "ldap"."""
    return Dialect(OpenLdapPersons(settings), group_dialect(settings), PolicyBinds(), ModifiedPasswords())


class OpenLdapPersons:
    """People by the configured attributes. Implements `nightlatch.directories.dialect.PersonDialect`."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings

    @property
    def attributes(self) -> tuple[str, ...]:
        """What is read of a person."""
        settings = self._settings
        named = (settings.user_attribute, settings.id_attribute, "pwdAccountLockedTime")
        return tuple(dict.fromkeys((*named, *contact_attributes(settings))))

    @property
    def words(self) -> tuple[str, str]:
        """The attributes of id and name, with their settings."""
        return (
            f"{self._settings.id_attribute} (id_attribute)",
            f"{self._settings.user_attribute} (user_attribute)",
        )

    def filter(self, name: str) -> str:
        """The person with this login name."""
        return self._of_class(escape_filter_chars(name))

    def everyone(self) -> str:
        """All who have a login name."""
        return self._of_class("*")

    def stable_id(self, entry: Entry) -> str:
        """The one value of the id attribute, as text."""
        ids = entry.values(self._settings.id_attribute)
        return plain_text(ids[0]) if len(ids) == 1 else ""

    def names(self, entry: Entry) -> tuple[str, ...]:
        """The values of the login attribute, the own name first; raises NoVerdict."""
        return login_names(entry, self._settings.user_attribute)

    def contact(self, entry: Entry) -> Contact:
        """What the configured attributes say."""
        return read_contact(entry, self._settings)

    def enabled(self, entry: Entry, now: float) -> bool:  # noqa: ARG002 - a lock for good has no time
        """Whether no administrator has locked the entry; a lock after wrong passwords ends by itself."""
        return LOCKED_FOR_GOOD not in entry.values("pwdAccountLockedTime")

    def _of_class(self, value: str) -> str:
        settings = self._settings
        return f"(&(objectClass={settings.user_object_class})({settings.user_attribute}={value}))"


class PolicyBinds:
    """Binds with the password policy control. Implements `nightlatch.directories.dialect.BindDialect`."""

    @property
    def controls(self) -> tuple[Control, ...]:
        """Asks for the policy's words; a server without a policy leaves it out."""
        return ((ppolicy.OID, False, None),)

    def objection(self, answer: Answer) -> Refused | None:
        """What the policy has against the person; after success raises NoVerdict for what can not be read."""
        if answer.success:
            error = _response(answer).error
            return None if error is None else Restricted(*_RESTRICTIONS.get(error, _NOT_NOW))
        try:  # whatever the code: to a locked account 389 Directory Server says constraintViolation
            reason = _REASONS.get(_response(answer).error)
        except NoVerdict:  # the result code has said it already
            return None
        return None if reason is None else Refused(reason)

    def remark(self, answer: Answer) -> Remark | None:
        """Grace logins, and the time until the password expires."""
        response = _response(answer)
        if response.grace_left is not None:
            return Remark(f"the password has expired; logins left: {response.grace_left}", pressing=True)
        if response.seconds_left is not None:
            return Remark(f"the password expires in {response.seconds_left} s", pressing=False)
        return None


def _response(answer: Answer) -> ppolicy.PolicyResponse:
    value = answer.controls.get(ppolicy.OID)
    return ppolicy.PolicyResponse() if value is None else ppolicy.read_response(value)
