"""``nightlatch doctor``: looks at everything that can be wrong, and says what to do."""

import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from google.protobuf.timestamp_pb2 import Timestamp

from nightlatch.cli.connection import DEADLINE, Daemon, daemon_at
from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.options import JsonOption
from nightlatch.cli.output import print_json, print_table, say
from nightlatch.config import check_config, load_config
from nightlatch.config.schema import Config
from nightlatch.doctor import clock, pam_stacks
from nightlatch.doctor.backup import backup
from nightlatch.doctor.channels import failures
from nightlatch.doctor.directories import directory
from nightlatch.doctor.finding import Finding, Level, fail, ok
from nightlatch.doctor.key_and_store import key_and_store
from nightlatch.doctor.names import asked_by_another
from nightlatch.doctor.sockets import sockets, told
from nightlatch.doctor.sshd import sshd
from nightlatch.errors import ConfigError
from nightlatch.v1.admin_pb2 import GetStatusRequest
from nightlatch.v1.audit_pb2 import (
    AUDIT_RESULT_REFUSED,
    AUDIT_RESULT_UNAVAILABLE,
    AuditEvent,
    AuditFilter,
    AuditResult,
    ListAuditEventsRequest,
)

CONFIG = Path("/etc/nightlatch/nightlatch.toml")
MODULE_DIRS = (
    *Path("/lib").glob("*-linux-*/security"),
    *(
        Path(name)
        for name in ("/lib/security", "/lib64/security", "/usr/lib/security", "/usr/lib64/security")
    ),
)
"""Where libpam has its modules, by distribution."""
_DAYS = 7
_MOST_ROWS = 5000


def doctor(
    *,
    config: Annotated[Path, typer.Option("--config", help="The daemon's configuration.")] = CONFIG,
    pam_dir: Annotated[
        Path, typer.Option("--pam-dir", help="The folder of PAM's services.")
    ] = pam_stacks.PAM_DIR,
    as_json: JsonOption = False,
) -> None:
    """Look at clock, key, store, directories, channels, sockets, PAM and sshd, and say what to do.

    Changes nothing, sends no message, and works with the daemon down. Run it as root: as somebody else it
    says what it could not look at. Exit code 1 when something is wrong.
    """
    found = [*_configured(config, pam_dir), *_pam(pam_dir)]
    failed = any(one.level is Level.FAIL for one in found)
    if as_json:
        print_json({"ok": not failed, "findings": [_json(one) for one in found]})
    else:
        _tell(found)
    if failed:
        raise typer.Exit(Exit.REFUSED)


def _configured(path: Path, pam_dir: Path) -> Iterator[Finding]:
    """All that the configuration tells of; without a right one, that and the clock alone."""
    yield clock.kept()
    try:
        path.read_bytes()
    except OSError as error:
        yield fail(
            "configuration", f"{path} can not be read: {error.strerror}", "Name it with --config, as root."
        )
        return
    problems = check_config(path)
    for problem in problems:
        yield fail("configuration", problem, "Put it right, then: systemctl reload nightlatchd")
    try:
        config = load_config(path)
    except ConfigError:
        return
    if not problems:
        yield ok("configuration", f"{path}, no problems")
    yield from clock.served(config.clock.servers)
    yield from _daemon(config)
    yield from key_and_store(config)
    yield from backup(config, time.time())  # noqa: TID251, a command is its own root
    for settings in config.directories:
        yield from directory(settings, time.time(), pam_dir)  # noqa: TID251, a command is its own root


def _daemon(config: Config) -> Iterator[Finding]:
    """What the running daemon tells; that it is away, where it is."""
    yield from sockets(config)
    try:
        with daemon_at(config.listeners.admin.socket) as daemon:
            status = daemon.admin.GetStatus(GetStatusRequest(), timeout=DEADLINE)
            yield from told(status, version("nightlatch"))
            codes = recent(daemon, "login.factor", ())
            refused = recent(daemon, "login.password", (AUDIT_RESULT_REFUSED,))
            unsent = recent(daemon, "message.send", (AUDIT_RESULT_UNAVAILABLE,))
    except Failure as failure:
        yield fail("daemon", failure.message, "See: systemctl status nightlatchd")
    else:
        yield from failures(config.channels, ((one.at, one.reason) for one in unsent), time.time())  # noqa: TID251, a command is its own root
        yield from asked_by_another((one.user, one.reason) for one in refused)
        steps = ((one.user, facts(one.facts)) for one in codes)
        yield from clock.typed((user, step) for user, step in steps if user and step is not None)


def recent(daemon: Daemon, event: str, results: tuple[AuditResult.ValueType, ...]) -> list[AuditEvent]:
    """The newest rows of the audit of one kind."""
    since = Timestamp(seconds=int(time.time()) - _DAYS * 86_400)  # noqa: TID251, a command is its own root
    asked = AuditFilter(event=event, results=results, since=since)
    pieces = daemon.audit.ListAuditEvents(
        ListAuditEventsRequest(filter=asked, limit=_MOST_ROWS), timeout=DEADLINE
    )
    return [one for piece in pieces for one in piece.events]


def facts(text: str) -> int | None:
    """How many steps a code was off, from the facts of its row; None where they do not say."""
    words = dict(word.partition("=")[::2] for word in text.split())
    try:
        return int(words["offset"])
    except (KeyError, ValueError):
        return None


def _pam(pam_dir: Path) -> Iterator[Finding]:
    yield from pam_stacks.stacks(pam_dir, MODULE_DIRS)
    if pam_stacks.asks("sshd", pam_dir):
        yield from sshd()


def _tell(found: list[Finding]) -> None:
    rows = [
        (one.level.value, one.part, f"{_sentence(one.text)} {one.remedy}" if one.remedy else one.text)
        for one in found
    ]
    print_table(("", "part", "finding"), rows, {"ok": "green", "warn": "yellow", "fail": "bold red"})
    counts = [sum(one.level is level for one in found) for level in (Level.FAIL, Level.WARN)]
    say(f"\n{counts[0]} wrong, {counts[1]} to look after. Who would be locked out: nightlatch policy report")


def _sentence(text: str) -> str:
    """The text with an end, which words of other parts have already."""
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _json(one: Finding) -> dict[str, str]:
    return {"level": one.level.value, "part": one.part, "text": one.text, "remedy": one.remedy}
