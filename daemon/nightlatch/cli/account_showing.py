"""Puts a person's own account in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.output import json_time, local_end, local_time, print_table, say

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nightlatch.v1.account_pb2 import GetAccountResponse, OwnCredential


def print_account(account: GetAccountResponse) -> None:
    """Everything, for people."""
    say(f"{account.user} ({account.directory})\n")
    if account.credentials:
        rows = [
            (one.id[:8], one.title, _label(one), local_time(one.create_time), local_time(one.last_use_time))
            for one in account.credentials
        ]
        print_table(("id", "what", "label", "added", "last used"), rows)
    else:
        say("Nothing is set up to sign in with.")
    for one in account.credentials:
        if one.HasField("hold_end_time"):
            say(f'\n"{one.label}" was added after a recovery code or an emergency code was used.')
            say(f"Until {local_end(one.hold_end_time)} it signs you in, but changes nothing.")
    say(f"\nSecurity email: {account.security_mailbox or 'none'}")
    count = len(account.devices)
    say(f"Trusted devices: {count or 'none'}{' (see nightlatch account devices)' if count else ''}")
    offers = ", ".join(f"{one.factor} ({one.title})" for one in account.offers)
    say(f"You can add: {offers}\n")
    if account.sign_ins:
        print_table(
            ("when", "where", "from", "with", "result"),
            [
                (local_time(one.time), one.service or "-", one.source or "-", one.factor or "-", one.result)
                for one in account.sign_ins
            ],
        )


def print_devices(devices: Sequence[OwnCredential]) -> None:
    """Trusted devices, for people."""
    if not devices:
        say("No device is trusted.")
        return
    rows = [
        (one.id[:8], one.label, local_time(one.last_use_time), local_time(one.expire_time)) for one in devices
    ]
    print_table(("id", "device", "last used", "until"), rows)


def account_as_json(account: GetAccountResponse) -> dict[str, object]:
    """Everything, for programs."""
    return {
        "user": account.user,
        "directory": account.directory,
        "credentials": [_credential_json(one) for one in account.credentials],
        "devices": [_credential_json(one) for one in account.devices],
        "security_email": account.security_mailbox or None,
        "offers": [one.factor for one in account.offers],
        "sign_ins": [
            {
                "time": json_time(one.time),
                "service": one.service,
                "source": one.source,
                "factor": one.factor or None,
                "result": one.result,
            }
            for one in account.sign_ins
        ],
    }


def chosen_own(present: Iterable[OwnCredential], beginning: str) -> OwnCredential:
    """The one whose id is, or begins with, what was typed; raises Failure."""
    matching = [one for one in present if beginning and one.id.startswith(beginning)]
    exact = [one for one in matching if one.id == beginning]
    if not matching:
        raise Failure(
            f"You have nothing with the id {beginning}. See: nightlatch account show",
            Exit.REFUSED,
            "NOT_FOUND",
        )
    if len(exact or matching) > 1:
        raise Failure(f"Several ids begin with {beginning}. Give more of it.", Exit.WRONG_USE)
    return (exact or matching)[0]


def _label(one: OwnCredential) -> str:
    return f"{one.label} ({one.uses_left} left)" if one.HasField("uses_left") else one.label


def _credential_json(one: OwnCredential) -> dict[str, object]:
    return {
        "id": one.id,
        "factor": one.factor,
        "label": one.label,
        "create_time": json_time(one.create_time),
        "last_use_time": json_time(one.last_use_time),
        "expire_time": json_time(one.expire_time),
        "uses_left": one.uses_left if one.HasField("uses_left") else None,
        "hold_end_time": json_time(one.hold_end_time),
    }
