"""``nightlatch admin``: what helps a person who can not log in."""

import typer

from nightlatch.cli import user


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(help="Help people who can not log in, or keep them out.", no_args_is_help=True)
    group.add_typer(user.commands(), name="user")
    return group
