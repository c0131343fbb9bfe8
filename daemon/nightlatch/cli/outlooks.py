"""What would become of people, in words and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.output import json_time, local_time
from nightlatch.v1 import policy_pb2

if TYPE_CHECKING:
    from nightlatch.v1.policy_pb2 import Grace, Outlook, Prospect, Requirement

OUTLOOKS = {
    policy_pb2.OUTLOOK_LOCKED_OUT: (
        "locked out",
        "have nothing that counts, and no way to come to it at the login",
    ),
    policy_pb2.OUTLOOK_ENROLLS: (
        "would enrol",
        "have nothing that counts yet, and may set it up, or put it off",
    ),
    policy_pb2.OUTLOOK_WEAK: ("weak only", "have only what others could read or turn round"),
    policy_pb2.OUTLOOK_READY: ("ready", "have a factor that counts"),
    policy_pb2.OUTLOOK_OBSERVED: ("observed", "are asked for nothing while a rule only observes"),
    policy_pb2.OUTLOOK_EXEMPT: ("exempt", "are asked for nothing"),
    policy_pb2.OUTLOOK_DISABLED: ("disabled", "may not sign in at all, and are not counted"),
}
"""Each outlook in words, and what it means; the gravest first."""
SECOND_FACTORS = {
    policy_pb2.SECOND_FACTOR_SKIP: "none",
    policy_pb2.SECOND_FACTOR_OBSERVE: "observed",
    policy_pb2.SECOND_FACTOR_REQUIRED: "required",
}
MODES = {
    policy_pb2.ENROLLMENT_MODE_SELF: "self",
    policy_pb2.ENROLLMENT_MODE_INVITE: "invite",
    policy_pb2.ENROLLMENT_MODE_CLOSED: "closed",
}


def outlook_words(outlook: Outlook.ValueType) -> str:
    """An outlook for people."""
    return OUTLOOKS.get(outlook, ("unknown to this command", ""))[0]


def outlook_json(outlook: Outlook.ValueType) -> str | None:
    """An outlook for programs: "locked_out"; None for none."""
    if outlook == policy_pb2.OUTLOOK_UNSPECIFIED:
        return None
    return policy_pb2.Outlook.Name(outlook).removeprefix("OUTLOOK_").lower()


def grace_words(grace: Grace) -> str:
    """What is left of a grace: "2 more logins, until 2026-03-01 14:02"."""
    logins = grace.logins_left
    parts = []
    if grace.HasField("logins_left"):
        parts.append("1 more login" if logins == 1 else f"{logins} more logins")
    if grace.HasField("end_time"):
        parts.append(f"until {local_time(grace.end_time)}")
    return ", ".join(parts)


def grace_json(grace: Grace) -> dict[str, object]:
    """The same for programs."""
    logins = grace.logins_left if grace.HasField("logins_left") else None
    return {"logins_left": logins, "end_time": json_time(grace.end_time)}


def prospect_json(prospect: Prospect) -> dict[str, object]:
    """What would become of a login, for programs."""
    return {
        "outlook": outlook_json(prospect.outlook),
        "because": prospect.because,
        "factors": list(prospect.factors),
        "grace": grace_json(prospect.grace) if prospect.HasField("grace") else None,
        "otherwise": outlook_json(prospect.otherwise),
        "requirement": requirement_json(prospect.requirement),
    }


def requirement_json(requirement: Requirement) -> dict[str, object]:
    """What a login must show, for programs."""
    return {
        "second_factor": SECOND_FACTORS.get(requirement.second_factor),
        "factors": list(requirement.factors),
        "trusted_device_days": requirement.trusted_device_days,
        "enrollment": MODES.get(requirement.enrollment),
        "grace_days": requirement.grace_days,
        "grace_logins": requirement.grace_logins,
        "rules": list(requirement.rules),
        "exemption": requirement.exemption or None,
        "observed_rules": list(requirement.observed_rules),
        "observed_factors": list(requirement.observed_factors),
        "uncertain": requirement.uncertain or None,
    }
