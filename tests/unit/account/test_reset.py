"""Resets by the clock and in outages: what no test with a real daemon can wait for."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.account import Passwords, Proving, ResetCodes, Resets, Sessions, reset_code
from nightlatch.account.reset_ticket import CODE_SECONDS, PASSWORD_SECONDS
from nightlatch.channel import Medium
from nightlatch.errors import Conflict, Invalid
from nightlatch.factor import FactorPlugin, Reach, Settings
from nightlatch.keys import Sealer
from nightlatch.login.step import Outcome, Prompt, PromptKind, Verdict
from nightlatch.login.ticket import TicketError
from nightlatch.model import Account, Credential, Standing
from nightlatch.plugins.facade import FactorFacade
from testbed.core import ALICE, WordFactor, World

if TYPE_CHECKING:
    from nightlatch.login.step import Step

CALLER = "account uid=1000"
SOURCE = "192.0.2.7"
MAIL = FactorPlugin(
    "box",
    "Box",
    Settings,
    lambda _settings: WordFactor(),
    last_resort=True,
    medium=Medium.MAILBOX,
    reach=lambda _state: Reach(("post",), "alice@home.example"),
)


class Forgetting:
    """Alice, who has a word and a security email, on fakes."""

    def __init__(self) -> None:
        self.world = World()
        factors = {**self.world.parts.factors, "box": FactorFacade(MAIL, WordFactor(), lambda: 0.0)}
        parts = self.world.parts = replace(self.world.parts, factors=factors)
        box = Credential(ALICE.id, "b1", "box", "a•••", b"", self.world.clock.now())
        self.world.store.held[ALICE.id]["b1"] = box

        def sealer(letter: bytes) -> Sealer:
            return Sealer(letter * 32, parts.randomness)

        passwords = Passwords(parts, Sessions(parts, sealer(b"s")))
        proving = Proving(parts, sealer(b"p"), frozenset({"word"}))
        self.codes = ResetCodes(parts, b"c" * 32)
        self.resets = Resets(parts, sealer(b"r"), self.codes, proving, passwords)

    async def begin(self, user: str = "alice", source: str = SOURCE) -> Step:
        """The first question, after whatever is sent has left."""
        step = await self.resets.begin(CALLER, user, source)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others)
        return step

    @property
    def code(self) -> str:
        """The code that was sent last."""
        return self.world.post.sent[-1][1].values["code"]

    async def answer(self, step: Step, typed: str) -> Step:
        """The next step."""
        assert isinstance(step, Prompt), step
        return await self.resets.answer(CALLER, step.ticket, typed.encode())

    async def at_the_password(self) -> Step:
        """The question for the new password."""
        proof = await self.answer(await self.begin(), self.code)
        step = await self.answer(proof, "word")
        assert isinstance(step, Prompt)
        assert (step.kind, step.echo) == (PromptKind.PASSWORD, False)
        return step


async def test_a_code_under_way_leaves_before_a_stop() -> None:
    """The mail that is being sent is waited for; one that takes too long is given up, and the log says so."""
    forgetting = Forgetting()
    await forgetting.resets.begin(CALLER, "alice", SOURCE)
    assert forgetting.world.post.sent == []
    await forgetting.resets.close()
    assert len(forgetting.world.post.sent) == 1
    assert forgetting.world.store.stood[ALICE.id].reset


async def test_a_code_that_takes_too_long_stops_no_stop(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A provider hangs: the stop goes on, and the log tells that a code has not left."""
    monkeypatch.setattr(reset_code, "CLOSING_SECONDS", 0.05)
    forgetting = Forgetting()
    hang = asyncio.Event()

    async def never(*_: object) -> None:
        await hang.wait()

    monkeypatch.setattr(forgetting.world.post, "send", never)
    await forgetting.resets.begin(CALLER, "alice", SOURCE)
    await forgetting.resets.close()
    assert "reset.not_sent" in capsys.readouterr().out
    hang.set()


async def test_a_code_is_good_for_half_an_hour() -> None:
    """A second before its end it counts; afterwards neither code nor ticket does."""
    forgetting = Forgetting()
    step = await forgetting.begin()
    forgetting.world.clock.time += CODE_SECONDS - 2
    assert isinstance(await forgetting.answer(step, forgetting.code), Prompt)
    late = await forgetting.begin()
    forgetting.world.clock.time += CODE_SECONDS
    with pytest.raises(TicketError):
        await forgetting.answer(late, forgetting.code)


async def test_the_newest_code_counts_alone() -> None:
    """Another mail ends the code of the first one."""
    forgetting = Forgetting()
    first = await forgetting.begin()
    old = forgetting.code
    second = await forgetting.begin()
    assert old != forgetting.code
    assert "not right" in getattr(await forgetting.answer(first, old), "text", "")
    assert "word" in getattr(await forgetting.answer(second, forgetting.code.lower()), "text", "")


async def test_the_new_password_is_set_in_time_and_once() -> None:
    """What the directory does not take is asked for again; then the ticket is spent; late ones are dead."""
    forgetting = Forgetting()
    step = await forgetting.at_the_password()
    again = await forgetting.answer(step, "x")
    assert "too short" in getattr(again, "text", "")
    with pytest.raises(TicketError):
        await forgetting.answer(step, "a good one")
    done = await forgetting.answer(again, "a good one")
    assert isinstance(done, Outcome)
    assert done.verdict is Verdict.GRANTED
    assert done.grant is None
    assert forgetting.world.directory.passwords[ALICE.stable_id] == "a good one"
    with pytest.raises(TicketError):
        await forgetting.answer(again, "another good one")
    forgetting.world.give("c1")
    late = await forgetting.at_the_password()
    forgetting.world.clock.time += PASSWORD_SECONDS
    with pytest.raises(TicketError):
        await forgetting.answer(late, "another good one")


async def test_who_was_disabled_or_replaced_meanwhile_sets_no_password() -> None:
    """An administrator's word counts to the last step, as does a new person of the name (IDN-04, SES-04)."""
    forgetting = Forgetting()
    step = await forgetting.at_the_password()
    store, directory = forgetting.world.store, forgetting.world.directory
    store.stood[ALICE.id] = replace(store.stood.get(ALICE.id, Standing()), disabled_at=1.0)
    with pytest.raises(TicketError):
        await forgetting.answer(step, "a good one")
    store.stood[ALICE.id] = replace(store.stood[ALICE.id], disabled_at=None)
    directory.known["alice"] = Account("corp", "id-of-another", "alice")
    with pytest.raises(TicketError):
        await forgetting.answer(step, "a good one")
    assert directory.passwords[ALICE.stable_id] == "right"


@pytest.mark.parametrize("trouble", ["nobody", "no mailbox", "the directory is away", "the post is away"])
async def test_the_first_answer_tells_nothing(trouble: str) -> None:
    """Whatever keeps the mail from leaving, the answer is the same, after the same time (REC)."""
    well, ill = Forgetting(), Forgetting()
    if trouble == "no mailbox":
        del ill.world.store.held[ALICE.id]["b1"]
    ill.world.directory.away = trouble == "the directory is away"
    ill.world.post.away = trouble == "the post is away"
    first = await well.begin()
    second = await ill.begin("mallory" if trouble == "nobody" else "alice")
    assert isinstance(first, Prompt)
    assert isinstance(second, Prompt)
    assert first.text == second.text
    assert len(well.world.post.sent) == 1
    assert ill.world.post.sent == []
    assert [0.25 <= sum(one.world.clock.slept) < 0.31 for one in (well, ill)] == [True, True]


async def test_a_name_that_nobody_has_is_refused_like_a_wrong_code() -> None:
    """Guesses at an unknown name are charged, and end in the same words (IDN-05)."""
    outcomes = []
    for user in ("alice", "mallory"):
        forgetting = Forgetting()
        step = await forgetting.begin(user)
        told = []
        for _ in range(5):
            step = await forgetting.answer(step, "0000-0000-0000")
            told.append(getattr(step, "text", None) or getattr(step, "message", None))
        begun = await forgetting.begin(user)
        locked = await forgetting.answer(begun, "0000-0000-0000")
        assert isinstance(locked, Outcome)
        outcomes.append((told, locked.verdict, locked.message))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][1] is Verdict.LOCKED


@pytest.mark.parametrize("user", ["alice", "mallory"])
async def test_who_has_a_network_has_no_more_guesses(user: str) -> None:
    """Each guess from another address of one /64 (RFC 4291), for a name that somebody has and for another."""
    forgetting = Forgetting()
    for number in range(6):
        step = await forgetting.begin(user, f"2001:db8::{number + 1:x}")
        step = await forgetting.answer(step, "0000-0000-0000")
    assert isinstance(step, Outcome)
    assert step.verdict is Verdict.LOCKED


async def test_no_account_is_another_ones_source() -> None:
    """A slash in an account's id ends nothing in the names of limits."""
    forgetting = Forgetting()
    odd = forgetting.world.directory.known["alice"] = Account("corp", "a/b%", "alice")
    step = await forgetting.begin()
    await forgetting.answer(step, "0000-0000-0000")
    [scope] = [one for one in forgetting.world.store.limits if one.startswith("reset/")]
    assert odd.id == "corp:a/b%"
    assert scope == "reset/corp:a%2Fb%25/192.0.2.7"


async def test_a_name_of_no_text_is_refused_like_another() -> None:
    """Half of a letter is charged and answered, and stops nothing (IDN-05)."""
    forgetting = Forgetting()
    assert await forgetting.codes.take(CALLER, "\ud800", SOURCE, "0000-0000-0000") is None


async def test_nothing_begins_where_no_directory_sets_passwords() -> None:
    """Then everybody is told so, whoever they name; a name that no login has is refused."""
    forgetting = Forgetting()
    with pytest.raises(Invalid):
        await forgetting.begin("a\nb")
    forgetting.world.directory.resets_passwords = False
    with pytest.raises(Conflict, match="administrator"):
        await forgetting.begin("mallory")
