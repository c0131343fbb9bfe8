"""``nightlatch device``: the devices that people trust, which spare them a prompt."""

from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, Daemon, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.listing import (
    account_json,
    account_words,
    chosen,
    credential_json,
    credential_words,
    credentials_of,
    devices_of,
    print_credentials,
)
from nightlatch.cli.options import (
    ADMIN_SOCKET,
    EXITS,
    DeviceArgument,
    JsonOption,
    LabelArgument,
    SocketOption,
    UserArgument,
    YesOption,
)
from nightlatch.cli.output import print_json, say
from nightlatch.cli.question import consent
from nightlatch.cli.removing import remove_unproven
from nightlatch.cli.renaming import rename_one
from nightlatch.v1.admin_pb2 import (
    Credential,
    ListCredentialsResponse,
    RevokeDevicesRequest,
)

_UNCHANGED = "Nothing was revoked."


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("list", epilog=EXITS)(list_)
    group.command("rename", epilog=EXITS)(rename)
    group.command("revoke", epilog=EXITS)(revoke)
    return group


def list_(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """List a person's trusted devices, oldest first."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = credentials_of(daemon, user)
    devices = devices_of(found)
    if as_json:
        listed = [credential_json(each) for each in devices]
        print_json({"account": account_json(found.account), "devices": listed})
    elif devices:
        say(f"{account_words(found.account)}\n")
        print_credentials("name", devices)
    else:
        say(f"{account_words(found.account)} trusts no device.")


def rename(
    user: UserArgument,
    device_id: DeviceArgument,
    name: LabelArgument,
    *,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Give a trusted device another name."""
    rename_one(socket, user, device_id, name, as_json=as_json, devices_only=True)


def revoke(
    user: UserArgument,
    device_id: DeviceArgument = "",
    *,
    everything: Annotated[bool, typer.Option("--all", help="All of the person's devices.")] = False,
    yes: YesOption = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """End the trust in one device of a person, or in all: the next login asks for a second factor again."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        if bool(device_id) is everything:
            raise Failure("Give either the id of one device, or --all.", Exit.WRONG_USE)
        found = credentials_of(daemon, user)
        devices = devices_of(found) if everything else [chosen(found, device_id, devices_only=True)]
        if devices:
            consent(_question(found, devices), yes=yes, as_json=as_json, unchanged=_UNCHANGED)
        revoked = _revoke_all(daemon, user) if everything else _revoke_one(daemon, user, devices[0])
    if as_json:
        listed = [credential_json(each) for each in revoked]
        print_json({"account": account_json(found.account), "revoked": listed})
    else:
        words = ", ".join(credential_words(each) for each in revoked)
        whose = account_words(found.account)
        say(f"Revoked {words} of {whose}." if words else f"{whose} trusts no device.")


def _question(found: ListCredentialsResponse, devices: list[Credential]) -> str:
    words = ", ".join(credential_words(each) for each in devices)
    return f"Trust {words} of {account_words(found.account)} no more?"


def _revoke_one(daemon: Daemon, user: str, device: Credential) -> list[Credential]:
    remove_unproven(daemon, user, device)
    return [device]


def _revoke_all(daemon: Daemon, user: str) -> list[Credential]:
    return list(daemon.admin.RevokeDevices(RevokeDevicesRequest(user=user), timeout=DEADLINE).devices)
