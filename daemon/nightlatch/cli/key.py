"""``nightlatch key``: the master key of an installation."""

import os
from pathlib import Path
from typing import Annotated

import typer

from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import JsonOption
from nightlatch.cli.output import print_json, say
from nightlatch.keys import create_key_file


class _SystemRandomness:
    def bytes(self, count: int) -> bytes:
        """`count` bytes from the kernel."""
        return os.urandom(count)  # noqa: TID251, this command is its own composition root


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("create", epilog="Exit codes: 0 fine, 1 refused, 2 wrong use.")(create)
    return group


def create(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist yet.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Make a new key file, mode 0600. Never replaces one that is there."""
    with failures_told(as_json=as_json):
        try:
            create_key_file(file, _SystemRandomness())
        except FileExistsError:
            message = f"{file} exists already. It stays: without it, nothing that it sealed can be opened."
            raise Failure(message, Exit.REFUSED) from None
        except OSError as error:
            raise Failure(f"{file} can not be written: {error.strerror}.", Exit.REFUSED) from None
    if as_json:
        print_json({"file": str(file)})
    else:
        say(
            f"Made {file}. Give it to the daemon's user, and keep a copy apart from the backup of the store: "
            "who has both can read every secret, who loses it can read none."
        )
