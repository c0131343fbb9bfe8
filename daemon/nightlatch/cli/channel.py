"""``nightlatch channel``: whether messages leave."""

from typing import Annotated

import grpc
import typer

from nightlatch.cli.connection import SENDING_DEADLINE, Daemon, daemon_at
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import ADMIN_SOCKET, EXITS, JsonOption, SocketOption, text_argument, utf8
from nightlatch.cli.output import print_json, say
from nightlatch.v1.admin_pb2 import TestChannelRequest


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("test", epilog=EXITS)(send_test)
    return group


def send_test(
    name: Annotated[str, text_argument("The channel's name, as in the configuration.")],
    *,
    address: Annotated[
        str,
        typer.Option(
            "--to",
            help="Where to send it: a mailbox, or a number such as +14155550100.",
            metavar="ADDRESS",
            show_default=False,
            callback=utf8,
        ),
    ],
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Send one message by a channel, and tell what the provider said."""
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        provider_id = _send(daemon, name, address)
    if as_json:
        print_json({"channel": name, "address": address, "provider_id": provider_id})
    else:
        known_as = f" It calls it {provider_id}." if provider_id else ""
        say(f"The provider behind {name} took a message to {address}.{known_as} Look whether it arrives.")


def _send(daemon: Daemon, name: str, address: str) -> str:
    """The provider's id of the message; raises Failure in the provider's words and ours."""
    request = TestChannelRequest(channel=name, address=address)
    try:
        return daemon.admin.TestChannel(request, timeout=SENDING_DEADLINE).provider_id
    except grpc.RpcError as error:
        if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
            raise
        # On one line, so that what the provider said can not pass for ours.
        said = " ".join((error.details() or "nothing").removeprefix(f"{name}: ").split())
        message = (
            f"The provider said: {said}\n"
            f"Check the address, [channels.{name}] in the configuration, and your account with the provider."
        )
        raise Failure(message, Exit.REFUSED, error.code().name) from None
