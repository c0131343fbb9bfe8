"""``nightlatch account``: what people do with their own account. Works as an ordinary user."""

from typing import Annotated

import typer

from nightlatch.cli.account_showing import account_as_json, chosen_own, print_account, print_devices
from nightlatch.cli.failure import failures_told
from nightlatch.cli.options import EXITS, JsonOption, LabelArgument, YesOption, text_argument, utf8
from nightlatch.cli.output import print_json, say
from nightlatch.cli.own_secrets import forgot, new_codes, password, security_mailbox
from nightlatch.cli.own_session import OwnSession
from nightlatch.cli.question import consent
from nightlatch.cli.signed_in import (
    ACCOUNT_SOCKET,
    NoSessionOption,
    OwnArgument,
    SocketOption,
    UserOption,
    account_of,
    confirm_new,
    own_session,
)
from nightlatch.v1 import account_pb2


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("show", epilog=EXITS)(show)
    group.command("add", epilog=EXITS)(add)
    group.command("remove", epilog=EXITS)(remove)
    group.command("rename", epilog=EXITS)(rename)
    group.command("devices", epilog=EXITS)(devices)
    group.command("security-email", epilog=EXITS)(security_mailbox)
    group.command("password", epilog=EXITS)(password)
    group.command("recovery-codes", epilog=EXITS)(new_codes)
    group.command("forgot", epilog=EXITS)(forgot)
    group.command("sign-out", epilog=EXITS)(sign_out)
    return group


def show(
    *,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Show what you sign in with, your devices, your security email, and the latest sign-ins."""
    with failures_told(as_json=as_json), own_session(socket, user, no_session=no_session) as own:
        account = account_of(own)
    if as_json:
        print_json(account_as_json(account))
    else:
        print_account(account)


def add(
    factor: Annotated[str, text_argument('What to add, such as "totp"; see show.')],
    *,
    label: Annotated[str, typer.Option(help="Your own name for it, such as phone.", callback=utf8)] = "",
    address: Annotated[
        str,
        typer.Option(
            help="The number or mailbox that codes go to.", metavar="NUMBER_OR_MAILBOX", callback=utf8
        ),
    ] = "",
    directory_address: Annotated[
        int,
        typer.Option(
            help="In place of --address: which of the addresses that the directory has of you.",
            min=0,
            max=9,
            show_default=False,
        ),
    ] = 0,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Add a second factor: shows it once, asks for a code, and counts only when the code is right."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        begun = own.call(
            own.service.BeginAdd,
            account_pb2.BeginAddRequest(
                factor=factor,
                label=label,
                address=address,
                directory_address=directory_address,
            ),
        )
        confirm_new(own, begun.enrollment)


def remove(
    credential_id: OwnArgument,
    *,
    yes: YesOption = False,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Remove one of your second factors. The last one stays."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        account = account_of(own)
        found = chosen_own([*account.credentials, *account.devices], credential_id)
        consent(f'Remove "{found.label}"?', yes=yes, as_json=False, unchanged="Nothing was removed.")
        _remove(own, found.id)
        say(f'Removed "{found.label}".')


def rename(
    credential_id: OwnArgument,
    label: LabelArgument,
    *,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Give one of your second factors or devices another name."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        account = account_of(own)
        found = chosen_own([*account.credentials, *account.devices], credential_id)
        own.call(
            own.service.RenameOwnCredential,
            account_pb2.RenameOwnCredentialRequest(credential_id=found.id, label=label),
        )
        say(f'"{found.label}" is now called "{label}".')


def devices(
    *,
    revoke: Annotated[
        str,
        typer.Option(
            help="End the trust in one: its id, or enough of its beginning.", metavar="ID", callback=utf8
        ),
    ] = "",
    revoke_all: Annotated[bool, typer.Option("--revoke-all", help="End the trust in all of them.")] = False,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """List your trusted devices, or end the trust in them."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        if revoke_all:
            count = own.call(own.service.RevokeOwnDevices, account_pb2.RevokeOwnDevicesRequest()).devices
            say(f"{count} device{'' if count == 1 else 's'} will be asked for your second factor again.")
            return
        account = account_of(own)
        if not revoke:
            print_devices(account.devices)
            return
        found = chosen_own(account.devices, revoke)
        _remove(own, found.id)
        say(f'"{found.label}" is no longer trusted.')


def sign_out(*, user: UserOption = "", socket: SocketOption = ACCOUNT_SOCKET) -> None:
    """End the session that is kept, if there is one."""
    with failures_told(as_json=False), own_session(socket, user, no_session=False) as own:
        own.end()
        say("Signed out.")


def _remove(own: OwnSession, credential_id: str) -> None:
    own.call(
        own.service.RemoveOwnCredential, account_pb2.RemoveOwnCredentialRequest(credential_id=credential_id)
    )
