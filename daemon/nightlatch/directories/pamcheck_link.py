"""The daemon's side of `nightlatch-pamcheck`: a connection for each question.

MUST 1: the password goes to the process of the allowed user, and to nobody else who listens at that path.
MUST 2: only a complete answer is one, and nobody waits for it longer than the limit.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from typing import TYPE_CHECKING

from nightlatch.directories.pam_protocol import ANSWER_BYTES, Malformed, Outcome, question, read_answer
from nightlatch.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import structlog

    from nightlatch.directories.settings import PamSettings


class PamCheckLink:
    """Asks about passwords. `part` names the directory in errors ("directory local")."""

    def __init__(
        self, part: str, settings: PamSettings, log: structlog.stdlib.BoundLogger, allowed_uid: int
    ) -> None:
        self._part = part
        self._settings = settings
        self._log = log
        self._allowed_uid = allowed_uid
        self._checks = 0

    async def ask(self, name: str, password: bytes) -> Outcome:
        """How the check of one password ended; raises Unavailable."""
        if self._checks >= self._settings.max_checks:
            raise Unavailable(self._part, "too many passwords are checked already")
        self._checks += 1
        try:
            async with self._connected() as (reader, writer):
                writer.write(question(name, password))
                await writer.drain()
                answer = b""
                while len(answer) <= ANSWER_BYTES and (part := await reader.read(ANSWER_BYTES + 1)):
                    answer += part
                return read_answer(answer)
        except Malformed as error:
            raise Unavailable(self._part, f"nightlatch-pamcheck answered wrongly: {error}") from None
        finally:
            self._checks -= 1

    async def listens(self) -> None:
        """Return where somebody who may be asked listens; raises Unavailable."""
        async with self._connected():
            return

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A connection, all of it within the limit; raises Unavailable."""
        path, limit = self._settings.socket, self._settings.timeout
        writer = None
        try:
            async with asyncio.timeout(limit):
                reader, writer = await asyncio.open_unix_connection(path)
                self._require_allowed(writer)
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

    def _require_allowed(self, writer: asyncio.StreamWriter) -> None:
        """Make sure that the other side is the right user, before it gets a password (MUST 1)."""
        credentials = writer.get_extra_info("socket").getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
        )
        _, uid, _ = struct.unpack("3i", credentials)
        if uid != self._allowed_uid:
            self._log.error("directory.false_helper", socket=str(self._settings.socket), uid=uid)
            raise Unavailable(
                self._part, f"uid {uid} listens at {self._settings.socket}, not nightlatch-pamcheck"
            )
