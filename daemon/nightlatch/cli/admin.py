"""``nightlatch admin``: what helps a person who can not log in, and the keys of receipts."""

import typer

from nightlatch.cli import receipts, user
from nightlatch.cli.admin_login import login, logout
from nightlatch.cli.options import EXITS


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.add_typer(user.commands(), name="user")
    group.add_typer(receipts.commands(), name="receipts")
    group.command("login", epilog=EXITS)(login)
    group.command("logout", epilog=EXITS)(logout)
    return group
