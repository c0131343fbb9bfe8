"""The helper process itself: when it starts, whom it answers, and what it keeps to itself."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from nightlatch.directories import pam_protocol as protocol
from nightlatch.directories.pam_protocol import Outcome
from testbed.pamcheck import PLAIN, PamCheckProcess, PrivateUsers
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RIGHT = protocol.answer(Outcome.RIGHT)
INVALID = protocol.answer(Outcome.INVALID)


def _ask(path: Path, question: bytes, *, shut: bool = True) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(str(path))
        client.sendall(question)
        if shut:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        with contextlib.suppress(ConnectionResetError):  # it stopped reading what it will not look at
            while part := client.recv(64):
                answer += part
        return answer


def _head(name: int, password: int, version: int = protocol.VERSION) -> bytes:
    return struct.pack("!BHH", version, name, password)


def test_it_answers(pamcheck: PamCheckProcess) -> None:
    """A question gets its answer, two bytes and the end."""
    assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT
    assert _ask(pamcheck.socket, protocol.question("alice", b"nope")) == protocol.answer(Outcome.WRONG)


MALFORMED = {
    "nothing": b"",
    "half a head": b"\x01\x00",
    "another version": _head(5, 4, version=2) + b"alicepass",
    "no name": _head(0, 4) + b"pass",
    "no password": _head(5, 0) + b"alice",
    "64 KiB name": _head(65535, 4) + b"a" * 65535 + b"pass",
    "overlong password": _head(5, 1025) + b"alice" + b"x" * 1025,
    "cut short": _head(5, 100) + b"alice" + b"x" * 50,
    "NUL in the name": _head(6, 4) + b"al\x00ice" + b"pass",
    "NUL in the password": _head(5, 5) + b"alice" + b"pa\x00ss",
    "no UTF-8": _head(5, 4) + b"\xff\xfe\xfd\xfc\xfb" + b"pass",
    "a path": _head(10, 4) + b"../../tmp/" + b"pass",
    "an option": _head(3, 4) + b"-rf" + b"pass",
    "a service in the name": _head(10, 4) + b"alice\nsudo" + b"pass",
}


@pytest.mark.parametrize("question", MALFORMED.values(), ids=MALFORMED)
def test_malformed_questions(pamcheck: PamCheckProcess, question: bytes) -> None:
    """PPW-02, PRV-04: what is not exactly a question never reaches PAM, and costs nothing."""
    try:
        answer = _ask(pamcheck.socket, question)
    except BrokenPipeError:  # the same, while we still sent
        answer = INVALID
    assert answer == INVALID
    assert "PAM" not in pamcheck.log()
    assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT


def test_other_users_are_not_answered(pam_users: PrivateUsers) -> None:
    """PRV-04: the helper hangs up on every uid but the one it was started for, root included."""
    helper = PamCheckProcess(pam_users, allow_uid=os.geteuid() + 4711)
    helper.start()
    try:
        with pytest.raises((ConnectionError, AssertionError)):
            assert _ask(helper.socket, protocol.question("alice", b"Pw-alice-x")) != b""
        assert "refused uid" in helper.log()
    finally:
        helper.stop()


def test_its_socket_is_for_one_user(pamcheck: PamCheckProcess) -> None:
    """PRV-04: the socket belongs to the daemon's user, and nobody else may even connect."""
    status = pamcheck.socket.stat()
    assert (status.st_uid, status.st_mode & 0o777) == (0, 0o600)


def test_a_silent_caller_is_hung_up_on(pamcheck: PamCheckProcess) -> None:
    """Who connects and says nothing holds a process for two seconds, and nobody else up."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(str(pamcheck.socket))
        start = time.monotonic()
        assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT
        assert time.monotonic() - start < 2, "the silent one has two seconds"
        silent.settimeout(10)
        assert silent.recv(64) == INVALID


_LIMITED = """
import socket, sys
from nightlatch.directories.pamcheck_server import Limits, PamCheck
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    PamCheck(listener, 0, Limits(children=3, conversation=float(sys.argv[2]), question=60)).serve()
"""


@contextlib.contextmanager
def _limited(users: PrivateUsers, conversation: float) -> Iterator[PamCheckProcess]:
    """A helper with room for three conversations of some seconds each."""
    helper = PamCheckProcess(users)
    command = users.command(sys.executable, "-c", _LIMITED, helper.socket, str(conversation))
    child = Child(command, users.folder / "pamcheck.log", env=users.environment)
    try:
        wait_until(helper.listens, "the helper", child)
        yield helper
    finally:
        child.stop()


def test_too_many_conversations(pam_users: PrivateUsers) -> None:
    """When all conversations are taken, the next is told that the helper is busy; then there is room."""
    question = protocol.question("alice", b"Pw-alice-x")
    with _limited(pam_users, conversation=60) as helper:
        wait_until(lambda: _ask(helper.socket, question) == RIGHT, "room")  # the look for the socket is over
        with contextlib.ExitStack() as waiting:
            for _ in range(3):
                waiting.enter_context(socket.socket(socket.AF_UNIX)).connect(str(helper.socket))
            assert _ask(helper.socket, question) in {protocol.answer(Outcome.BUSY), b""}
            assert "busy" in helper.log()
        wait_until(lambda: _ask(helper.socket, question) == RIGHT, "room")


def test_a_conversation_that_hangs_is_killed(pam_users: PrivateUsers) -> None:
    """A PAM module that does not come back in time is ended, and grants nothing."""
    hanging = pam_users.write_script("hanging", "exec sleep 5")
    pam_users.write_service(f"auth required pam_exec.so quiet {hanging}\n" + PLAIN)
    with _limited(pam_users, conversation=0.5) as helper:
        assert _ask(helper.socket, protocol.question("alice", b"Pw-alice-x")) == b""
        wait_until(lambda: "killed a conversation" in helper.log(), "the note of it")


def test_a_crash_is_an_outage(pam_users: PrivateUsers, pamcheck: PamCheckProcess) -> None:
    """A conversation whose process is killed grants nothing, and the helper goes on."""
    deadly = pam_users.write_script("deadly", "kill -9 $PPID")
    pam_users.write_service(f"auth required pam_exec.so quiet {deadly}\n" + PLAIN)
    assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == b""
    pam_users.write_service(PLAIN)
    assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT


REFUSALS = {
    "there is no PAM service": None,
    "it has no account line": "auth required pam_unix.so\n",
    "it has no auth line": "account required pam_unix.so\n",
    "it contains pam_nightlatch": PLAIN + "auth required pam_nightlatch.so\n",
    "common: it contains pam_nightlatch": "@include common\n" + PLAIN,
    "includes itself": "auth include loop\n" + PLAIN,
}


@pytest.mark.parametrize(("words", "service"), REFUSALS.items(), ids=REFUSALS)
def test_it_does_not_start_with_an_unfit_service(
    pam_users: PrivateUsers, words: str, service: str | None
) -> None:
    """A service that is missing, incomplete, or leads back to nightlatch stops the start, and is named."""
    pam_users.write_service("auth required /lib/security/pam_nightlatch.so\n", "common")
    pam_users.write_service("auth substack nightlatch-primary\n", "loop")
    if service is None:
        (pam_users.services / "nightlatch-primary").unlink()
    else:
        pam_users.write_service(service)
    helper = PamCheckProcess(pam_users)
    assert helper.launch().wait() == 2
    assert words in helper.log()


def test_it_does_not_start_without_its_user(pam_users: PrivateUsers) -> None:
    """Without --allow-uid and without the user nightlatch nobody could ask: it says so."""
    done = subprocess.run(
        pam_users.command(
            sys.executable, "-m", "nightlatch.directories.pamcheck", "--socket", pam_users.folder / "s"
        ),
        env=pam_users.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no user nightlatch" in done.stderr


def test_a_second_helper_does_not_take_the_socket(pamcheck: PamCheckProcess) -> None:
    """Where one listens, another does not start; what a killed one left behind is replaced."""
    second = PamCheckProcess(pamcheck.users)
    assert second.launch().wait() == 2
    assert "another nightlatch-pamcheck listens" in second.log()
    pamcheck.kill()
    assert pamcheck.socket.exists()
    pamcheck.start()
    assert _ask(pamcheck.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT


def test_it_takes_a_socket_from_systemd(pam_users: PrivateUsers) -> None:
    """A socket from systemd is served, by root without capabilities and under NoNewPrivileges."""
    path = pam_users.folder / "passed.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        helper = PamCheckProcess(pam_users)
        child = helper.launch_with(listener)
        try:
            wait_until(lambda: "ready" in helper.log(), "nightlatch-pamcheck", child)
            assert _ask(path, protocol.question("alice", b"Pw-alice-x")) == RIGHT
        finally:
            assert child.stop() == 0


def test_nothing_in_the_environment_decides_what_runs(pam_users: PrivateUsers, tmp_path: Path) -> None:
    """PRV-03: a PYTHONPATH with another `pam`, and a DISPLAY, change nothing."""
    (tmp_path / "pam").mkdir()
    (tmp_path / "pam" / "__init__.py").write_text("raise SystemExit(77)\n")
    (tmp_path / "argparse.py").write_text("raise SystemExit(78)\n")
    helper = PamCheckProcess(pam_users)
    child = helper.launch(entry=True, environment={"PYTHONPATH": str(tmp_path), "DISPLAY": ":0"})
    try:
        wait_until(helper.listens, "nightlatch-pamcheck", child)
        assert _ask(helper.socket, protocol.question("alice", b"Pw-alice-x")) == RIGHT
    finally:
        assert child.stop() == 0


_HARDENED = """
import ctypes, os, resource, sys
from nightlatch.directories import pamcheck_server
heavy = {"ldap3", "pydantic", "asyncio", "cryptography", "structlog"} & set(sys.modules)
pamcheck_server.harden()
dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)
print(dumpable, resource.getrlimit(resource.RLIMIT_CORE), list(os.environ), heavy)
"""


def test_it_shows_nothing_of_itself() -> None:
    """LEK-02: no core file, not dumpable, an empty environment, and none of the daemon's libraries."""
    done = subprocess.run([sys.executable, "-c", _HARDENED], capture_output=True, text=True, check=True)
    assert done.stdout == "0 (0, 0) ['PATH'] set()\n"


def test_sigterm_lets_conversations_end(pam_users: PrivateUsers, pamcheck: PamCheckProcess) -> None:
    """A stop waits for the conversations that run, and takes no new ones."""
    started = pam_users.folder / "started"
    slow = pam_users.write_script("slow", f"touch {started}; sleep 0.5")
    pam_users.write_service(f"auth required pam_exec.so quiet {slow}\n" + PLAIN)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(pamcheck.socket))
        client.sendall(protocol.question("alice", b"Pw-alice-x"))
        wait_until(started.exists, "the conversation")
        pamcheck.stop()
        assert client.recv(64) == RIGHT
