"""Taking over what people have elsewhere: real factors, on fakes of what is outside."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nightlatch.enrollment.takeover import Fate, Offered, TakenOver, Takeovers
from nightlatch.errors import Conflict, Invalid, NotFound
from nightlatch.factor import Decision, ImportedCodes, ImportedSecret
from nightlatch.importing.found import Found
from nightlatch.importing.google_authenticator import read
from nightlatch.login.hold import HOLD
from nightlatch.plugins.facade import CallContext, FactorFacade
from nightlatch.plugins.loader import load_plugins
from testbed.core import ALICE, World
from testbed.elsewhere import SECRET, google_authenticator, oathtool, pam_accepts, scratch_codes_in, secret_in

if TYPE_CHECKING:
    from pathlib import Path

CALLER = "admin uid=0"
APP = Offered("phone", ImportedSecret(SECRET, "SHA1", 6, 30))
CODES = Offered("", ImportedCodes(("12345678", "23456789")))


@pytest.fixture
def world() -> World:
    """Alice, with a credential of another factor; the clock is the real one's."""
    world = World()
    world.clock.time = time.time()
    factors = load_plugins(["totp", "recovery"], {}, {}).factors
    world.parts.factors.update(factors)  # type: ignore[attr-defined]  # the test bed's is a dict
    return world


async def take(world: World, *offered: Offered, dry_run: bool = False) -> tuple[TakenOver, ...]:
    """Take over for alice."""
    return (await Takeovers(world.parts).take(CALLER, "alice", offered, dry_run=dry_run))[1]


async def verdict(world: World, factor: str, answer: str) -> Decision:
    """What alice's credential of a factor says to an answer now; nothing is spent by that."""
    credential = next(one for one in await world.store.credentials(ALICE.id) if one.factor == factor)
    now = world.clock.now()
    context = CallContext(now, now + 5, world.randomness)
    return world.parts.factors[factor].verify_here(credential.state, b"", answer, context).decision


async def test_a_person_goes_on_with_the_same_app(world: World, tmp_path: Path) -> None:
    """The real module takes a code, which is then dead here; the app's next code is right here (OTP-07)."""
    file = google_authenticator(tmp_path / "alice")
    secret, now = secret_in(file), world.clock.now()
    code = oathtool(secret, now)
    file.chmod(0o600)
    assert pam_accepts(tmp_path / "pam", file, code)
    found = [one for one in read(tmp_path) if isinstance(one, Found)]
    fates = await take(world, *(Offered(one.label, one.what) for one in found))
    assert [one.fate for one in fates] == [Fate.IMPORTED, Fate.IMPORTED]
    assert await verdict(world, "totp", code) is Decision.REJECT
    assert await verdict(world, "totp", oathtool(secret, now + 30)) is Decision.REJECT
    world.clock.time = now + 60
    assert await verdict(world, "totp", oathtool(secret, now + 60)) is Decision.ACCEPT


async def test_scratch_codes_count_once_as_recovery_codes(world: World, tmp_path: Path) -> None:
    """The real module would take one; here it is taken, and what is left has one less."""
    file = google_authenticator(tmp_path / "alice")
    codes = scratch_codes_in(file)
    await take(world, Offered("Scratch codes", ImportedCodes(tuple(codes))))
    facade, context = world.parts.factors["recovery"], CallContext(0.0, 5.0, world.randomness)
    (kept,) = (one for one in await world.store.credentials(ALICE.id) if one.factor == "recovery")
    used = facade.verify_here(kept.state, b"", f"{codes[0][:4]} {codes[0][4:]}", context)
    assert (used.decision, used.uses_left) == (Decision.ACCEPT, 4)
    assert used.state is not None
    assert facade.verify_here(used.state, b"", codes[0], context).decision is Decision.REJECT
    assert facade.verify_here(used.state, b"", codes[1], context).decision is Decision.ACCEPT
    assert facade.verify_here(used.state, b"", "00000000", context).decision is Decision.REJECT


async def test_a_second_run_changes_nothing(world: World) -> None:
    """MUST 2: the same secret is not stored twice, and codes that are there stay."""
    await take(world, APP, CODES)
    before = await world.store.credentials(ALICE.id)
    again = await take(world, APP, CODES)
    assert [one.fate for one in again] == [Fate.PRESENT, Fate.PRESENT]
    assert await world.store.credentials(ALICE.id) == before
    twice = await take(world, Offered("a", ImportedSecret(b"x" * 20, "SHA1", 6, 30)), Offered("b", APP.what))
    assert [one.fate for one in twice] == [Fate.IMPORTED, Fate.PRESENT]


async def test_what_comes_after_a_rescue_is_on_hold(world: World) -> None:
    """A file in a home may be of whoever came in by a recovery code a moment ago (REC-04)."""
    world.give("codes", "recovery", "codes", used=world.clock.now())
    (app,) = await take(world, APP)
    assert world.store.stood[ALICE.id].holds == ((app.credential_id, world.clock.now() + HOLD),)


async def test_where_two_factors_take_the_same_the_administrator_says_which(world: World) -> None:
    """Nothing is guessed: it is refused, with both names, until one is chosen; codes go where they went."""
    plugin = replace(world.parts.factors["totp"].plugin, name="clock")
    other = FactorFacade(plugin, plugin.build(plugin.settings()), world.clock.steady)
    world.parts.factors["clock"] = other  # type: ignore[index]  # the test bed's is a dict
    refused, codes = await take(world, APP, CODES, dry_run=True)
    assert (refused.fate, codes.fate) == (Fate.REFUSED, Fate.IMPORTED)
    assert "clock and totp" in refused.reason
    takeovers = Takeovers(world.parts)
    _, fates = await takeovers.take(CALLER, "alice", (APP, CODES), chosen=frozenset({"clock"}))
    assert [one.factor for one in fates] == ["clock", "recovery"]


@pytest.mark.parametrize("name", ["word", "nonsense"])
async def test_a_factor_that_takes_nothing_can_not_be_chosen(world: World, name: str) -> None:
    """The words name those that could be, and nothing is stored."""
    before = await world.store.credentials(ALICE.id)
    with pytest.raises(Invalid, match="recovery, totp"):
        await Takeovers(world.parts).take(CALLER, "alice", (APP,), chosen=frozenset({name}))
    assert await world.store.credentials(ALICE.id) == before


async def test_a_dry_run_stores_nothing(world: World) -> None:
    """It tells the same, and there is no credential and no audit row."""
    before, rows = await world.store.credentials(ALICE.id), len(world.store.events)
    fates = await take(world, APP, CODES, dry_run=True)
    assert [(one.fate, one.credential_id) for one in fates] == [(Fate.IMPORTED, "")] * 2
    assert await world.store.credentials(ALICE.id) == before
    assert len(world.store.events) == rows


async def test_an_import_is_in_the_audit_without_secrets(world: World) -> None:
    """One row a credential, which says who did it; no secret is in it (MUST 3)."""
    await take(world, APP, CODES)
    rows = [one for one in world.store.events if one.event == "credential.import"]
    assert [(row.factor, row.caller, row.account_id) for row in rows] == [
        ("totp", CALLER, ALICE.id),
        ("recovery", CALLER, ALICE.id),
    ]
    assert "12345678" not in repr(rows)
    assert "12345678" not in repr(CODES)


@pytest.mark.parametrize(
    ("what", "why"),
    [
        (ImportedSecret(b"x" * 10, "SHA1", 6, 30), "80 bits"),
        (ImportedSecret(SECRET, "SHA1", 7, 30), "7 digits"),
        (ImportedSecret(SECRET, "SHA1", 6, 60), "every 60 s"),
        (ImportedSecret(SECRET, "MD5", 6, 30), "MD5"),
        (ImportedCodes(("1234",)), "only codes of 8 digits"),
        (ImportedCodes(()), "only codes of 8 digits"),
        (ImportedCodes(tuple(f"{number:08}" for number in range(11))), "at most 10"),
    ],
)
async def test_what_can_not_be_taken_over_is_refused_with_the_reason(
    world: World, what: ImportedSecret | ImportedCodes, why: str
) -> None:
    """The others of the same person come over all the same."""
    refused, taken = await take(
        world, Offered("", what), Offered("", ImportedSecret(b"y" * 20, "SHA1", 6, 30))
    )
    assert refused.fate is Fate.REFUSED
    assert why in refused.reason
    assert taken.fate is Fate.IMPORTED


async def test_nothing_is_stored_beside_a_change_that_came_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MUST 1: what was judged beside other credentials is not stored beside these."""
    decide = world.store.decide

    async def late(request: object, body: object) -> object:
        world.give("c9", label="new")
        return await decide(request, body)  # type: ignore[arg-type]

    monkeypatch.setattr(world.store, "decide", late)
    with pytest.raises(Conflict):
        await take(world, APP)
    assert [one.factor for one in await world.store.credentials(ALICE.id)] == ["word", "word"]


async def test_nobody_and_nothing_are_errors(world: World) -> None:
    """A name that no directory knows, a name that can not be shown, and an empty request."""
    with pytest.raises(NotFound):
        await Takeovers(world.parts).take(CALLER, "nobody", (APP,))
    with pytest.raises(Invalid):
        await take(world)
    with pytest.raises(Invalid):
        await take(world, Offered("a\nb", APP.what))
