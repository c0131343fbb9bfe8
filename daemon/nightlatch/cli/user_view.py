"""How a person stands: as tables for people, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.listing import account_json, account_words, credential_json, print_credentials
from nightlatch.cli.outlooks import outlook_words, prospect_json
from nightlatch.cli.output import json_time, local_time, print_facts, say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.v1.user_pb2 import GetUserResponse, UserLimits


def tell_user(found: GetUserResponse, service: str) -> None:
    """Print it for people."""
    say(f"{account_words(found.account)}, id {found.account.stable_id}\n")
    print_facts(_facts(found, service))
    credentials = [each for each in found.credentials if not each.device]
    devices = [each for each in found.credentials if each.device]
    for title, header, some in (("Credentials", "label", credentials), ("Devices", "name", devices)):
        say(f"\n{title}: {'none' if not some else ''}".rstrip())
        if some:
            print_credentials(header, some)


def user_json(found: GetUserResponse, service: str) -> dict[str, object]:
    """The same for programs."""
    limits, standing, policy = found.limits, found.standing, found.policy
    known = found.HasField("policy")
    return {
        "account": account_json(found.account),
        "disable_time": json_time(limits.disable_time),
        "locked": limits.locked,
        "locked_until_time": json_time(limits.locked_until_time),
        "failures_in_a_row": limits.failures_in_a_row,
        "failures_in_all": limits.failures_in_all,
        "grace_logins": standing.grace_logins,
        "grace_start_time": json_time(standing.grace_start_time),
        "invite_expire_time": json_time(standing.invite_expire_time),
        "last_sign_in_time": json_time(found.last_sign_in_time),
        "last_sign_in_service": found.last_sign_in_service or None,
        "credentials": [credential_json(each) for each in found.credentials if not each.device],
        "devices": [credential_json(each) for each in found.credentials if each.device],
        "handle": policy.handle or None,
        "groups": len(policy.groups) if known and policy.groups_known else None,
        "policy": {"service": service, **prospect_json(policy.prospect)} if known else None,
    }


def _facts(found: GetUserResponse, service: str) -> Iterator[tuple[str, str]]:
    policy, limits = found.policy, found.limits
    if found.HasField("policy"):
        if policy.handle:
            yield "entry", policy.handle
        yield (
            "groups",
            str(len(policy.groups)) if policy.groups_known else f"not known: {policy.groups_unknown}",
        )
    yield "gets in", _locked(limits)
    yield "failures", f"{limits.failures_in_a_row} in a row, {limits.failures_in_all} in 30 days"
    yield "last sign-in", _last_sign_in(found)
    standing = found.standing
    if standing.grace_logins:
        since = local_time(standing.grace_start_time)
        yield "grace", f"put off {standing.grace_logins} times since {since}"
    if standing.HasField("invite_expire_time"):
        yield "invite", f"open until {local_time(standing.invite_expire_time)}"
    if found.HasField("policy"):
        prospect = policy.prospect
        words, because = outlook_words(prospect.outlook), prospect.because
        yield f"at {service}", f"{words}: {because}" if because else words


def _last_sign_in(found: GetUserResponse) -> str:
    if not found.HasField("last_sign_in_time"):
        return "none in the audit"
    time, service = local_time(found.last_sign_in_time), found.last_sign_in_service
    return f"{time} at {service}" if service else time


def _locked(limits: UserLimits) -> str:
    if limits.HasField("disable_time"):
        return f"no: disabled by an administrator since {local_time(limits.disable_time)}"
    if limits.locked:
        return "no: too many failures. See: nightlatch admin user unlock"
    if limits.HasField("locked_until_time"):
        return f"not before {local_time(limits.locked_until_time)}, after failures"
    return "yes, with what policy demands"
