"""Checks what a plugin returned, value by value, before the core believes it.

MUST 1: types are compared exactly: a subclass may have been written to lie.
MUST 2: a decision is one of the members of `Decision` itself; a thing that equals one is none.
MUST 3: what passes is a copy: the plugin keeps no hand on it.
MUST 4: a refusal stays a refusal, whatever its reason looks like; else a bad reason would buy free guesses.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from nightlatch.factor import Challenge, Decision, Enrollment, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_STATE_BYTES: Final = 4096
MOST_MEMO_BYTES: Final = 1024
MOST_PROMPT: Final = 200
"""Letters; a message of PAM has room for 512 bytes (PAM_MAX_MSG_SIZE), and the core adds words of its own."""
MOST_QR_PAYLOAD: Final = 2048
"""Bytes; a QR code holds 2953 (ISO/IEC 18004, version 40-L)."""
MOST_DETAILS: Final = 16
MOST_DETAIL: Final = 512
MOST_REASON: Final = 200
MOST_LABEL: Final = 64
MOST_NOTICE: Final = 200
MOST_TOKEN: Final = 512
MOST_USES: Final = 999_999
MOST_FACTS: Final = 64
_FACTS: Final = re.compile(r"[a-z_]+=-?[0-9]{1,12}(?: [a-z_]+=-?[0-9]{1,12})*|")
_SHORTEST_ANSWER_HIDDEN: Final = 4
_DECISIONS: Final = tuple(Decision)
_ENROLLMENT: Final = attrgetter("state", "qr_payload", "details", "label", "token")
_CHALLENGE: Final = attrgetter("prompt", "echo", "memo", "labelled", "state")
_VERDICT: Final = attrgetter("decision", "state", "reason", "notice", "token", "revoke", "uses_left", "facts")


class BadAnswer(Exception):
    """A plugin returned what its contract does not allow. The message holds nothing of the content."""


def checked_enrollment(value: object) -> Enrollment:
    """`value` as an Enrollment of its own; raises BadAnswer."""
    if type(value) is not Enrollment:
        raise BadAnswer(f"returned {type_name(value)}, not an Enrollment")
    state, qr_payload, details, label, token = _fields(value, _ENROLLMENT)
    if type(qr_payload) is not str or not qr_payload.isascii() or not _shown(qr_payload, MOST_QR_PAYLOAD):
        raise BadAnswer(
            f"returned a QR payload that is not at most {MOST_QR_PAYLOAD} printable ASCII letters"
        )
    if type(details) is not tuple or len(details) > MOST_DETAILS:
        raise BadAnswer(f"returned details that are not a tuple of at most {MOST_DETAILS} pairs")
    return Enrollment(
        _state(state),
        qr_payload,
        tuple(_detail(detail) for detail in details),
        _text("label", label, MOST_LABEL),
        _token(token),
    )


def checked_state(value: object) -> bytes:
    """`value` as the state of a credential; raises BadAnswer."""
    return _state(value)


def checked_challenge(value: object) -> Challenge:
    """`value` as a Challenge of its own; raises BadAnswer."""
    if type(value) is not Challenge:
        raise BadAnswer(f"returned {type_name(value)}, not a Challenge")
    prompt, echo, memo, labelled, state = _fields(value, _CHALLENGE)
    if prompt is not None and (type(prompt) is not str or not prompt or not _shown(prompt, MOST_PROMPT)):
        raise BadAnswer(f"returned a prompt that is not 1 to {MOST_PROMPT} printable letters")
    if type(echo) is not bool:
        raise BadAnswer("returned an echo that is not a bool")
    if type(labelled) is not bool:
        raise BadAnswer("returned a labelled that is not a bool")
    if type(memo) is not bytes or len(memo) > MOST_MEMO_BYTES:
        raise BadAnswer(f"returned a memo that is not at most {MOST_MEMO_BYTES} bytes")
    return Challenge(prompt, echo, memo, labelled, None if state is None else _state(state))


def checked_verdict(value: object, answer: str) -> Verdict:
    """`value` as a Verdict of its own, its reason free of `answer`; raises BadAnswer."""
    if type(value) is not Verdict:
        raise BadAnswer(f"returned {type_name(value)}, not a Verdict")
    decision, state, reason, notice, token, revoke, uses_left, facts = _fields(value, _VERDICT)
    for member in _DECISIONS:
        if member is decision:
            return Verdict(
                member,
                None if state is None else _state(state),
                _reason(reason, answer),
                # A refusal stays one, whatever its extras look like (MUST 4).
                _text("notice", notice, MOST_NOTICE) if member is Decision.ACCEPT else "",
                _token(token) if member is Decision.ACCEPT else "",
                revoke is True and member is Decision.REJECT,
                uses_left if type(uses_left) is int and 0 <= uses_left <= MOST_USES else None,
                _facts(facts, answer),
            )
    raise BadAnswer(f"returned a verdict whose decision is {type_name(decision)}, not a Decision")


def type_name(value: object) -> str:
    """The name of a value's type, fit for a log."""
    return printable(type(value).__name__, 64)


def printable(text: str, most: int) -> str:
    """`text` on one line, without control characters, at most `most` letters."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:most])


def _fields(value: object, get: Callable[[object], tuple[object, ...]]) -> tuple[object, ...]:
    """The fields of an exact, slotted dataclass, which may have been made without its constructor."""
    try:
        return get(value)
    except AttributeError:
        raise BadAnswer(f"returned a {type_name(value)} with fields missing") from None


def _state(state: object) -> bytes:
    if type(state) is not bytes or len(state) > MOST_STATE_BYTES:
        raise BadAnswer(f"returned a state that is not at most {MOST_STATE_BYTES} bytes")
    return state


def _detail(detail: object) -> tuple[str, str]:
    if type(detail) is tuple and len(detail) == len(("name", "value")):
        name, value = detail
        if (
            type(name) is str
            and type(value) is str
            and _shown(name, MOST_DETAIL)
            and _shown(value, MOST_DETAIL)
        ):
            return name, value
    raise BadAnswer("returned a detail that is not a pair of short printable texts")


def _text(what: str, value: object, most: int) -> str:
    if type(value) is not str or not _shown(value, most):
        raise BadAnswer(f"returned a {what} that is not at most {most} printable letters")
    return value


def _token(token: object) -> str:
    if type(token) is not str or not token.isascii() or not _shown(token, MOST_TOKEN):
        raise BadAnswer(f"returned a token that is not at most {MOST_TOKEN} printable ASCII letters")
    return token


def _reason(reason: object, answer: str) -> str:
    if type(reason) is not str or not _shown(reason, MOST_REASON):
        return "reason withheld: it is no short printable text"
    if len(answer) >= _SHORTEST_ANSWER_HIDDEN and answer in reason:
        return "reason withheld: it holds what was typed"
    return reason


def _facts(facts: object, answer: str) -> str:
    """What is well-formed, and has nothing of what was typed in it; else nothing (MUST 4)."""
    if type(facts) is not str or len(facts) > MOST_FACTS or _FACTS.fullmatch(facts) is None:
        return ""
    return "" if len(answer) >= _SHORTEST_ANSWER_HIDDEN and answer in facts else facts


def _shown(text: str, most: int) -> bool:
    return len(text) <= most and text.isprintable()
