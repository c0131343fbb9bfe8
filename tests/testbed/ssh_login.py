"""A login with OpenSSH's own client at a terminal, as a person does it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pexpect

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

WELCOME = "signed-in-by-nightlatch"
PASSWORD = r"Password: "
CODE = r"Code from your authenticator app [^:]*: "


@dataclass
class SshLogin:
    """One attempt. `answers` says what to type at which prompt (a pattern), as often as it is asked."""

    port: int
    user: str
    folder: Path
    key: Path | None = None
    transcript: str = ""
    prompts: list[str] = field(default_factory=list)

    def run(self, answers: Mapping[str, str], seconds: float = 60) -> bool:
        """Log in; whether the shell was reached."""
        patterns = list(answers)
        client = self.open(seconds)
        while True:
            found = client.expect([*patterns, WELCOME, pexpect.EOF])
            self.transcript += str(client.before) + (str(client.after) if found <= len(patterns) else "")
            if found >= len(patterns):
                client.close()
                return found == len(patterns)
            self.prompts.append(str(client.after))
            client.sendline(answers[patterns[found]])

    def open(self, seconds: float = 60) -> pexpect.spawn[str]:
        """Start the client, and leave the rest to the caller."""
        command = [*self._command(), "echo", WELCOME]
        return pexpect.spawn(
            command[0], command[1:], timeout=seconds, encoding="utf-8", codec_errors="replace"
        )

    def _command(self) -> Iterator[str]:
        yield from ("ssh", "-F", "none", "-tt", "-p", str(self.port))
        methods = "publickey,keyboard-interactive" if self.key else "keyboard-interactive"
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": str(self.folder / "known_hosts"),
            "PreferredAuthentications": methods,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "NumberOfPasswordPrompts": "1",
            "LogLevel": "INFO",
        }
        for name, value in options.items():
            yield from ("-o", f"{name}={value}")
        if self.key:
            yield from ("-i", str(self.key))
        yield f"{self.user}@127.0.0.1"
