"""Backups of the store that a configuration names, and what has to be done when one was put back.

MUST 1: a backup that is put back is made safe before it is in its place: no daemon ever opens it as it was.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.app.audit_heads import KeptHeads
from nightlatch.app.folders import STORE_NAME, store_url
from nightlatch.app.logs import DirectWriter, bound_log
from nightlatch.app.owners_rights import rights_of_owner
from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.config import KEY_NAME
from nightlatch.errors import ConfigError, Conflict
from nightlatch.keys import load_key_file
from nightlatch.plugins.facade import CallContext
from nightlatch.plugins.loader import load_plugins
from nightlatch.store import copies
from nightlatch.store.offline import Tools, alone_with, kept_closed, looking_at
from nightlatch.store.returned import Returned, returned

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.audit.heads import Head
    from nightlatch.config import Config
    from nightlatch.model import Credential
    from nightlatch.ports import Randomness
    from nightlatch.store.restored import Judge, Restoration, Tally

Agree = Callable[["Tally"], None]
"""Asks whether this may be done; raises where it may not."""

LAST_BACKUP = "last-backup"
"""A file in the state folder that is as old as the newest backup."""
_VERDICT_SECONDS = 10.0
_NOT_EMBEDDED = (
    "The store is in PostgreSQL, which makes its own backups. {} with:\n\n  {}\n\n"
    "The master key is not in it, and belongs to another place."
)
_DUMP = "pg_dump --format=custom --file={} '{}'"
_PUT_BACK = (
    "pg_restore --clean --if-exists --single-transaction --no-owner --dbname='{}' {}\n"
    "  nightlatch store restored"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """How a store is put right."""

    agree: Agree | None
    """None for an agreement that was given before; then nothing is counted first."""
    caller: str
    """Who does it, for the audit."""
    dry_run: bool = False
    key_file: Path | None = None
    """Where the master key is while the daemon's own way to it is closed."""
    progress: Callable[[int, int], None] = lambda _done, _of: None


def back_up(config: Config, file: Path) -> int:
    """Write a copy of the embedded store to a new file; its bytes. A daemon may run.

    The master key is not in it. Raises Conflict, Unavailable, OSError.
    """
    _refuse_server(config, "Make one", lambda url: _DUMP.format(file, url))
    state_dir = config.daemon.state_dir
    target = copies.new_file(file)
    try:
        with target, rights_of_owner(state_dir), _workshop(state_dir) as folder:
            copy = folder / STORE_NAME
            copies.snapshot(_store(config), copy)
            copies.check_whole(copy, _store(config))
            with copy.open("rb") as source:
                size = copies.durable(source, target)
            (state_dir / LAST_BACKUP).touch(mode=0o600)
        copies.sync_folder(file.absolute().parent)
    except BaseException:
        file.unlink()  # half a backup is none
        raise
    return size


@dataclass(frozen=True, slots=True)
class PutBack:
    """A backup that was put back."""

    tally: Tally
    before: Path | None = None
    """Where the store before is; None where there was none, and for a dry run."""
    returned: Returned | None = None
    """What is there again that had been taken away; None where nobody can tell."""


def restore(config: Config, file: Path, asked: Asked) -> PutBack:
    """Put a backup, made safe, in the embedded store's place.

    Raises Conflict while a daemon runs, ConfigError for a backup of another key or a newer version,
    Unavailable, OSError.
    """
    _refuse_server(config, "Put one back", lambda url: _PUT_BACK.format(url, file))
    state_dir = config.daemon.state_dir
    with contextlib.ExitStack() as open_files:
        sources = copies.present_files(file)
        for source in sources.values():
            open_files.enter_context(source)
        open_files.enter_context(rights_of_owner(state_dir))
        folder = open_files.enter_context(_workshop(state_dir))
        copy = folder / STORE_NAME
        for ending, source in sources.items():
            with copies.new_file(copy.with_name(f"{copy.name}{ending}")) as target:
                copies.durable(source, target)
        copies.check_whole(copy, file)
        heads = _Heads()
        tools = _tools(config, asked, heads)
        if asked.dry_run:
            with _named(copy, file), alone_with(_url_of(copy), tools) as restoration:
                return PutBack(restoration.survey())
        with kept_closed(store_url(config)):
            with _named(copy, file), alone_with(_url_of(copy), tools) as restoration:
                tally = _made_safe(restoration, asked)
            aside = _aside(config)
            there = copies.put_in_place(copy, _store(config), aside)
            heads.hand_over(config)
            return PutBack(tally, aside, returned(_store(config), aside)) if there else PutBack(tally)


def restored(config: Config, asked: Asked) -> Tally:
    """Make a store safe that was put back by other means. Raises what `restore` raises."""
    with rights_of_owner(config.daemon.state_dir):
        _refuse_foreign(config)
        heads = _Heads()
        tools = _tools(config, asked, heads)
        if asked.dry_run:
            with looking_at(store_url(config), tools) as restoration:
                return restoration.survey()
        with alone_with(store_url(config), tools) as restoration:
            tally = _made_safe(restoration, asked)
        heads.hand_over(config)
    return tally


@dataclass(slots=True)
class _Heads:
    """Keeps signed heads until what they are about is in its place."""

    taken: list[tuple[Head, str]] = field(default_factory=list)

    def take(self, head: Head, line: str) -> None:
        self.taken.append((head, line))

    def retention_stopped(self, reason: str) -> None:
        """Nothing is forgotten here."""

    def hand_over(self, config: Config) -> None:
        settings = config.log.model_copy(update={"level": "error"})
        kept = KeptHeads(config.daemon.state_dir, bound_log(settings, DirectWriter(sys.stderr), sys.stderr))
        for head, line in self.taken:
            kept.take(head, line)


def _made_safe(restoration: Restoration, asked: Asked) -> Tally:
    if asked.agree is not None:
        asked.agree(restoration.survey())
    return restoration.run(asked.caller)


def _tools(config: Config, asked: Asked, heads: _Heads) -> Tools:
    randomness = SystemRandomness()
    key = load_key_file(asked.key_file or config.store.key_file or config.daemon.state_dir / KEY_NAME)
    judge = _judge(config, randomness)
    return Tools(key, SystemClock(), randomness, heads, judge, asked.progress)


def _judge(config: Config, randomness: Randomness) -> Judge:
    """Lets each factor say what becomes of its credentials; those of factors that are not enabled end."""
    factors = load_plugins(config.plugins.enabled, config.factors, config.channels).factors

    def judge(credential: Credential, now: float) -> bytes | None:
        factor = factors.get(credential.factor)
        context = CallContext(now, now + _VERDICT_SECONDS, randomness)
        return None if factor is None else factor.restored(credential.state, context)

    return judge


def _refuse_server(config: Config, what: str, command: Callable[[str], str]) -> None:
    if config.store.url != "sqlite":
        raise Conflict(_NOT_EMBEDDED.format(what, command(config.store.url)))


def _refuse_foreign(config: Config) -> None:
    """Raise Conflict for an embedded store that the daemon's user can not open: root has copied it there."""
    store = _store(config)
    there = config.store.url == "sqlite" and store.exists()
    if there and not os.access(store, os.R_OK | os.W_OK, effective_ids=True):
        fix = f"chown --reference={store.parent} {store} && chmod 600 {store}"
        raise Conflict(f"{store} can not be written by the daemon's user. Run: {fix}")


@contextlib.contextmanager
def _named(copy: Path, file: Path) -> Iterator[None]:
    """What is wrong with the copy is told of the file that people know."""
    try:
        yield
    except ConfigError as error:
        told = (problem.replace(f"SQLite {copy}", str(file)) for problem in error.problems)
        raise ConfigError(tuple(told)) from None


def _store(config: Config) -> Path:
    return config.daemon.state_dir / STORE_NAME


def _url_of(path: Path) -> str:
    return f"sqlite:///{path}"


def _aside(config: Config) -> Path:
    """A name for the store before, which nothing has yet."""
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(SystemClock().now()))
    store = _store(config)
    names = (f"{store.stem}-before-{stamp}{f'-{n}' if n > 1 else ''}.db" for n in itertools.count(1))
    return next(path for path in map(store.with_name, names) if not path.exists())


@contextlib.contextmanager
def _workshop(state_dir: Path) -> Iterator[Path]:
    """A folder for copies, 0700, on the same disk as the store, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="copy-", dir=state_dir) as folder:
        yield Path(folder)
