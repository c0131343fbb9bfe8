"""What is said of a store that was put back: a question first, then what stayed and what ended."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from nightlatch.cli.output import print_table, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nightlatch.app.store_keeping import PutBack
    from nightlatch.store.restored import Tally

_MOST_NAMES = 20
_MEGA = 1e6


@contextmanager
def counting(*, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], Callable[[], None]]]:
    """A bar on a terminal: what to tell it (so many, of so many), and what takes it away for a question."""
    bar = Progress(
        TextColumn("looking at credentials"),
        BarColumn(),
        MofNCompleteColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    task = bar.add_task("")

    def progress(done: int, of: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=of)

    try:
        yield progress, bar.stop
    finally:
        bar.stop()


def question(tally: Tally) -> str:
    """What is asked before it is done."""
    ends = _listed({**tally.ended, "sessions": tally.sessions, "invites": tally.invites})
    return f"This ends {ends}. {_without(tally, '. ')}Go on?"


def tell(tally: Tally, *, dry_run: bool) -> None:
    """Print what became of everything, for people."""
    factors = sorted({*tally.kept, *tally.ended})
    rows = [(factor, f"{tally.kept[factor]:,}", f"{tally.ended[factor]:,}") for factor in factors]
    print_table(("factor", "would stay" if dry_run else "stay", "would end" if dry_run else "ended"), rows)
    others = {"sessions": tally.sessions, "invites": tally.invites, "password reset codes": tally.resets}
    say(f"\n{'These would end' if dry_run else 'Ended'}, too: {_listed(others)}.")
    if tally.unreadable:
        say(f"{tally.unreadable:,} rows could not be read. They stay, and let nobody in.")
    if tally.without:
        names = ", ".join(tally.without[:_MOST_NAMES])
        more = len(tally.without) - _MOST_NAMES
        say(f"{_without(tally, ': ')}{names}{f' and {more:,} more' if more > 0 else ''}.")
    if not dry_run:
        say(
            "Codes of before now are not accepted: an app's next one is, a minute from now. "
            "People who had printed codes or devices make new ones. Receipts are signed with another key."
        )


def told_json(tally: Tally, *, dry_run: bool) -> dict[str, object]:
    """The same for programs."""
    return {
        "dry_run": dry_run,
        "kept": dict(tally.kept),
        "ended": dict(tally.ended),
        "sessions": tally.sessions,
        "invites": tally.invites,
        "resets": tally.resets,
        "unreadable": tally.unreadable,
        "without": list(tally.without),
    }


def tell_before(done: PutBack) -> None:
    """Print where the store before is, and what of it the backup has undone."""
    if done.before is None:
        return
    back = done.returned
    if back is None:
        say(
            "What was taken away since the backup can not be read in the store before: look for it elsewhere."
        )
    elif back.credentials or back.enabled:
        say("\nThis had been taken away since the backup, and is there again. Is it right so?\n")
        rows = [(one.user, one.factor, one.label, one.credential_id) for one in back.credentials]
        print_table(
            ("person", "what", "name", "id"), rows + [(name, "enabled", "", "") for name in back.enabled]
        )
        say("\nOtherwise: nightlatch credential remove --without-proof, and nightlatch admin user disable.")
    say(f"The store before is {done.before}: delete it when you need it no more.")


def before_json(done: PutBack) -> dict[str, object]:
    """The same for programs."""
    return {
        "before": None if done.before is None else str(done.before),
        "returned": None if done.returned is None else asdict(done.returned),
    }


def megabytes(size: int) -> str:
    """A file's size, as people say it."""
    return f"{size / _MEGA:,.1f} MB" if size >= _MEGA else f"{size / 1000:,.0f} kB"


def _without(tally: Tally, end: str) -> str:
    count = len(tally.without)
    if not count:
        return ""
    people = "1 person has" if count == 1 else f"{count:,} people have"
    return f"{people} nothing left to sign in with, and will need an invite{end}"


def _listed(counts: dict[str, int]) -> str:
    shown = [f"{count:,} {name}" for name, count in counts.items() if count]
    return ", ".join(shown) if shown else "nothing"
