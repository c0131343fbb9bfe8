"""`nightlatch-pamcheck`: checks local passwords for the daemon, as root, away from every network.

MUST 1: it talks to one uid only, and to no service but `nightlatch-primary`.
MUST 2: one process a conversation, without threads: no answer can reach another person's question,
        and a PAM module that hangs or crashes takes nobody with it.
MUST 3: processes are bounded in number and in time.
MUST 4: no password and no name in argv, the environment, a log or a core file.
MUST 5: any end of a conversation but PAM's own yes is a no, and an exception is an outage.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pwd
import selectors
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nightlatch.directories import pam_protocol as protocol
from nightlatch.directories import pam_service
from nightlatch.directories.pam_conversation import Conversation
from nightlatch.directories.pam_protocol import Outcome
from nightlatch.directories.pamcheck_process import CannotStart, harden, own_socket, passed_socket

DAEMON_USER = "nightlatch"
_WRONG_USE = 2


@dataclass(frozen=True, slots=True)
class Limits:
    """What the helper spends at most."""

    children: int = 128
    """Conversations at the same time."""
    conversation: float = 15.0
    """Seconds after which a conversation is killed; the daemon stopped waiting long before."""
    question: float = 2.0
    """Seconds in which a question must have arrived."""


class NothingAsked(Exception):
    """Somebody connected to see whether we listen."""


class PamCheck:
    """Accepts questions on `listener` and forks a child for each."""

    def __init__(self, listener: socket.socket, allowed_uid: int, limits: Limits) -> None:
        self._listener = listener
        self.allowed_uid = allowed_uid
        self._limits = limits
        self._children: dict[int, float] = {}
        """The time by which each must have ended, by pid."""

    def serve(self) -> None:
        """Serve until SIGTERM or SIGINT, then let what runs come to its end."""
        wake, waker = socket.socketpair()
        for end in (wake, waker, self._listener):
            end.settimeout(0)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        with selectors.DefaultSelector() as events:
            events.register(wake, selectors.EVENT_READ)
            events.register(self._listener, selectors.EVENT_READ)
            stopping = False
            while not stopping or self._children:
                ready = [key.fileobj for key, _ in events.select(self._until_next_limit())]
                if wake in ready and {signal.SIGTERM, signal.SIGINT} & set(wake.recv(4096)):
                    stopping = True
                    with contextlib.suppress(KeyError):
                        events.unregister(self._listener)
                self._reap()
                if self._listener in ready and not stopping:
                    self._accept()

    def _accept(self) -> None:
        try:
            peer, _ = self._listener.accept()
        except OSError:  # the caller went away, or descriptors ran out for a moment
            return
        with peer:
            peer.settimeout(0)
            uid = peer_uid(peer)
            if uid != self.allowed_uid:
                _log(f"refused uid {uid}: only uid {self.allowed_uid} may ask")
            elif len(self._children) >= self._limits.children:
                _log(f"busy: {self._limits.children} conversations already")
                with contextlib.suppress(OSError):  # what is left unread would reset the answer
                    peer.recv(protocol.HEAD_BYTES + protocol.MAX_NAME_BYTES + protocol.MAX_PASSWORD_BYTES)
                _answer(peer, Outcome.BUSY)
            else:
                self._fork(peer)

    def _fork(self, peer: socket.socket) -> None:
        try:
            pid = os.fork()
        except OSError as error:
            _log(f"no process for a conversation: {error.strerror}")
            _answer(peer, Outcome.UNAVAILABLE)
            return
        if pid == 0:
            _converse_and_exit(peer, self._listener, self._limits.question)
        self._children[pid] = time.monotonic() + self._limits.conversation

    def _reap(self) -> None:
        now = time.monotonic()
        for pid, limit in tuple(self._children.items()):
            if os.waitpid(pid, os.WNOHANG)[0] == pid:
                del self._children[pid]
            elif limit <= now:
                _log(f"killed a conversation after {self._limits.conversation:g} s")
                os.kill(pid, signal.SIGKILL)
                self._children[pid] = now + 1

    def _until_next_limit(self) -> float | None:
        if not self._children:
            return None
        return max(0.0, min(self._children.values()) - time.monotonic())


def peer_uid(peer: socket.socket) -> int:
    """The uid of who connected, from the kernel (SO_PEERCRED, unix(7))."""
    _, uid, _ = struct.unpack(
        "3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    )
    return int(uid)


def _converse_and_exit(peer: socket.socket, listener: socket.socket, seconds: float) -> NoReturn:
    """The child's whole life."""
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        listener.close()
        _answer(peer, _converse(peer, seconds))
    except BaseException as error:  # noqa: BLE001 - MUST 5; the traceback's frames hold the password
        _log(f"a conversation failed: {type(error).__name__}")
        _answer(peer, Outcome.UNAVAILABLE)
    finally:
        os._exit(0)


def _converse(peer: socket.socket, seconds: float) -> Outcome:
    try:
        deadline = time.monotonic() + seconds
        name_length, password_length = protocol.read_head(_receive(peer, protocol.HEAD_BYTES, deadline))
        body = _receive(peer, name_length + password_length, deadline)
        name, password = protocol.read_body(body[:name_length], body[name_length:])
    except NothingAsked:
        return Outcome.INVALID
    except (protocol.Malformed, OSError) as error:
        _log(f"a malformed question: {error}")
        return Outcome.INVALID
    wrong = pam_service.problems()
    if wrong:
        _log("; ".join(wrong))
        return Outcome.UNAVAILABLE
    outcome, code = Conversation(password).check(name)
    _log(f"{outcome.name.lower()} (PAM {code})")
    return outcome


def _receive(peer: socket.socket, count: int, deadline: float) -> bytes:
    data = b""
    while len(data) < count:
        peer.settimeout(max(0.001, deadline - time.monotonic()))
        part = peer.recv(count - len(data))
        if not part and not data:
            raise NothingAsked
        if not part:
            raise protocol.Malformed("it ends too early")
        data += part
    return data


def _answer(peer: socket.socket, outcome: Outcome) -> None:
    with contextlib.suppress(OSError):  # the daemon may have stopped waiting
        peer.sendall(protocol.answer(outcome))


def _log(words: str) -> None:
    with contextlib.suppress(OSError):
        os.write(2, f"nightlatch-pamcheck: {words}\n".encode(errors="replace"))


def _allowed_uid(given: int | None) -> int:
    if given is not None:
        return given
    try:
        return pwd.getpwnam(DAEMON_USER).pw_uid
    except KeyError:
        raise CannotStart(
            f"there is no user {DAEMON_USER}, who alone may ask. Create it with systemd-sysusers."
        ) from None


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="nightlatch-pamcheck", description="Checks local passwords for nightlatchd. Started by systemd."
    )
    parser.add_argument("--socket", type=Path, help="where to listen, unless systemd passes a socket")
    parser.add_argument(
        "--allow-uid", type=int, help=f"the uid that may ask (default: that of user {DAEMON_USER})"
    )
    return parser.parse_args()


def _start(arguments: argparse.Namespace) -> PamCheck:
    wrong = pam_service.problems()
    if wrong:
        raise CannotStart("\n".join(wrong))
    uid, limits = _allowed_uid(arguments.allow_uid), Limits()
    listener = passed_socket()
    harden()
    if listener is None:
        if arguments.socket is None:
            raise CannotStart("systemd passed no socket. Give --socket PATH.")
        listener = own_socket(arguments.socket.absolute(), uid, limits.children)
    Conversation(b"")  # loads libpam once, for all children
    return PamCheck(listener, uid, limits)


def main() -> None:
    """Serve until stopped; exit code 2 where it can not start."""
    arguments = _arguments()
    try:
        checker = _start(arguments)
    except CannotStart as error:
        for line in str(error).splitlines():
            _log(line)
        sys.exit(_WRONG_USE)
    _log(f"ready, for uid {checker.allowed_uid}")
    checker.serve()


if __name__ == "__main__":
    main()
