"""Passwords and tokens in files of their own, read once, at start.

MUST 1: a file that others may read or change is refused.
MUST 2: no message and no repr holds a file's content.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

LARGEST = 4096
"""Bytes that such a file may have."""
_OTHERS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP


class Secret:
    """A text that does not show itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(•••)"

    def reveal(self) -> str:
        """The text itself, for the wire only."""
        return self._text


def read_secret(setting: str, path: Path) -> Secret:
    """The secret on a file's one line; raises ValueError with `setting`, and what to do."""
    try:
        content = _private_content(setting, path)
    except OSError as error:
        raise ValueError(
            f"{setting}: {path} can not be opened: {error.strerror}.\nThe daemon's user must be able to."
        ) from None
    text = content.decode("ascii", errors="replace").removesuffix("\n").removesuffix("\r")
    if not text or len(content) > LARGEST or not (text.isascii() and text.isprintable()):
        raise ValueError(
            f"{setting}: {path} does not hold one line of printable ASCII.\n"
            "Write the secret, and nothing else, on its one line."
        )
    return Secret(text)


def _private_content(setting: str, path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{setting}: {path} is no file.\nWrite the secret into a file of its own.")
        # systemd shows a credential to its service by an ACL, whose mask looks like a group's right to read.
        others = _OTHERS if status.st_gid == 0 else _OTHERS | stat.S_IRGRP
        if status.st_mode & others:
            mode = stat.S_IMODE(status.st_mode)
            raise ValueError(
                f"{setting}: others may read or change {path} (mode {mode:04o}).\nRun: chmod 600 {path}"
            )
        return file.read(LARGEST + 1)
