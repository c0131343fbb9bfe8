"""``nightlatch``: the command line of administrators, and of people with ``account``.

Assembles the groups, one file each.
"""

import io
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from nightlatch.cli import (
    account,
    admin,
    audit,
    channel,
    config,
    credential,
    device,
    key,
    policy,
    session,
    store,
)
from nightlatch.cli.doctor import doctor
from nightlatch.cli.importing import import_
from nightlatch.cli.invite import invite
from nightlatch.cli.options import EXITS
from nightlatch.cli.output import say
from nightlatch.cli.status import status
from nightlatch.cli.why import why


def _tell_version(version_wanted: bool) -> None:  # noqa: FBT001, typer calls it so
    if version_wanted:
        say(f"nightlatch {version('nightlatch')}")
        raise typer.Exit


def build() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        name="nightlatch",
        help="The second lock on every login: people's second factors, and the daemon that checks them.",
        epilog=EXITS,
        no_args_is_help=True,
        # A traceback with local variables would show secrets.
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_options)
    app.add_typer(credential.commands(), name="credential")
    app.command("invite", epilog=EXITS)(invite)
    app.add_typer(device.commands(), name="device")
    app.command("import", epilog=EXITS)(import_)
    app.add_typer(account.commands(), name="account")
    app.add_typer(session.commands(), name="session")
    app.add_typer(channel.commands(), name="channel")
    app.command("status", epilog=EXITS)(status)
    app.command("doctor", epilog=EXITS)(doctor)
    app.command("why", epilog=EXITS)(why)
    app.add_typer(audit.commands(), name="audit")
    app.add_typer(config.commands(), name="config")
    app.add_typer(policy.commands(), name="policy")
    app.add_typer(key.commands(), name="key")
    app.add_typer(store.commands(), name="store")
    app.add_typer(admin.commands(), name="admin")
    return app


def run() -> None:
    """The entry point of ``nightlatch``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal can not show ends nothing
    build()()


def _options(
    *,
    version_wanted: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that belong to no command; the eager ones act in their callbacks."""
