"""Ten codes on paper: what is shown, what counts, and what a guess costs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import nightlatch_base32 as base32
from nightlatch.factor import Decision, EnrollmentRequest, Settings, Subject
from nightlatch.testing import KitContext, Repeatable
from nightlatch_recovery import codes, nightlatch_factors
from nightlatch_recovery.factor import RecoveryFactor, build
from nightlatch_recovery.settings import RecoverySettings
from nightlatch_recovery.state import decode

if TYPE_CHECKING:
    from nightlatch.factor import Verdict

FACTOR = RecoveryFactor()
NOW = KitContext(1000.0, 1001.0, Repeatable("verify"))


class Paper:
    """A printed set, and the state that the daemon keeps."""

    def __init__(self, seed: str = "paper") -> None:
        context = KitContext(0.0, 10.0, Repeatable(seed))
        enrollment = FACTOR.enroll(Subject("alice", "corp"), EnrollmentRequest(""), context)
        self.details = enrollment.details
        self.printed = [code for _, code in enrollment.details]
        self.state = enrollment.state

    def use(self, code: str) -> Verdict:
        """Type a code; the daemon stores what the verdict says."""
        verdict = FACTOR.verify(self.state, b"", code, NOW)
        self.state = self.state if verdict.state is None else verdict.state
        return verdict


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The codes that an argon2id was spent on."""
    spent: list[str] = []
    plain = codes.KeptCode.matches

    def counted(kept: codes.KeptCode, code: str) -> bool:
        spent.append(code)
        return plain(kept, code)

    monkeypatch.setattr(codes.KeptCode, "matches", counted)
    return spent


def test_ten_codes_are_shown() -> None:
    """Sixteen letters and digits in groups of four, numbered, all different."""
    paper = Paper()
    assert [name for name, _ in paper.details] == [f"code {number}" for number in range(1, 11)]
    for code in paper.printed:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
    assert len(set(paper.printed)) == 10
    assert set(paper.printed).isdisjoint(Paper("another").printed)


def test_every_code_works_once_in_any_order() -> None:
    """Ten logins, then none; the last ones tell the person to make new codes; each says how many are left."""
    paper = Paper()
    notices, left = [], []
    for code in reversed(paper.printed):
        verdict = paper.use(code)
        assert verdict.decision is Decision.ACCEPT
        notices.append(verdict.notice)
        left.append(verdict.uses_left)
        assert paper.use(code).reason == "no unused recovery code"
    assert left == [*reversed(range(10))]
    assert notices[:6] == [""] * 6
    assert notices[6:] == [
        "3 recovery codes are left: make new ones soon.",
        "2 recovery codes are left: make new ones soon.",
        "1 recovery code is left: make new ones soon.",
        "That was your last recovery code: make new ones now.",
    ]
    assert paper.use(paper.printed[0]).decision is Decision.REJECT


async def test_what_is_asked() -> None:
    """While codes are left one of them is asked for; then the person is pointed elsewhere."""
    paper = Paper()
    subject = Subject("alice", "corp")
    asked = await FACTOR.challenge(subject, paper.state, NOW)
    assert (asked.prompt, asked.labelled) == ("One of your recovery codes", False)
    for code in paper.printed:
        paper.use(code)
    asked = await FACTOR.challenge(subject, paper.state, NOW)
    assert asked.prompt == "All your recovery codes are used; confirm in another way"


def test_codes_are_read_as_people_write() -> None:
    """Case, blanks and dashes do not matter, nor O for 0, I and L for 1."""
    code = Paper().printed[0]
    slips = code.replace("0", "O").replace("1", "i")
    for typed in (code.lower(), code.replace("-", " "), code.replace("-", ""), slips, f" {code} "):
        assert Paper().use(typed).decision is Decision.ACCEPT


def test_a_wrong_guess_costs_no_hash(hashes: list[str]) -> None:
    """REC-03: a thousand guesses take no argon2id, and so no memory and no writer; a right one takes one."""
    paper = Paper()
    guesses = Repeatable("guesses")
    for _ in range(1000):
        guess = base32.grouped(base32.drawn(16, guesses.bytes))
        assert paper.use(guess).decision is Decision.REJECT
    assert hashes == []
    assert paper.use(paper.printed[4]).decision is Decision.ACCEPT
    assert hashes == [paper.printed[4].replace("-", "")]


def test_a_prefix_alone_opens_nothing(hashes: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """REC-03: a guess that happens to have a code's prefix is hashed, and refused."""
    paper = Paper()
    same = decode(paper.state).unused[3].prefix
    monkeypatch.setattr(codes, "prefix_of", lambda key, code: same)
    verdict = paper.use("0" * 16)
    assert (verdict.decision, verdict.state) == (Decision.REJECT, None)
    assert hashes == ["0" * 16]


def test_a_used_code_costs_no_hash(hashes: list[str]) -> None:
    """REC-03: replaying a used code is as cheap as any wrong guess."""
    paper = Paper()
    paper.use(paper.printed[0])
    hashes.clear()
    paper.use(paper.printed[0])
    assert hashes == []


def test_a_new_set_kills_the_old_one() -> None:
    """REC-04: after regeneration no code of the old set counts, used or not; the factor has one set."""
    old, new = Paper("old"), Paper("new")
    old.use(old.printed[0])
    assert not any(new.use(code).decision is Decision.ACCEPT for code in old.printed)
    (plugin,) = nightlatch_factors()
    assert plugin.single
    assert plugin.told == "notice_recovery_used"
    assert not plugin.confirmed
    assert plugin.choice.format(title=plugin.title, label="paper") == "Recovery code"


def test_the_database_has_no_code_in_it() -> None:
    """LEK-01: neither a code nor two equal prefixes for one code under two keys are in what is kept."""
    paper, other = Paper(), Paper("other")
    for code in paper.printed:
        plain = code.replace("-", "")
        assert plain.encode() not in paper.state
        assert codes.prefix_of(decode(paper.state).key, plain) != codes.prefix_of(
            decode(other.state).key, plain
        )
    assert len({kept.salt for kept in decode(paper.state).unused}) == 10


def test_a_state_is_small_and_shrinks() -> None:
    """Ten codes take 554 bytes; a used one leaves nothing behind."""
    paper = Paper()
    sizes = [len(paper.state)]
    for code in paper.printed:
        paper.use(code)
        sizes.append(len(paper.state))
    assert sizes[0] == 554
    assert {before - after for before, after in pairwise(sizes)} == {52}


@pytest.mark.parametrize(
    ("head", "end", "message"),
    [
        (b"\x02\x0a", None, "version 2"),
        (b"\x01\x0b", None, "damaged"),
        (b"\x01\x09", None, "damaged"),
        (b"\x01\x0a", 20, "too short"),
    ],
)
def test_states_of_others_are_named_as_such(head: bytes, end: int | None, message: str) -> None:
    """A state that this version can not have written is an error, never a guess."""
    with pytest.raises(ValueError, match=message):
        decode((head + Paper().state[2:])[:end])


def test_a_cut_off_code_is_named_as_such() -> None:
    """A kept code has one length."""
    with pytest.raises(ValueError, match="52 bytes"):
        codes.decode(bytes(51))


def test_foreign_settings_are_refused() -> None:
    """The factor is built from its own settings only."""
    with pytest.raises(TypeError, match="RecoverySettings"):
        build(Settings())
    assert isinstance(build(RecoverySettings()), RecoveryFactor)
