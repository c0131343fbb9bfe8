"""Factors and a channel of a few lines each, for a core built on fakes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.channel import Message, NotSent, Receipt
from nightlatch.factor import (
    Challenge,
    Decision,
    Enrollment,
    EnrollmentRequest,
    FactorPlugin,
    Medium,
    Reach,
    Settings,
    Subject,
    Verdict,
)

if TYPE_CHECKING:
    from nightlatch.factor import Context, SendingContext


class WordFactor:
    """Accepts the word that its state is, once: then the state is spent."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        return Enrollment(b"word", f"word://{subject.name}", (("name", request.label),))

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        return Challenge("The word")

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        if answer == "later":
            return Verdict(Decision.PENDING)
        if answer == "boom":
            raise RuntimeError(answer)
        if answer.encode() == state:
            return Verdict(Decision.ACCEPT, state + b"-spent")
        if answer == "stolen":
            return Verdict(Decision.REJECT, reason="a thief's", revoke=True)
        return Verdict(Decision.REJECT, reason="wrong word")


def word_plugin(name: str) -> FactorPlugin:
    """A factor of words, as its plugin declares it."""
    return FactorPlugin(name, f"Word {name}", Settings, lambda _settings: WordFactor())


class SentFactor(WordFactor):
    """Sends the word of its state by the channel "post"; "r" asks for another message."""

    async def challenge(self, subject: Subject, state: bytes, context: SendingContext) -> Challenge:
        count = int(context.memo or b"0") + 1
        await context.send(("post",), "+1555", Message("login_code", {"code": f"word{count}"}))
        return Challenge("Word sent", memo=str(count).encode(), labelled=False)

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        if answer == "r":
            return Verdict(Decision.AGAIN)
        right = answer == f"word{memo.decode()}"
        return Verdict(Decision.ACCEPT if right else Decision.REJECT, notice="Well done." if right else "")


class DeviceFactor(WordFactor):
    """Accepts the evidence that it was enrolled with, until its state says when; "stolen" is theft."""

    def enroll(self, subject: Subject, request: EnrollmentRequest, context: Context) -> Enrollment:
        shown = next((piece for piece in request.evidence if piece.startswith("ssh:")), "token:new")
        assert request.expires_at is not None
        state = f"{shown}|{request.expires_at}"
        return Enrollment(state.encode(), label=shown, token="" if shown.startswith("ssh:") else "new")

    def verify(self, state: bytes, memo: bytes, answer: str, context: Context) -> Verdict:
        expected, _, end = state.decode().rpartition("|")
        if answer == "token:stolen":
            return Verdict(Decision.REJECT, reason="stolen", revoke=True)
        good = answer == expected and context.now < float(end)
        return Verdict(Decision.ACCEPT if good else Decision.REJECT, token="next" if good else "")


class Post:
    """A channel that keeps what it sends, and may be away."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.away = False

    async def send(self, address: str, message: Message, deadline: float) -> Receipt:
        if self.away:
            raise NotSent("the post office is closed")
        self.sent.append((address, message))
        return Receipt("r1")

    async def close(self) -> None: ...


def _reach(_state: bytes) -> Reach:
    return Reach(("post",), "+1555")


PLUGINS = (
    word_plugin("word"),
    FactorPlugin(
        "sent",
        "Message",
        Settings,
        lambda _: SentFactor(),
        reach=_reach,
        choice="Message to {label}",
        medium=Medium.PHONE,
    ),
    FactorPlugin(
        "help", "No way in", Settings, lambda _: SentFactor(), last_resort=True, told="notice_emergency_code"
    ),
    FactorPlugin(
        "device",
        "Device",
        Settings,
        lambda _: DeviceFactor(),
        confirmed=False,
        silent=True,
        offer="Trust it for {days} days? [y/N] ",
    ),
)
