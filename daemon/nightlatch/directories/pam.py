"""The accounts of this machine. Names come from NSS, passwords are checked by `nightlatch-pamcheck`.

MUST 1: a name is what passwd(5) spells, letter by letter: `Bob` and `bob` are two people.
MUST 2: the password goes to a helper that runs as root, and to nobody else who listens at that path.
MUST 3: only a complete answer grants, and only the outcome RIGHT does.
"""

from __future__ import annotations

import asyncio
import contextlib
import pwd
import socket
import struct
from typing import TYPE_CHECKING

from nightlatch.directories.bounded import BoundedCalls
from nightlatch.directories.pam_protocol import (
    ANSWER_BYTES,
    Malformed,
    Outcome,
    is_unix_name,
    question,
    read_answer,
)
from nightlatch.directories.passwords import password_bytes
from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Account

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import structlog

    from nightlatch.directories.settings import PamSettings
    from nightlatch.model import Secret
    from nightlatch.ports import Clock

_ROOT = 0

_REFUSALS = {
    Outcome.WRONG: "wrong password",
    Outcome.MUST_CHANGE: "the password must be changed first",
    Outcome.EXPIRED: "the account has expired",
    Outcome.MORE_ASKED: "the PAM service nightlatch-primary asked for more than the password",
}
_OUTAGES = {
    Outcome.BUSY: "nightlatch-pamcheck checks too many passwords already",
    Outcome.INVALID: "nightlatch-pamcheck did not understand: is it of another version?",
    Outcome.UNAVAILABLE: "PAM could not check the password; the journal of nightlatch-pamcheck says why",
}


class PamDirectory:
    """The local accounts as a directory. Implements `nightlatch.ports.Directory`."""

    def __init__(
        self,
        settings: PamSettings,
        log: structlog.stdlib.BoundLogger,
        clock: Clock,
        helper_uid: int = _ROOT,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._part = f"directory {settings.name}"
        self._log = log.bind(directory=settings.name)
        self._helper_uid = helper_uid
        self._lookups = BoundedCalls(self._part, settings.max_lookups, settings.timeout)
        self._checks = 0

    @property
    def name(self) -> str:
        """The directory's name in the configuration."""
        return self._settings.name

    async def find(self, name: str) -> Account | None:
        """The account with exactly this name, or None; raises Unavailable."""
        if not is_unix_name(name):
            return None
        found = await self._lookups.run(lambda _: self._look_up(name))
        return Account(self.name, found, found) if found == name else None

    async def check_password(self, account: Account, password: Secret) -> None:
        """Ask the helper; raises Refused for what is the person's, Unavailable for anything else."""
        password_bytes(password)
        if account.directory != self.name or not is_unix_name(account.stable_id):
            raise Unavailable(self._part, "was asked about an account that is not in it")
        outcome = await self._ask(account.stable_id, password)
        if outcome is Outcome.RIGHT:
            return
        if outcome in _REFUSALS:
            raise Refused(_REFUSALS[outcome])
        raise Unavailable(self._part, _OUTAGES[outcome])

    async def health(self) -> str:
        """See whether the helper listens; raises Unavailable."""
        async with self._connected():
            return f"nightlatch-pamcheck listens at {self._settings.socket}"

    async def close(self) -> None:
        """Wait for the look-ups that run."""
        await self._lookups.close()

    def _look_up(self, name: str) -> str:
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            return ""
        except OSError as error:
            raise Unavailable(self._part, f"the user database did not answer: {error.strerror}") from None

    async def _ask(self, name: str, password: Secret) -> Outcome:
        if self._checks >= self._settings.max_checks:
            raise Unavailable(self._part, "too many passwords are checked already")
        self._checks += 1
        try:
            async with self._connected() as (reader, writer):
                writer.write(question(name, password_bytes(password)))
                await writer.drain()
                answer = b""
                while len(answer) <= ANSWER_BYTES and (part := await reader.read(ANSWER_BYTES + 1)):
                    answer += part
                return read_answer(answer)
        except Malformed as error:
            raise Unavailable(self._part, f"nightlatch-pamcheck answered wrongly: {error}") from None
        finally:
            self._checks -= 1

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection to the helper, all of it within the deadline; raises Unavailable."""
        path, limit = self._settings.socket, self._settings.timeout
        writer = None
        try:
            async with asyncio.timeout(limit):
                reader, writer = await asyncio.open_unix_connection(path)
                self._require_helper(writer)
                yield reader, writer
        except TimeoutError:
            raise Unavailable(self._part, f"nightlatch-pamcheck did not answer in {limit:g} s") from None
        except OSError as error:
            raise Unavailable(
                self._part,
                f"nightlatch-pamcheck is not to be reached at {path}: {error.strerror}. Does it run?",
            ) from None
        finally:
            if writer is not None:
                writer.transport.abort()

    def _require_helper(self, writer: asyncio.StreamWriter) -> None:
        """Make sure that the other side is the helper's user, before it gets a password (MUST 2)."""
        credentials = writer.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        _, uid, _ = struct.unpack("3i", credentials)
        if uid != self._helper_uid:
            self._log.error("directory.false_helper", socket=str(self._settings.socket), uid=uid)
            raise Unavailable(
                self._part, f"uid {uid} listens at {self._settings.socket}, not nightlatch-pamcheck"
            )
