"""``nightlatch store``: backups of the store, and what to do when one was put back. Asks no daemon."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from nightlatch.app import store_keeping
from nightlatch.app.store_keeping import Asked
from nightlatch.cli.failure import Exit, Failure, failures_told
from nightlatch.cli.options import JsonOption, YesOption
from nightlatch.cli.output import print_json, say
from nightlatch.cli.question import consent
from nightlatch.cli.store_report import (
    before_json,
    counting,
    megabytes,
    question,
    tell,
    tell_before,
    told_json,
)
from nightlatch.config import Config, load_config
from nightlatch.errors import ConfigError, Conflict, Unavailable
from nightlatch.store.restored import Tally

_EXITS = "Exit codes: 0 done, 1 refused, 2 wrong use, 3 the store can not be reached."
ConfigOption = Annotated[Path, typer.Option("--config", help="The daemon's configuration.")]
KeyOption = Annotated[
    Path | None, typer.Option("--key-file", help="The master key, where the daemon alone has it.")
]
DryOption = Annotated[bool, typer.Option("--dry-run", help="Tell what would end, and change nothing.")]
CONFIG = Path("/etc/nightlatch/nightlatch.toml")


def commands() -> typer.Typer:
    """The group."""
    group = typer.Typer(no_args_is_help=True)
    group.command("backup", epilog=_EXITS)(backup)
    group.command("restore", epilog=_EXITS)(restore)
    group.command("restored", epilog=_EXITS)(restored)
    return group


def backup(
    file: Annotated[Path, typer.Argument(help="A new file, on another disk at best.", show_default=False)],
    *,
    config: ConfigOption = CONFIG,
    as_json: JsonOption = False,
) -> None:
    """Write a copy of the embedded store, while the daemon runs. The master key is not in it.

    Mode 0600. Never replaces a file.
    """
    with failures_told(as_json=as_json), _in_words():
        size = store_keeping.back_up(_config(config), file)
    if as_json:
        print_json({"file": str(file), "bytes": size})
    else:
        say(
            f"{file}: {megabytes(size)}, checked. The master key is not in it: keep a copy elsewhere. "
            "Who has both can read every secret."
        )


def restore(
    file: Annotated[Path, typer.Argument(help="What `store backup` has written.", show_default=False)],
    *,
    config: ConfigOption = CONFIG,
    key_file: KeyOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a backup in the place of the embedded store, while no daemon runs.

    What may have been used up or revoked since the backup ends: printed codes, devices, sessions, invites.
    Authenticator apps and addresses stay, and their codes of before count no more. The store before is kept.
    """
    with failures_told(as_json=as_json), _in_words(), _asked(key_file, dry_run, yes, as_json) as asked:
        done = store_keeping.restore(_config(config), file, asked)
    if as_json:
        print_json(told_json(done.tally, dry_run=dry_run) | before_json(done))
        return
    tell(done.tally, dry_run=dry_run)
    tell_before(done)
    if not dry_run:
        say("Start the daemon now.")


def restored(
    *,
    config: ConfigOption = CONFIG,
    key_file: KeyOption = None,
    dry_run: DryOption = False,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make a store safe that was put back by other means, such as pg_restore, before a daemon starts on it.

    What may have been used up or revoked since the backup ends, as with `store restore`.
    """
    with failures_told(as_json=as_json), _in_words(), _asked(key_file, dry_run, yes, as_json) as asked:
        tally = store_keeping.restored(_config(config), asked)
    if as_json:
        print_json(told_json(tally, dry_run=dry_run))
    else:
        tell(tally, dry_run=dry_run)


def _config(path: Path) -> Config:
    try:
        path.read_bytes()
    except OSError as error:
        message = f"{path} can not be read: {error.strerror}. Name the daemon's configuration with --config."
        raise Failure(message, Exit.WRONG_USE) from None
    return load_config(path)


@contextmanager
def _asked(key_file: Path | None, dry_run: bool, yes: bool, as_json: bool) -> Iterator[Asked]:  # noqa: FBT001, a command's options
    """How it is to be done, with a bar on a terminal while it is."""
    with counting(quiet=as_json) as (progress, pause):

        def agree(tally: Tally) -> None:
            pause()
            consent(question(tally), yes=False, as_json=as_json, unchanged="Nothing was changed.")

        yield Asked(None if yes else agree, f"command uid={os.getuid()}", dry_run, key_file, progress)


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except (Conflict, ConfigError) as error:
        raise Failure(str(error), Exit.REFUSED) from None
    except Unavailable as error:
        raise Failure(f"{error}.", Exit.UNAVAILABLE) from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Failure(f"{where}{error.strerror}.", Exit.REFUSED) from None
