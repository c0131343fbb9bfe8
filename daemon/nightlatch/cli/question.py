"""A question whose answer the daemon judges, on a terminal or line by line with a program.

MUST 1: what is typed goes to the daemon, and nowhere else.
MUST 2: an answer that did not come, or came empty, is never sent: it would count as a guess.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import grpc
import typer

from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.output import plain, print_json, say

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 3
T = TypeVar("T")
_WISHES = frozenset({b"r", b"resend"})


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and what is said of answers that are not right."""

    prompt: str
    unchanged: str
    """What holds when it ends without a right answer: "Nothing was stored."."""
    as_json: bool
    wrong: str = ""
    """The words for a wrong answer; the daemon's own where empty."""
    after_last: str = ""
    """What to do after the last wrong answer."""

    def until_right(self, send: Callable[[bytes], T]) -> T:
        """Ask until the daemon takes an answer, at most three times; raises Failure where it took none."""
        for left in reversed(range(TRIES)):
            answer = self._ask()
            try:
                return send(answer)
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.PERMISSION_DENIED:
                    raise
                words = self.wrong or error.details() or "That was not right."
            if left:
                self._tell(words, left)
        raise Failure(
            f"{words} {self.after_last}".strip(), Exit.REFUSED, grpc.StatusCode.PERMISSION_DENIED.name
        )

    def _ask(self) -> bytes:
        if not self.as_json:
            sys.stdout.write(f"{plain(self.prompt).rstrip(' :')}: ")
            sys.stdout.flush()
        answer = sys.stdin.buffer.readline().strip()
        if not answer:
            raise Failure(f"No answer came. {self.unchanged}", Exit.REFUSED)
        if answer.lower() in _WISHES:
            message = f"{self.unchanged} Run the same command again to have another code sent."
            raise Failure(message, Exit.REFUSED)
        return answer

    def _tell(self, words: str, left: int) -> None:
        if self.as_json:
            print_json({"confirmed": False, "message": words, "tries_left": left})
        else:
            say(f"{words} {left} more {'try' if left == 1 else 'tries'}.")


def consent(question: str, *, yes: bool, as_json: bool, unchanged: str) -> None:
    """Ask before something is taken away; raises Failure without a clear yes."""
    if yes:
        return
    if as_json:
        raise Failure("With --json nothing is asked: add --yes.", Exit.WRONG_USE)
    if not typer.confirm(plain(question)):
        raise Failure(unchanged, Exit.REFUSED)
