"""What each role may call: the one table. An administrator may call everything that a listener has.

MUST 1: a method that is in no set here is for administrators alone; a test names each of them.
MUST 2: whoever is no administrator changes nothing of an administrator: see `nightlatch.rpc.shield`.
"""

from __future__ import annotations

from types import MappingProxyType

from nightlatch.desk.roles import Role
from nightlatch.rpc.rights import HEALTH, SERVICES, Rights, methods_of

_V1 = "/nightlatch.v1."
READING = frozenset(
    f"{_V1}{name}"
    for name in (
        "AdminService/GetStatus",
        "AdminService/GetReceiptKeys",
        "AdminService/ListCredentials",
        "UserService/GetUser",
        "UserService/ListSessions",
        "PolicyService/ExplainPolicy",
    )
)
"""Looks at one person, or at the daemon."""
HELPING = frozenset(
    f"{_V1}{name}"
    for name in (
        "AdminService/UnlockAccount",
        "AdminService/CreateInvite",
        "AdminService/RevokeInvite",
        "AdminService/RemoveCredential",
        "AdminService/RenameCredential",
        "AdminService/RevokeDevices",
        "UserService/ResetUser",
        "UserService/EndSessions",
    )
)
"""Helps one person back in, by which nobody else gets in: what is set up, the person sets up."""
AUDITING = frozenset(
    f"{_V1}{name}"
    for name in (
        "PolicyService/ReportPolicy",
        "PolicyService/PlanPolicy",
        "AuditService/ListAuditEvents",
        "AuditService/FollowAuditEvents",
        "AuditService/VerifyAudit",
    )
)
"""Reads about everybody."""
SIGNING_IN = frozenset(
    f"{_V1}AdminSessionService/{name}" for name in ("BeginSignIn", "AnswerSignIn", "ResumeSession", "SignOut")
)
"""Shows who one is, or ends that."""

METHODS = MappingProxyType(
    {
        Role.HELPDESK: READING | HELPING | SIGNING_IN | methods_of(HEALTH),
        Role.AUDITOR: READING | AUDITING | SIGNING_IN | methods_of(HEALTH),
    }
)
"""The methods of the roles that have not all of them."""
ALL_OF_AN_ADMINISTRATOR = frozenset().union(
    *(methods_of(SERVICES[name]) for name in ("admin", "users", "enrollment", "health"))
)
"""What an application has that is an administrator: never the people's own logins."""
CHANGING = frozenset(
    {
        *HELPING,
        f"{_V1}UserService/DisableUser",
        f"{_V1}UserService/EnableUser",
        f"{_V1}EnrollmentService/BeginEnrollment",
        f"{_V1}EnrollmentService/BeginRemoval",
        f"{_V1}ImportService/ImportCredentials",
    }
)
"""Methods that change something of the person whom their request names as `user`."""

OF_NOBODY = Rights(methods=SIGNING_IN | methods_of(HEALTH), services=frozenset())
"""On the admin socket, of those who have to sign in first."""


def rights_of(role: Role) -> Rights:
    """What a role may do on the admin socket."""
    if role is Role.ADMIN:
        return Rights(methods=None, services=None, sets_source=True, over_administrators=True)
    return Rights(methods=METHODS[role], services=frozenset())
