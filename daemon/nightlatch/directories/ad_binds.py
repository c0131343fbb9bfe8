"""What Active Directory says about a person whose bind it refuses.

MUST 1: the password is called right only for codes that Windows and Samba give after it was right.
MUST 2: a code that is not known here is a refusal like any other: nobody is told more.
MUST 3: nothing here makes a failure a success.

A refused bind has the result `invalidCredentials` for all of these; which it is stands in the diagnostic
message: "80090308: LdapErr: …, comment: AcceptSecurityContext error, data 52e, v1db1". The number behind
"data" is a Windows error in hexadecimal (MS-ERREF 2.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nightlatch.errors import Refused, Restricted

if TYPE_CHECKING:
    from nightlatch.directories.ldap_link import Answer

_CODE = re.compile(r"AcceptSecurityContext error, data ([0-9a-f]{1,8}),", re.ASCII | re.IGNORECASE)
_ASK = "Ask your administrator."

_REFUSED = {
    0x525: "no such user in the directory",
    0x775: "the account is locked in the directory after too many wrong passwords",
}
_RESTRICTED = {
    0x530: (
        "the directory does not let the account sign in at this time of day",
        f"Your account may not sign in at this time of day. {_ASK}",
    ),
    0x531: (
        "the directory lets the account sign in at other computers only",
        f"Your account may not sign in from this computer. {_ASK}",
    ),
    0x532: (
        "the password has expired in the directory",
        "Your password has expired. Change it, then sign in again.",
    ),
    0x533: ("the account is disabled in the directory", f"Your account is disabled. {_ASK}"),
    0x701: ("the account has expired in the directory", f"Your account has expired. {_ASK}"),
    0x773: (
        "the directory wants the password changed first",
        "You must change your password first. Change it, then sign in again.",
    ),
}


class AdBinds:
    """Implements `nightlatch.directories.dialect.BindDialect`."""

    controls = ()

    def objection(self, answer: Answer) -> Refused | None:
        """Why a bind was refused, where the code says more than a wrong password."""
        if answer.success:
            return None
        found = _CODE.search(answer.message)
        code = int(found[1], 16) if found else 0
        if code in _RESTRICTED:
            return Restricted(*_RESTRICTED[code])
        return Refused(_REFUSED[code]) if code in _REFUSED else None

    def remark(self, answer: Answer) -> None:  # noqa: ARG002 - a bind that went well says nothing here
        """Nothing: Active Directory has no word for a bind that went well."""
        return
