"""A PAM program for the tests: one transaction through the real libpam, in a child process.

The services are files in a folder of the test's own (pam_start_confdir(3)), so nothing of the machine's
PAM configuration is read or changed. What the modules log is caught and returned.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HERE = Path(__file__).parent
_CAPTURE = _HERE.parents[1] / "build" / "testbed" / "syslog_capture.so"


class PamCode(IntEnum):
    """The return codes of libpam that the tests speak of."""

    SUCCESS = 0
    SERVICE_ERR = 3
    BUF_ERR = 5
    AUTH_ERR = 7
    AUTHINFO_UNAVAIL = 9
    MAXTRIES = 11
    CONV_ERR = 19
    IGNORE = 25


class Style(IntEnum):
    """The kinds of message in a conversation."""

    PROMPT_ECHO_OFF = 1
    PROMPT_ECHO_ON = 2
    ERROR_MSG = 3
    TEXT_INFO = 4


@dataclass(frozen=True, slots=True)
class Heard:
    """One message of the conversation."""

    style: Style
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PamResult:
    """What a transaction came to. `seconds` has the wall time of each operation."""

    rc: int
    operations: Mapping[str, int]
    messages: tuple[Heard, ...]
    seconds: tuple[float, ...]
    log: tuple[str, ...]
    traces: tuple[Mapping[str, object], ...] = field(repr=False)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The texts that asked for an answer."""
        asking = (Style.PROMPT_ECHO_OFF, Style.PROMPT_ECHO_ON)
        return tuple(heard.text for heard in self.messages if heard.style in asking)


def write_service(folder: Path, name: str, *lines: str) -> Path:
    """Write the PAM service file `name` with these lines; the folder gets a denying `other` as well."""
    folder.mkdir(parents=True, exist_ok=True)
    phases = ("auth", "account", "password", "session")
    (folder / "other").write_text("".join(f"{phase} required pam_deny.so\n" for phase in phases))
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def syslog_capture() -> Path:
    """The library that catches syslog, built when it is missing or older than its source."""
    source = _HERE / "syslog_capture.c"
    if not _CAPTURE.exists() or _CAPTURE.stat().st_mtime < source.stat().st_mtime:
        _CAPTURE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CAPTURE.parent) as folder:
            made = Path(folder) / "made.so"
            subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", made, source], check=True)
            made.rename(_CAPTURE)
    return _CAPTURE


def _hex(text: str | bytes) -> str:
    return (text.encode() if isinstance(text, str) else text).hex()


def authenticate(
    service_dir: Path,
    service: str,
    user: str | bytes | None,
    answers: Sequence[str | bytes] = (),
    *,
    items: Mapping[str, str | bytes] | None = None,
    operations: Sequence[str] = ("authenticate",),
    flags: int = 0,
    rounds: int = 1,
    env: Mapping[str, str] | None = None,
    pam_env: Mapping[str, str | bytes] | None = None,
    preload: Sequence[Path] = (),
    seconds: float = 60,
) -> PamResult:
    """Run `operations` of libpam for `user` and give `answers` to the prompts, in their order.

    `items` may set tty, rhost and ruser; `env` is the child's environment, `pam_env` PAM's own. A prompt
    without an answer left fails the conversation. With `rounds` the operations are repeated in one process.
    Raises CalledProcessError when the child crashed (a sanitizer's report is in its stderr) and
    TimeoutExpired after `seconds`. Blocks: call it through asyncio.to_thread() where the server runs in the
    test's own loop.
    """
    request = {
        "service_dir": str(service_dir),
        "service": service,
        "user": None if user is None else _hex(user),
        "answers": [_hex(answer) for answer in answers],
        "items": {name: _hex(value) for name, value in (items or {}).items()},
        "operations": list(operations),
        "flags": flags,
        "rounds": rounds,
        "pam_env": [_hex(name + "=") + _hex(value) for name, value in (pam_env or {}).items()],
    }
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "syslog"
        libraries = [*preload, syslog_capture()]
        done = subprocess.run(
            [sys.executable, "-I", _HERE / "pam_child.py"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            env={
                "PATH": os.defpath,
                **(env or {}),
                "CAPTURED_SYSLOG": str(log),
                "LD_PRELOAD": " ".join(map(str, libraries)),
            },
        )
        if done.returncode != 0:
            sys.stderr.write(done.stderr)
            done.check_returncode()
        lines = tuple(log.read_text(errors="replace").splitlines()) if log.exists() else ()
    answer = json.loads(done.stdout)
    return PamResult(
        rc=answer["rc"],
        operations=answer["operations"],
        messages=tuple(Heard(Style(style), text) for style, text in answer["messages"]),
        seconds=tuple(answer["seconds"]),
        log=lines,
        traces=tuple(answer["traces"]),
    )
