"""The log: well-formed, bounded, silent about secrets, and never in the way."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import threading
from typing import TYPE_CHECKING

import pytest

from nightlatch.app.logs import LONGEST_QUEUE, LogWriter, open_log
from nightlatch.config.schema import LogSettings
from nightlatch.model import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _own_root_logger() -> Iterator[None]:
    """Give the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def lines(settings: LogSettings, *events: tuple[str, dict[str, object]]) -> list[str]:
    """What is written for some events."""
    stream = io.StringIO()
    log, writer = open_log(settings, stream)
    for name, fields in events:
        log.info(name, **fields)
    writer.close()
    return stream.getvalue().splitlines()


def test_an_event_is_one_json_line_with_its_name_first() -> None:
    """A line has time, level and event, then its fields; what is None is left out."""
    (line,) = lines(LogSettings(format="json"), ("login.ended", {"result": "granted", "reason": None}))
    assert list(json.loads(line)) == ["time", "level", "event", "result"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_comes_from_outside_can_not_forge_a_line(form: str) -> None:
    """AUD-02: line breaks and escapes become marks, and a megabyte becomes a short text."""
    hostile = 'alice\n{"event":"login.ended","result":"granted"}\x1b[2J' + "x" * 1_000_000
    settings = LogSettings.model_validate({"format": form})
    written = lines(settings, ("login.ended", {"user": hostile}))
    assert len(written) == 1
    assert "\x1b" not in written[0]
    assert len(written[0]) < 2000


def test_secrets_and_bytes_are_never_shown() -> None:
    """LEK-01: secret types and raw bytes say nothing, whoever logs them."""
    (line,) = lines(LogSettings(format="json"), ("x", {"password": Secret("canary"), "ticket": b"canary"}))
    assert "canary" not in line


def test_a_library_is_heard_without_its_arguments() -> None:
    """What a library logs is cut down to its template: its arguments may be anything."""
    stream = io.StringIO()
    _, writer = open_log(LogSettings(format="json"), stream)
    logging.getLogger("somebody").warning("could not bind %s", "canary")
    writer.close()
    (line,) = stream.getvalue().splitlines()
    assert json.loads(line)["template"] == "could not bind %s"
    assert "canary" not in line


def test_an_error_that_nobody_caught_says_where_and_not_what() -> None:
    """LEK-01: asyncio and others put the error's own words into the text, which may be anybody's secret."""
    stream = io.StringIO()
    _, writer = open_log(LogSettings(format="json"), stream)

    async def failing() -> None:
        raise ValueError("canary")

    async def forgotten() -> None:
        task = asyncio.create_task(failing())
        await asyncio.wait([task])
        del task
        gc.collect()

    asyncio.run(forgotten())
    logging.getLogger("somebody").warning("could not bind canary")
    writer.close()
    nobody_s, library_s = map(json.loads, stream.getvalue().splitlines())
    assert "canary" not in stream.getvalue()
    assert (nobody_s["library"], nobody_s["exception"]) == ("asyncio", "ValueError")
    assert nobody_s["where"][-1].endswith(" failing")
    assert library_s["where"][0].startswith("test_logs.py:")


def test_the_level_is_kept() -> None:
    """Less important events are not written."""
    assert lines(LogSettings(format="json", level="warning"), ("x", {})) == []


class _Blocked(io.StringIO):
    """A stream that nobody reads until it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()

    def write(self, text: str) -> int:
        self.open.wait(20)
        return super().write(text)


def test_a_blocked_log_holds_up_nobody() -> None:
    """AUD-02: lines beyond the queue are dropped and counted, and the caller goes on."""
    stream = _Blocked()
    writer = LogWriter(stream)
    for number in range(LONGEST_QUEUE + 50):
        writer.info(f"line {number}")
    stream.open.set()
    writer.close()
    assert "log.dropped" in stream.getvalue() or "line 10000" not in stream.getvalue()
