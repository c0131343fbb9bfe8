"""What the blocking and the async client are made of: targets, certificates, time and chance."""

from __future__ import annotations

import datetime as dt
import random  # noqa: TID251, a pause's length is no secret, and this is the one place that draws one
import time
from typing import TYPE_CHECKING

from nightlatch.client.attempts import Attempts
from nightlatch.client.errors import InvalidRequest
from nightlatch.client.identity import Files
from nightlatch.client.targets import UNIX, Targets

if TYPE_CHECKING:
    from os import PathLike

SECONDS = 10.0
SLOW = 3
"""How many times as long a call may take that can not be made again: it may send a message on its way."""


def utc_now() -> dt.datetime:
    """The time."""
    return dt.datetime.now(dt.UTC)  # noqa: TID251, the one place that reads the clock


class Setting:
    """Where a client's calls go, and how long they may take."""

    def __init__(
        self,
        targets: tuple[str, ...],
        files: tuple[str | PathLike[str], str | PathLike[str], str | PathLike[str]],
        timeout: float,
    ) -> None:
        """`files` are certificate, key and CA; raises InvalidRequest, BadCertificate."""
        if not timeout > 0:
            raise InvalidRequest("timeout must be seconds above 0.")
        self.targets = Targets(targets, time.monotonic)
        remote = any(not name.startswith(UNIX) for name in self.targets.names)
        self.files = Files(*files, utc_now) if remote else None
        self.timeout = timeout

    def attempts(self, timeout: float | None, *, harmless: bool) -> Attempts:
        """The attempts of one call; `timeout` takes the place of this client's own."""
        seconds = self.timeout * (1 if harmless else SLOW) if timeout is None else timeout
        return Attempts(self.targets, seconds, harmless=harmless, steady=time.monotonic, chance=random.random)
