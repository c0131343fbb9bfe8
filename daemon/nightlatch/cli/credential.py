"""``nightlatch credential``: giving people a second factor, and taking it away."""

from typing import Annotated

import typer

from nightlatch.cli.connection import SENDING_DEADLINE, daemon_at
from nightlatch.cli.enrolling import enrol
from nightlatch.cli.failure import failures_told
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
    CredentialArgument,
    JsonOption,
    LabelArgument,
    SocketOption,
    UserArgument,
    YesOption,
    text_argument,
    utf8,
)
from nightlatch.cli.output import print_json, say
from nightlatch.cli.question import consent
from nightlatch.cli.removing import UNCHANGED, remove_proven, remove_unproven
from nightlatch.cli.renaming import rename_one
from nightlatch.cli.reset import reset
from nightlatch.v1.enrollment_pb2 import BeginEnrollmentRequest


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("enroll", epilog=EXITS)(enroll)
    group.command("list", epilog=EXITS)(list_)
    group.command("rename", epilog=EXITS)(rename)
    group.command("remove", epilog=EXITS)(remove)
    group.command("reset", epilog=EXITS)(reset)
    return group


def enroll(
    factor: Annotated[str, text_argument("The factor's name, as in the configuration.")],
    user: UserArgument,
    *,
    label: Annotated[
        str, typer.Option(help="The person's own name for it, such as phone.", callback=utf8)
    ] = "",
    address: Annotated[
        str,
        typer.Option(
            help="The number or mailbox that codes go to, for a factor that sends them.",
            metavar="NUMBER_OR_MAILBOX",
            callback=utf8,
        ),
    ] = "",
    directory_address: Annotated[
        int,
        typer.Option(
            help="In place of --address: which of the addresses that the directory has. Without either, they "
            "are listed, masked.",
            min=0,
            max=9,
            show_default=False,
        ),
    ] = 0,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Give a person a second factor: shows it once, asks for a code, and counts only when the code is right.

    Printed codes ask for nothing: they are shown, and count at once.

    With --json the first line is what to show. Then up to three codes are read
    from standard input; a wrong one prints a line, and the last line is the result.
    """
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        request = BeginEnrollmentRequest(
            user=user, factor=factor, label=label, address=address, directory_address=directory_address
        )
        begun = daemon.enrollment.BeginEnrollment(request, timeout=SENDING_DEADLINE)
        enrol(daemon, begun, as_json=as_json)


def list_(user: UserArgument, *, socket: SocketOption = ADMIN_SOCKET, as_json: JsonOption = False) -> None:
    """List a person's second factors, oldest first; their trusted devices are in "nightlatch device list"."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = credentials_of(daemon, user)
    credentials = [each for each in found.credentials if not each.device]
    devices = len(devices_of(found))
    whose = account_words(found.account)
    if as_json:
        listed = [credential_json(each) for each in credentials]
        print_json({"account": account_json(found.account), "credentials": listed})
        return
    if credentials:
        say(f"{whose}\n")
        print_credentials("label", credentials)
    else:
        say(f"{whose} has no credential yet.")
    if devices:
        count = "1 trusted device" if devices == 1 else f"{devices} trusted devices"
        gap = "\n" if credentials else ""
        say(f"{gap}And {count}: see nightlatch device list.")


def rename(
    user: UserArgument,
    credential_id: CredentialArgument,
    label: LabelArgument,
    *,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Give one of a person's second factors another name."""
    rename_one(socket, user, credential_id, label, as_json=as_json)


def remove(
    user: UserArgument,
    credential_id: CredentialArgument,
    *,
    without_proof: Annotated[
        bool, typer.Option("--without-proof", help="Ask the person for nothing: for a lost phone.")
    ] = False,
    yes: YesOption = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Remove one of a person's second factors, once they have proven it a last time.

    The last one stays. Without proof (a lost phone) any of them goes, and you are asked whether you mean it.
    A trusted device has nothing to prove.

    With --json the first line is what to ask. Then up to three answers are read
    from standard input; a wrong one prints a line, and the last line is the result.
    """
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = credentials_of(daemon, user)
        credential = chosen(found, credential_id)
        words, whose = credential_words(credential), account_words(found.account)
        if without_proof or credential.device:
            proof = "" if credential.device else ", without proof"
            consent(f"Remove {words} of {whose}{proof}?", yes=yes, as_json=as_json, unchanged=UNCHANGED)
            remove_unproven(daemon, user, credential)
        else:
            remove_proven(daemon, user, found.account, credential, as_json=as_json)
    if as_json:
        print_json({"account": account_json(found.account), "removed": credential_json(credential)})
    else:
        say(f"Removed {words} of {whose}.")
