"""The log: one event name and its fields a line, as JSON for programs or coloured for a terminal.

MUST 1: no secret is written: secret types say nothing, bytes are never shown, and what libraries log is cut
        down to its template, because its arguments may hold anything; or to its place, where it has none.
MUST 2: what comes from outside is printable and bounded: one event is one line (AUD-02).
MUST 3: a log that nobody reads stops no login: lines wait in a bounded queue; what did not fit is counted.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import select
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

import structlog

from nightlatch.errors import end_without_memory
from nightlatch.rpc.status import where

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from nightlatch.config.schema import LogSettings

LONGEST_VALUE = 512
LONGEST_QUEUE = 10_000
FLUSH_SECONDS = 2.0
GATHER_SECONDS = 0.01
"""How long lines are gathered, so that a busy daemon writes many at a time."""


class LogWriter:
    """Writes lines to a stream from a thread of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def msg(self, line: str) -> None:
        """Queue a line; structlog calls this, and its other names, for every event that passed the level."""
        if self._lines.qsize() < LONGEST_QUEUE:
            self._lines.put(line)
        else:
            self._dropped += 1

    log = debug = info = warning = error = critical = msg

    def close(self) -> None:
        """Write what is queued, for a bounded time."""
        self._lines.put(None)
        self._thread.join(FLUSH_SECONDS)

    def _write_all(self) -> None:
        open_ = True
        while open_:
            lines, open_ = self._waiting()
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                lines.append(f"log.dropped lines={dropped}")
            for text in whole_lines(lines):
                try:
                    self._stream.write(text)
                    self._stream.flush()
                except (OSError, ValueError):
                    break

    def _waiting(self) -> tuple[list[str], bool]:
        """All lines that wait, at least one; and whether more may come."""
        lines = []
        line = self._lines.get()
        time.sleep(GATHER_SECONDS)
        while line is not None:
            lines.append(line)
            try:
                line = self._lines.get_nowait()
            except queue.Empty:
                return lines, True
        return lines, False


class DirectWriter:
    """Writes lines as they come, without a thread; one that nobody takes just now is left out (MUST 3)."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        """Write a line, where there is room for it."""
        with suppress(OSError, ValueError):
            if select.select((), (self._stream,), (), 0)[1]:
                self._stream.write(f"{line}\n")
                self._stream.flush()

    log = debug = info = warning = error = critical = msg


def whole_lines(lines: Iterable[str]) -> Iterator[str]:
    """The lines, as many at a time as one write(2) keeps together.

    Several processes write to one place: what is longer may come out with another's lines inside (pipe(7)).
    """
    text, size = "", 0
    for line in lines:
        length = len(line.encode(errors="replace")) + 1
        if text and size + length > select.PIPE_BUF:
            yield text
            text, size = "", 0
        text += f"{line}\n"
        size += length
    if text:
        yield text


def open_log(
    settings: LogSettings, stream: TextIO | None = None
) -> tuple[structlog.stdlib.BoundLogger, LogWriter]:
    """The daemon's logger and its writer; also catches what libraries log."""
    writer = LogWriter(stream or sys.stderr)
    log = bound_log(settings, writer, stream or sys.stderr)
    logging.basicConfig(handlers=[_LibraryHandler(log)], level=logging.WARNING, force=True)
    return log, writer


def bound_log(
    settings: LogSettings, writer: LogWriter | DirectWriter, stream: TextIO
) -> structlog.stdlib.BoundLogger:
    """A logger of that writer, in the form for that stream."""
    terminal = stream.isatty()
    console = settings.format == "console" or (settings.format == "auto" and terminal)
    renderer = (
        structlog.dev.ConsoleRenderer(colors=terminal and "NO_COLOR" not in os.environ)
        if console
        else JsonRenderer()
    )
    # Bound once: the lazy logger of wrap_logger would be bound anew for every event.
    log: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        writer,
        processors=[Complete(), renderer],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
    ).bind()
    return log


class JsonRenderer:
    """One event as one line of JSON. Its encoder is made once: json.dumps would make one for every line."""

    def __init__(self) -> None:
        self._encode = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, object]) -> str:
        """The event's line."""
        return self._encode(event)


class Complete:
    """Puts time, level and event in front, and lets only plain, short, printable values through."""

    def __init__(self) -> None:
        self._second = 0
        self._prefix = ""

    def __call__(
        self, _logger: object, method: str, event: MutableMapping[str, object]
    ) -> MutableMapping[str, object]:
        """The event, complete and safe; what is None is left out."""
        complete: dict[str, object] = {"time": self._now(), "level": method, "event": event.pop("event")}
        for key, value in event.items():
            if value is not None:
                complete[key] = _plain(value)
        return complete

    def _now(self) -> str:
        """The time in UTC (RFC 3339); the part that stays the same for a second is kept."""
        nanoseconds = time.time_ns()
        second, rest = divmod(nanoseconds, 1_000_000_000)
        if second != self._second:
            self._second = second
            self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._prefix}.{rest // 1000:06d}Z"


def _plain(value: object) -> object:
    match value:
        case bool() | int() | float():
            return value
        case str() if len(value) <= LONGEST_VALUE and value.isprintable():
            return value
        case str():
            text = "".join(
                character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in value
            )
            return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
        case list() | tuple():
            return [_plain(one) for one in value[:16]]
        case _:
            return "…"


class _LibraryHandler(logging.Handler):
    """Passes on that a library had something to say, and what kind of thing, but not its arguments."""

    def __init__(self, log: structlog.stdlib.BoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Log a library's record by its template; the event loop's and gRPC's may be of a MemoryError."""
        if record.exc_info and isinstance(record.exc_info[1], MemoryError):
            end_without_memory()
        error = record.exc_info[1] if record.exc_info else None
        self._log.warning(
            "library.said",
            library=record.name,
            # Without arguments it is no template: whatever it has to tell is in it already.
            template=str(record.msg) if record.args else None,
            exception=type(error).__name__ if error else None,
            where=where(error) if error else [f"{record.filename}:{record.lineno} {record.funcName}"],
        )
