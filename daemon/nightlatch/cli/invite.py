"""``nightlatch invite``: lets one person set up a second step at a login, once."""

from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, Daemon, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.listing import account_json, account_words
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption, UserArgument
from nightlatch.cli.output import json_time, local_time, print_json, say
from nightlatch.v1.admin_pb2 import CreateInviteRequest, RevokeInviteRequest

DAYS, MOST_DAYS = 7, 90


def invite(
    user: UserArgument,
    *,
    days: Annotated[
        int, typer.Option(help="For how many days it is good.", min=1, max=MOST_DAYS, show_default=True)
    ] = DAYS,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the open invite, and make none.")] = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """Make an invite, with which a person sets up a second step at their next login.

    It is shown this once, good for one use, and takes the place of an open one. Give it to the person
    yourself, by a way that you trust: nobody is told of it.
    """
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        if revoke:
            _revoke(daemon, user, as_json=as_json)
        else:
            _create(daemon, user, days, as_json=as_json)


def _create(daemon: Daemon, user: str, days: int, *, as_json: bool) -> None:
    made = daemon.admin.CreateInvite(CreateInviteRequest(user=user, days=days), timeout=DEADLINE)
    if as_json:
        print_json(
            {
                "account": account_json(made.account),
                "invite": made.invite,
                "expire_time": json_time(made.expire_time),
            }
        )
    else:
        say(f"Invite for {account_words(made.account)}, good once, until {local_time(made.expire_time)}:")
        say(f"\n  {made.invite}\n")
        say("It is not shown again. Give it to the person yourself, by a way that you trust.")


def _revoke(daemon: Daemon, user: str, *, as_json: bool) -> None:
    ended = daemon.admin.RevokeInvite(RevokeInviteRequest(user=user), timeout=DEADLINE)
    if as_json:
        print_json({"account": account_json(ended.account), "revoked": ended.revoked})
    elif ended.revoked:
        say(f"The invite of {account_words(ended.account)} is good no more.")
    else:
        say(f"{account_words(ended.account)} has no open invite.")
