"""Files with secrets, and with certificates.

MUST 1: a secret is read from a file that nobody but its owner may read, and that owner is root or the daemon.
MUST 2: what is in it is part of no error and of no repr (LEK-01).
MUST 3: a file is checked at the start and whenever it is read: it may be replaced while the daemon runs.
"""

from __future__ import annotations

import errno
import os
import ssl
import stat
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

LARGEST = 16 * 1024
"""Bytes; a service account's JSON has 2,400."""
_OTHERS = stat.S_IRWXO | stat.S_IWGRP | stat.S_IXGRP
_OWNER = "It must belong to the daemon's user or root."


def read_secret(path: Path) -> str:
    """The whole text of a secret file, without blanks at its ends; raises ValueError in words for people."""
    try:
        content, status = _opened(path)
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}.") from None
    except OSError as error:
        raise ValueError(f"{path} can not be opened: {error.strerror}.") from None
    # systemd shows a credential to its service by an ACL, whose mask looks like a group's right to read.
    others = _OTHERS if status.st_gid == 0 else _OTHERS | stat.S_IRGRP
    if status.st_mode & others:
        mode = stat.S_IMODE(status.st_mode)
        raise ValueError(f"others may read {path} (mode {mode:04o}).\nRun: chmod 600 {path}")
    if status.st_uid not in {0, os.geteuid()}:
        raise ValueError(f"{path} belongs to uid {status.st_uid}.\n{_OWNER}")
    if len(content) > LARGEST:
        raise ValueError(f"{path} is longer than {LARGEST} bytes: it is no secret.")
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not in UTF-8.") from None
    if not text:
        raise ValueError(f"{path} is empty.\nPut the secret into its first line.")
    return text


def read_line(path: Path) -> str:
    """The secret in the first line of a file, such as a password; raises ValueError."""
    line = read_secret(path).splitlines()[0].strip()
    if not line.isprintable():
        raise ValueError(f"the first line of {path} holds a control character.")
    return line


def _opened(path: Path) -> tuple[bytes, os.stat_result]:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return file.read(LARGEST + 1), status


def _a_line(path: Path) -> Path:
    read_line(path)
    return path


def _certificates(path: Path) -> Path:
    try:
        _, status = _opened(path)
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}.") from None
    except OSError as error:
        raise ValueError(f"{path} can not be opened: {error.strerror}.") from None
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(f"others may write {path}, and so choose whom to trust.\nRun: chmod go-w {path}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        raise ValueError(
            f"{path} holds no certificate in PEM.\nIt must begin with -----BEGIN CERTIFICATE-----."
        ) from None
    return path


SecretFile = Annotated[Path, AfterValidator(_a_line)]
"""A file whose first line is a secret."""
CaFile = Annotated[Path, AfterValidator(_certificates)]
"""Certificates of authorities, in PEM."""
