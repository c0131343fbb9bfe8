"""``nightlatch``: the command line of administrators, and of people with ``account``.

Tells the commands, each in one line. The file of a command, with what it needs of gRPC, cryptography and
the store, is imported when that command is called: nobody waits for the others, at each Tab least of all.
"""

from __future__ import annotations

import io
import sys
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from nightlatch.cli.options import EXITS

if TYPE_CHECKING:
    from typer._click import Command, Context

_COMMANDS = {
    "invite": (
        "invite:invite",
        "Make an invite, with which a person sets up a second step at their next login.",
    ),
    "import": ("importing:import_", "Take over the second factors that people have in another system."),
    "status": (
        "status:status",
        "Show how the daemon and its parts are. Exit code 1 when one of them does not work.",
    ),
    "doctor": (
        "doctor:doctor",
        "Look at clock, key, store, directories, channels, sockets, PAM and sshd, and say what to do.",
    ),
    "why": ("why:why", "Tell why a person was refused: the last refusals, newest first, each in a sentence."),
}
"""Where each command is, and the first line of its own help."""
_GROUPS = {
    "credential": "Enrol, list, rename, remove and reset people's second factors.",
    "device": "List, rename and revoke people's trusted devices.",
    "account": "Your own account: second factors, devices, security email, password.",
    "session": "List and end the sessions in which people look after their account.",
    "channel": "Try the channels that messages leave by.",
    "audit": "Read, export and verify the audit.",
    "config": "Check a configuration.",
    "policy": "Explain rules, see who is ready for them, plan others.",
    "key": "Make the key that seals every secret in the store.",
    "store": "Back the store up, and put a backup back.",
    "admin": "Help people who can not log in, or keep them out; the keys of receipts.",
}
"""The help of each group; its commands are told by `commands` in the file of its name."""


class _Commands(TyperGroup):
    """Has a line for each command, and the command itself for whoever calls it."""

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """The command that was called, and the words that are left for it."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, _imported(name) if name else None, rest


def build() -> typer.Typer:
    """All commands."""
    app = typer.Typer(
        cls=_Commands,
        name="nightlatch",
        help="The second lock on every login: people's second factors, and the daemon that checks them.",
        epilog=EXITS,
        no_args_is_help=True,
        # A traceback with local variables would show secrets.
        pretty_exceptions_enable=False,
        pretty_exceptions_show_locals=False,
    )
    app.callback()(_options)
    for name, (_, line) in _COMMANDS.items():
        app.command(name, help=line)(_line)
    for name, line in _GROUPS.items():
        app.command(name, help=line)(_line)
    return app


def run() -> None:
    """The entry point of ``nightlatch``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a name that the terminal can not show ends nothing
    build()()


def _line() -> None:
    """Stand for a command where it is only told; `_Commands` calls the command itself."""


def _imported(name: str) -> Command:
    """The command of this name, with all that is below it."""
    app = typer.Typer()
    if name in _GROUPS:
        group = resolve_name(f"nightlatch.cli.{name}:commands")
        app.add_typer(group(), name=name, help=_GROUPS[name])
    else:
        place, _ = _COMMANDS[name]
        app.command(name, epilog=EXITS)(resolve_name(f"nightlatch.cli.{place}"))
    return typer.main.get_group(app).commands[name]


def _tell_version(version_wanted: bool) -> None:  # noqa: FBT001, typer calls it so
    if version_wanted:
        version = resolve_name("importlib.metadata:version")
        typer.echo(f"nightlatch {version('nightlatch')}")
        raise typer.Exit


def _options(
    *,
    version_wanted: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_tell_version, is_eager=True)
    ] = False,
) -> None:
    """Take the options that belong to no command; the eager ones act in their callbacks."""
