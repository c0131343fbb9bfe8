"""A password policy for the private slapd (slapo-ppolicy), and a person whose password is years old."""

from __future__ import annotations

from testbed.slapd import SUFFIX, Parts, password_of, person_dn

OLD = "old"
"""The person whose password was changed in 2020."""

_POLICY_DN = f"cn=default,{SUFFIX}"
_OVERLAY = f'overlay ppolicy\nppolicy_default "{_POLICY_DN}"\n'
_ENTRIES = (
    f"dn: {_POLICY_DN}\nobjectClass: device\nobjectClass: pwdPolicy\ncn: default\n"
    "pwdAttribute: userPassword\npwdLockout: TRUE\npwdMaxFailure: 3\npwdMustChange: TRUE\n"
    "pwdMaxAge: {max_age}\npwdExpireWarning: 864000000\npwdGraceAuthNLimit: {grace}\n\n"
    f"dn: {person_dn(OLD)}\nobjectClass: inetOrgPerson\nuid: {OLD}\ncn: Old\nsn: Old\n"
    f"userPassword: {password_of(OLD)}\npwdChangedTime: 20200101000000Z\n\n"
)


def policy_parts(*, max_age: int = 0, grace: int = 0, tell_locked: bool = True) -> Parts:
    """A policy that locks after 3 wrong passwords; `max_age` in seconds, 0 for ever."""
    directives = _OVERLAY + ("ppolicy_use_lockout\n" if tell_locked else "")
    return Parts(("ppolicy",), directives, ldif=_ENTRIES.format(max_age=max_age, grace=grace))


def must_change(uid: str) -> str:
    """LDIF that makes a person change the password before anything else."""
    return f"dn: {person_dn(uid)}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n"
