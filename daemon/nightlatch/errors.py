"""The ways in which something fails, kept apart from the first line to the last.

MUST 1: what counts against a person (`Refused`) and what does not (`Unavailable`) never mix.
MUST 2: no message of these errors carries a secret, or a name as it was typed.
MUST 3: a process without memory ends. An allocation that failed may leave a lock held or a thread dead, and
        what is left would answer nobody, for ever. The next one goes on: tickets and store have everything.
"""

from __future__ import annotations

import os
from typing import NoReturn

EXIT_NO_MEMORY = 71
"""The exit code of a process that found no memory (EX_OSERR, sysexits(3))."""
_NO_MEMORY = b"nightlatchd: there is no memory left. This process ends, to be started again.\n"


def end_without_memory() -> NoReturn:
    """End this process at once (MUST 3). Called where a MemoryError comes to light; allocates nothing."""
    try:
        os.write(2, _NO_MEMORY)
    finally:
        os._exit(EXIT_NO_MEMORY)


class NightlatchError(Exception):
    """The root of all errors that nightlatch raises on purpose."""


class Refused(NightlatchError):
    """The person showed something wrong. `reason` is for log and audit, never for the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Restricted(Refused):
    """The password was right, but the directory does not let this account sign in now.

    `reason` is for log and audit, `words` for the person, who has shown the password.
    """

    def __init__(self, reason: str, words: str) -> None:
        super().__init__(reason)
        self.words = words


class Locked(NightlatchError):
    """Too many attempts: nothing was checked.

    `retry_after` is seconds from now, 0 when only an administrator helps; `words` is for the person, where it
    was something else than attempts.
    """

    def __init__(self, reason: str, retry_after: float, words: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.words = words


class Unavailable(NightlatchError):
    """A part could not answer (`part`: "directory corp", "store"). Says nothing about the person."""

    def __init__(self, part: str, reason: str) -> None:
        super().__init__(f"{part}: {reason}")
        self.part = part
        self.reason = reason


class Invalid(NightlatchError):
    """A request or an answer that no well-behaved caller sends; refused before anything is looked up."""


class Conflict(NightlatchError):
    """What was asked can not be done as things are; the message says what has to come first."""


class PasswordNotTaken(Conflict):
    """A directory does not take a new password; the message is for the person."""


class ProofNeeded(Conflict):
    """A change to one's own account needs a fresh proof by a second factor first."""


class SessionEnded(NightlatchError):
    """A person's session is over, or was never this caller's: sign in again."""


class NotFound(NightlatchError):
    """An administrator named something that does not exist."""


class ConfigError(NightlatchError):
    """A configuration that can not be taken, with every problem that was found."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def lines(self) -> list[str]:
        """Each problem in one line, for the log."""
        return [" ".join(problem.split()) for problem in self.problems]


class SettingsProblems(ConfigError):
    """Settings that can not be taken, each problem with the setting's place ("factors.totp.digits").

    The configuration puts file and line in front; `problems` is for those who have neither.
    """

    def __init__(self, located: tuple[tuple[str, str], ...]) -> None:
        super().__init__(tuple(f"{place}: {message}" for place, message in located))
        self.located = located
