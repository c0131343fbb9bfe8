"""Root's commands do what they do to the daemon's files with the rights of the daemon's user.

MUST 1: what is made there belongs to the daemon's user, and a link that this user has put there leads root to
        nothing that this user could not write anyway.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from nightlatch.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def rights_of_owner(folder: Path) -> Iterator[None]:
    """Have the rights of the folder's owner until this is left; raises Conflict where that is not allowed.

    Only for a process with one thread: the C library passes the change on to all of them.
    """
    try:
        status = folder.stat()
    except OSError as error:
        raise Conflict(f"{folder} can not be looked at: {error.strerror}. Run this as root.") from None
    uid, gid = os.geteuid(), os.getegid()
    if status.st_uid == uid:
        yield
        return
    if uid != 0:
        raise Conflict(f"{folder} belongs to uid {status.st_uid}. Run this as root, or as that user.")
    os.setegid(status.st_gid)
    os.seteuid(status.st_uid)
    try:
        yield
    finally:
        os.seteuid(uid)
        os.setegid(gid)
