"""``nightlatch config``: checking a configuration before the daemon gets it."""

from pathlib import Path
from typing import Annotated

import typer

from nightlatch.cli.failure import Exit
from nightlatch.cli.options import JsonOption
from nightlatch.cli.output import print_json, say
from nightlatch.config import check_config


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("check", epilog="Exit codes: 0 nothing to report, 1 problems, 2 wrong use.")(check)
    return group


def check(
    file: Annotated[Path, typer.Argument(help="The configuration file.", show_default=False)],
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a file with all that it names, offline, and print every problem at once.

    Run it as root, or as the daemon's user: it looks at files that nobody else may read.
    """
    problems = check_config(file)
    if as_json:
        print_json({"file": str(file), "problems": list(problems)})
    elif problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        say("\n".join((*problems, f"{count}. The running configuration is unchanged.")))
    else:
        say(f"{file}: no problems.")
    if problems:
        raise typer.Exit(Exit.REFUSED)
