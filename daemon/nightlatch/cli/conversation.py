"""Carries a person through the daemon's questions, as a login at a terminal does.

MUST 1: what must not be seen is not shown while it is typed.
MUST 2: what is typed goes to the daemon, and nowhere else.
"""

from __future__ import annotations

import sys
import time
from getpass import getpass
from typing import TYPE_CHECKING

from nightlatch.cli.failure import Exit, Failure
from nightlatch.cli.output import plain, say
from nightlatch.v1 import login_pb2

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.v1.login_pb2 import Outcome, Step

LONGEST_WAIT = 30
_EXITS = {
    login_pb2.VERDICT_REFUSED: Exit.REFUSED,
    login_pb2.VERDICT_LOCKED: Exit.REFUSED,
    login_pb2.VERDICT_UNAVAILABLE: Exit.UNAVAILABLE,
}


def converse(step: Step, send: Callable[[bytes, bytes], Step], *, new: bool = False) -> Outcome:
    """Answer until there is a grant: `send` takes ticket and answer. Raises Failure for any other end.

    With `new` a password that is asked for is a new one: it is typed twice.
    """
    while True:
        match step.WhichOneof("kind"):
            case "prompt":
                prompt = step.prompt
                twice = new and prompt.kind == login_pb2.PROMPT_KIND_PASSWORD
                answer = new_password(prompt.text) if twice else typed(prompt.text, hidden=not prompt.echo)
                step = send(step.ticket, answer)
            case "wait":
                say(step.wait.text)
                time.sleep(min(step.wait.seconds, LONGEST_WAIT))
                step = send(step.ticket, b"")
            case "outcome" if step.outcome.verdict == login_pb2.VERDICT_GRANTED:
                if step.outcome.message:
                    say(step.outcome.message)
                return step.outcome
            case "outcome":
                words = step.outcome.message or "Sign-in refused."
                raise Failure(words, _EXITS.get(step.outcome.verdict, Exit.REFUSED))
            case _:
                raise Failure("The daemon said something that this command does not know.", Exit.UNAVAILABLE)


def new_password(question: str = "New password: ") -> bytes:
    """A new password, typed twice; raises Failure where the two differ."""
    new = typed(question, hidden=True)
    if typed("Once more: ", hidden=True) != new:
        raise Failure("The two are not the same. Nothing was changed.", Exit.REFUSED)
    return new


def typed(question: str, *, hidden: bool) -> bytes:
    """A line from the person, or from standard input; raises Failure where none came."""
    question = plain(question)
    try:
        if hidden and sys.stdin.isatty():
            *before, last = question.split("\n")
            for line in before:
                say(line)
            return getpass(last).encode(errors="surrogateescape")
        sys.stdout.write(question)
        sys.stdout.flush()
        line_read = sys.stdin.buffer.readline()
    except (EOFError, KeyboardInterrupt):
        line_read = b""
    if not line_read:
        raise Failure("No answer came. Nothing was changed.", Exit.REFUSED)
    return line_read.rstrip(b"\r\n")
