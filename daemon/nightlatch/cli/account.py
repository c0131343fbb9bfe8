"""``nightlatch account``: what people do with their own account. Works as an ordinary user."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nightlatch.cli.account_showing import account_as_json, chosen_own, print_account, print_devices
from nightlatch.cli.connection import SENDING_DEADLINE
from nightlatch.cli.enrolling import show_and_confirm
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.kept_session import KeptSession, runtime_folder
from nightlatch.cli.options import EXITS, JsonOption, LabelArgument, YesOption, utf8
from nightlatch.cli.output import print_json, say
from nightlatch.cli.own_session import OwnSession, account_at
from nightlatch.cli.question import consent
from nightlatch.v1 import account_pb2
from nightlatch.v1.enrollment_pb2 import BeginEnrollmentResponse

ACCOUNT_SOCKET = Path("/run/nightlatch/account.sock")
SocketOption = Annotated[
    Path, typer.Option("--socket", help="The daemon's account socket.", dir_okay=False, show_default=True)
]
UserOption = Annotated[
    str,
    typer.Option("--user", "-u", help="Your name; left out, the one you are logged in by.", callback=utf8),
]
NoSessionOption = Annotated[
    bool,
    typer.Option("--no-session", help="Sign in now, and keep no session for the next 15 minutes."),
]
OwnArgument = Annotated[
    str,
    typer.Argument(help="Its id, or enough of its beginning.", show_default=False, callback=utf8),
]


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(
        help="Your own account: second factors, devices, security email, password.", no_args_is_help=True
    )
    group.command("show", epilog=EXITS)(show)
    group.command("add", epilog=EXITS)(add)
    group.command("remove", epilog=EXITS)(remove)
    group.command("rename", epilog=EXITS)(rename)
    group.command("devices", epilog=EXITS)(devices)
    group.command("security-email", epilog=EXITS)(security_email)
    group.command("recovery", epilog=EXITS)(recovery)
    group.command("sign-out", epilog=EXITS)(sign_out)
    return group


@contextmanager
def own_session(socket: Path, user: str, *, no_session: bool) -> Iterator[OwnSession]:
    """The person's session at a socket; raises Failure."""
    name = user or login_name()
    with account_at(socket) as service:
        kept = KeptSession(socket, name, None if no_session else runtime_folder())
        session = OwnSession(service, name, kept)
        yield session
        if no_session:
            session.end()


def login_name() -> str:
    """The name that this process runs by; raises Failure where it has none."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        raise Failure("You have no login name here. Give one with --user.", Exit.WRONG_USE) from None


def account_of(own: OwnSession) -> account_pb2.GetAccountResponse:
    """The account."""
    return own.call(
        lambda bearer: own.service.GetAccount(
            account_pb2.GetAccountRequest(session=bearer), timeout=SENDING_DEADLINE
        )
    )


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
    factor: Annotated[
        str, typer.Argument(help='What to add, such as "totp"; see show.', callback=utf8, show_default=False)
    ],
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
            lambda bearer: own.service.BeginAdd(
                account_pb2.BeginAddRequest(
                    session=bearer,
                    factor=factor,
                    label=label,
                    address=address,
                    directory_address=directory_address,
                ),
                timeout=SENDING_DEADLINE,
            )
        )
        _confirm(own, begun.enrollment)


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
            lambda bearer: own.service.RenameOwnCredential(
                account_pb2.RenameOwnCredentialRequest(session=bearer, credential_id=found.id, label=label),
                timeout=SENDING_DEADLINE,
            )
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
            count = own.call(
                lambda bearer: own.service.RevokeOwnDevices(
                    account_pb2.RevokeOwnDevicesRequest(session=bearer), timeout=SENDING_DEADLINE
                )
            ).devices
            say(f"{count} device{'' if count == 1 else 's'} will be asked for your second factor again.")
            return
        account = account_of(own)
        if not revoke:
            print_devices(account.devices)
            return
        found = chosen_own(account.devices, revoke)
        _remove(own, found.id)
        say(f'"{found.label}" is no longer trusted.')


def security_email(
    address: Annotated[
        str, typer.Argument(help="The mailbox.", metavar="MAILBOX", callback=utf8, show_default=False)
    ],
    *,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Set your security email: emergency codes and notices go there. It is proven by a code sent to it."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        begun = own.call(
            lambda bearer: own.service.BeginSecurityEmail(
                account_pb2.BeginSecurityEmailRequest(session=bearer, address=address),
                timeout=SENDING_DEADLINE,
            )
        )
        _confirm(own, begun.enrollment, done="Done. Emergency codes and notices go there from now on.")


def recovery(
    *,
    yes: YesOption = False,
    user: UserOption = "",
    no_session: NoSessionOption = False,
    socket: SocketOption = ACCOUNT_SOCKET,
) -> None:
    """Make new recovery codes. The old ones do not count any more."""
    with failures_told(as_json=False), own_session(socket, user, no_session=no_session) as own:
        consent(
            "Make new codes, in place of the old ones?", yes=yes, as_json=False, unchanged="Nothing was made."
        )
        begun = own.call(
            lambda bearer: own.service.RegenerateRecoveryCodes(
                account_pb2.RegenerateRecoveryCodesRequest(session=bearer), timeout=SENDING_DEADLINE
            )
        )
        _confirm(own, begun.enrollment)


def sign_out(*, user: UserOption = "", socket: SocketOption = ACCOUNT_SOCKET) -> None:
    """End the session that is kept, if there is one."""
    with failures_told(as_json=False), own_session(socket, user, no_session=False) as own:
        own.end()
        say("Signed out.")


def _confirm(own: OwnSession, begun: BeginEnrollmentResponse, done: str = "") -> None:
    def send(answer: bytes) -> str:
        return own.call(
            lambda bearer: own.service.ConfirmAdd(
                account_pb2.ConfirmAddRequest(session=bearer, ticket=begun.ticket, answer=answer),
                timeout=SENDING_DEADLINE,
            )
        ).credential_id

    show_and_confirm(begun, send, done=done)


def _remove(own: OwnSession, credential_id: str) -> None:
    own.call(
        lambda bearer: own.service.RemoveOwnCredential(
            account_pb2.RemoveOwnCredentialRequest(session=bearer, credential_id=credential_id),
            timeout=SENDING_DEADLINE,
        )
    )
