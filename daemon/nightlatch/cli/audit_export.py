"""Where an export goes, and how a row is written in it."""

from __future__ import annotations

import functools
import os
import socket as sockets
import sys
from contextlib import contextmanager
from enum import StrEnum
from importlib.metadata import version
from typing import TYPE_CHECKING, TextIO

from nightlatch.audit.formats import as_cef, as_json_line, as_syslog
from nightlatch.cli.failure import Exit, Failure

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nightlatch.model import AuditRow


class Format(StrEnum):
    """How rows are written."""

    JSONL = "jsonl"
    SYSLOG = "syslog"
    CEF = "cef"


def written(row: AuditRow, form: Format) -> str:
    """A row as one line."""
    match form:
        case Format.JSONL:
            return as_json_line(row)
        case Format.SYSLOG:
            return as_syslog(row, _host())
        case Format.CEF:
            return as_cef(row, _version())


@contextmanager
def writing(output: Path | None) -> Iterator[TextIO]:
    """The file to write to: a new one, mode 0600, that is taken away again when the export fails."""
    if output is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Failure(
            f"{output} exists already, and stays. Give the name of a new file.", Exit.REFUSED
        ) from None
    except OSError as error:
        raise Failure(f"{output} can not be written: {error.strerror}.", Exit.REFUSED) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        output.unlink(missing_ok=True)
        raise Failure(f"{output} can not be written: {error.strerror}.", Exit.REFUSED) from None
    except BaseException:
        output.unlink(missing_ok=True)  # half an export looks like a whole one
        raise


@functools.cache
def _host() -> str:
    return sockets.gethostname()


@functools.cache
def _version() -> str:
    return version("nightlatch")
