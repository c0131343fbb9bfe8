"""The text of every template: what is shipped, and what an administrator put in its place.

MUST 1: a folder or file that others may write is refused: its words go to everybody, and may link anywhere.
MUST 2: files are read once, at the start: what was checked is what is used.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from nightlatch_messages.kinds import KINDS
from nightlatch_messages.languages import SHIPPED

if TYPE_CHECKING:
    from pathlib import Path

SHAPES = ("subject", "txt", "html", "sms")
"""The endings of a template's files: an email's subject, text and HTML, and the text message."""
SHARED = ("layout.html", "layout.txt", "details.html", "details.txt")
"""Files that others extend or include."""
LARGEST = 64 * 1024
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


class TemplateProblems(ValueError):
    """Everything that is wrong with the templates, a line or two for each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Sources:
    """Template texts by file name."""

    shipped: dict[str, str]
    replaced: dict[str, str]
    """The administrator's, for every language."""
    by_language: dict[str, dict[str, str]]
    """The administrator's for one language, from a folder that has its name."""

    def of(self, language: str) -> dict[str, str]:
        """The texts for `language`: its own before those for all, those before the shipped ones."""
        return {**self.shipped, **self.replaced, **self.by_language.get(language, {})}

    @property
    def languages(self) -> tuple[str, ...]:
        """All the languages that can be written."""
        return (*SHIPPED, *(name for name in self.by_language if name not in SHIPPED))


def known_files() -> tuple[str, ...]:
    """The names that a file in the folder may have."""
    return (*SHARED, *(f"{kind}.{shape}" for kind in KINDS for shape in SHAPES))


def read_sources(folder: Path | None) -> Sources:
    """The shipped texts, and those of `folder`; raises TemplateProblems."""
    home = files("nightlatch_messages") / "templates"
    shipped = {name: (home / name).read_text("utf-8") for name in known_files()}
    if folder is None:
        return Sources(shipped, {}, {})
    problems: list[str] = []
    replaced, inner = _read_folder(folder, problems)
    by_language: dict[str, dict[str, str]] = {}
    for language in inner:
        by_language[language.name], deeper = _read_folder(language, problems)
        problems += [f"{path} is a folder in a language's folder." for path in deeper]
    if problems:
        raise TemplateProblems(problems)
    return Sources(shipped, replaced, by_language)


def _read_folder(folder: Path, problems: list[str]) -> tuple[dict[str, str], list[Path]]:
    """The texts in `folder` and the folders in it; what is wrong goes to `problems`."""
    texts: dict[str, str] = {}
    inner: list[Path] = []
    try:
        _refuse_writable(folder, folder.stat())
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        problems.append(f"{folder} can not be read: {error.strerror}.")
        return texts, inner
    except ValueError as error:
        problems.append(str(error))
        return texts, inner
    for path in entries:
        if path.is_dir():
            inner.append(path)
        elif path.name not in known_files():
            problems.append(f"{path} replaces nothing: no template has this name.\n{_KNOWN}")
        else:
            try:
                texts[path.name] = _read(path)
            except OSError as error:
                problems.append(f"{path} can not be read: {error.strerror}.")
            except ValueError as error:
                problems.append(str(error))
    return texts, inner


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        _refuse_writable(path, status)
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError(f"{path} is longer than {LARGEST} bytes.")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not in UTF-8: see its byte {error.start}.") from None


def _refuse_writable(path: Path, status: os.stat_result) -> None:
    if status.st_mode & _OTHERS_WRITE:
        mode = stat.S_IMODE(status.st_mode)
        raise ValueError(
            f"others may write {path} (mode {mode:04o}), and so say anything.\nRun: chmod go-w {path}"
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise ValueError(
            f"{path} belongs to uid {status.st_uid}.\nIt must belong to the daemon's user or root."
        )


_KNOWN = "A name is a message and an ending, such as login_code.html; endings: subject, txt, html, sms."
