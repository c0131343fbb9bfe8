"""``nightlatch credential reset``: everything of a person ends, and an invite lets them begin anew."""

from typing import Annotated

import typer

from nightlatch.cli.connection import DEADLINE, daemon_at
from nightlatch.cli.failure import failures_told
from nightlatch.cli.invite import DAYS, MOST_DAYS
from nightlatch.cli.listing import (
    account_json,
    account_words,
    credential_json,
    credential_words,
    credentials_of,
)
from nightlatch.cli.options import ADMIN_SOCKET, JsonOption, SocketOption, UserArgument, YesOption
from nightlatch.cli.output import json_time, local_time, print_json, say
from nightlatch.cli.question import consent
from nightlatch.v1.user_pb2 import ResetUserRequest


def reset(
    user: UserArgument,
    *,
    days: Annotated[
        int,
        typer.Option(help="For how many days the invite is good.", min=1, max=MOST_DAYS, show_default=True),
    ] = DAYS,
    yes: YesOption = False,
    socket: SocketOption = ADMIN_SOCKET,
    as_json: JsonOption = False,
) -> None:
    """End all credentials and devices of a person, and make an invite to set up new ones.

    Nobody but the person sees or chooses what is set up with it. It is shown this once, good for one use. The
    person is told at every address that they had.
    """
    with failures_told(as_json=as_json), daemon_at(socket) as daemon:
        found = credentials_of(daemon, user)
        count = len(found.credentials)
        question = f"End everything that {account_words(found.account)} has enrolled ({count} in all)?"
        consent(question, yes=yes, as_json=as_json, unchanged="Nothing was changed.")
        made = daemon.users.ResetUser(ResetUserRequest(user=user, days=days), timeout=DEADLINE)
    if as_json:
        print_json(
            {
                "account": account_json(made.account),
                "removed": [credential_json(each) for each in made.removed],
                "invite": made.invite,
                "expire_time": json_time(made.expire_time),
            }
        )
        return
    ended = ", ".join(credential_words(each) for each in made.removed) or "there was nothing"
    say(f"Ended: {ended}.")
    say(f"Invite for {account_words(made.account)}, good once, until {local_time(made.expire_time)}:")
    say(f"\n  {made.invite}\n")
    say("It is not shown again. Give it to the person yourself, by a way that you trust.")
