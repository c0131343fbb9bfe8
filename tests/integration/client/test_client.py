"""nightlatch.client over TLS, against a real daemon and a real slapd."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from nightlatch.client import (
    Client,
    Denied,
    InvalidReceipt,
    InvalidRequest,
    LoginResult,
    Prompt,
    PromptKind,
    Verdict,
    Verification,
)
from testbed.shop import Shop
from testbed.slapd import password_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd


@pytest.fixture(scope="module")
def shop(open_folder: Path, common_slapd: Slapd) -> Iterator[Shop]:
    """One daemon and one application for all tests here; each has a person of its own."""
    made = Shop(open_folder, common_slapd)
    made.daemon.start()
    yield made
    made.daemon.stop()


def test_five_lines_verify_a_code(shop: Shop, newcomer: str) -> None:
    """As in the guide: right once, wrong the second time, and locked after too many."""
    code = shop.enroll(newcomer).fresh()
    with Client(shop.target, cert=shop.pair.certificate, key=shop.pair.key, ca=shop.ca) as mfa:
        result = mfa.verify_code(newcomer, code)
        assert result.verified
        assert (result.user, result.factor, result.locked_until) == (newcomer, "totp", None)
        assert mfa.verify_code(newcomer, code).verification is Verification.WRONG
        for _ in range(4):
            mfa.verify_code(newcomer, "000000")
        locked = mfa.verify_code(newcomer, "000000")
    assert not locked.verified
    assert locked.locked
    assert locked.locked_until is not None
    soon = datetime.now(UTC) + timedelta(minutes=10)
    assert datetime.now(UTC) < locked.locked_until < soon
    assert locked.retry_after > 0


def test_what_a_form_left_empty_is_a_wrong_code(shop: Shop, newcomer: str) -> None:
    """Neither an empty nor an endless code is an error, and nobody is locked by them."""
    app = shop.enroll(newcomer)
    with shop.client() as mfa:
        for code in ("", "1" * 257, "\ud800" * 300):
            assert mfa.verify_code(newcomer, code).verification is Verification.WRONG
        assert mfa.verify_code(newcomer, app.fresh()).verified
        with pytest.raises(InvalidRequest) as surrogate:
            mfa.verify_code(newcomer, "12345\ud800")
    assert "12345" not in str(surrogate.value)


def test_a_whole_login_asks_and_ends(shop: Shop, newcomer: str) -> None:
    """The given password answers its prompt; the code is asked for; the outcome names the account."""
    app = shop.enroll(newcomer)
    asked: list[Prompt] = []

    def ask(prompt: Prompt) -> str:
        asked.append(prompt)
        return app.fresh()

    with shop.client() as mfa:
        result = mfa.login(newcomer, password_of(newcomer), service="shop", ask=ask)
        assert (result.granted, result.user) == (True, newcomer)
        assert [prompt.kind for prompt in asked] == [PromptKind.CODE]
        spelled = mfa.login(newcomer.upper(), password_of(newcomer), service="shop", ask=ask)
    assert spelled.verdict is Verdict.REFUSED, "a grant for another name than was asked for is none"
    assert spelled.message == f'Sign in as "{newcomer}", please.'


def test_a_wrong_password_ends_in_a_refusal(shop: Shop, newcomer: str) -> None:
    """The same words as for any wrong proof; `ask` answers every prompt that the password does not."""
    shop.enroll(newcomer)
    answers = iter(["wrong again", "000000", "000000", "000000", "000000"])
    with shop.client() as mfa:
        result = mfa.login(newcomer, "wrong", service="shop", ask=lambda _prompt: next(answers))
    assert result.verdict is Verdict.REFUSED
    assert result.reference


def test_a_web_application_takes_a_login_step_by_step(shop: Shop, newcomer: str) -> None:
    """Between two forms only the ticket is kept, which any client of the application goes on with."""
    app = shop.enroll(newcomer)
    with shop.client() as mfa:
        step = mfa.begin_login(newcomer, service="shop", established=True)
    assert isinstance(step, Prompt)
    with shop.client() as other:
        done = other.answer_login(newcomer, step.ticket, app.fresh())
    assert isinstance(done, LoginResult)
    assert done.granted


def test_a_receipt_is_checked_without_a_daemon(shop: Shop, newcomer: str) -> None:
    """Keys are fetched once; a receipt for another audience, or with a changed letter, proves nothing."""
    app = shop.enroll(newcomer)
    with shop.client() as mfa:
        receipt = mfa.verify_code(newcomer, app.fresh(), receipt=True).receipt
        stated = mfa.check_receipt(receipt, "shop")
        shop.daemon.stop()
        assert mfa.check_receipt(receipt, "shop") == stated
        shop.daemon.start()
        with pytest.raises(InvalidReceipt, match="another application"):
            mfa.check_receipt(receipt, "vpn")
        body = receipt.split(".")
        changed = ".".join([body[0], body[1][:-2] + ("AA" if body[1][-2:] != "AA" else "BB"), body[2]])
        with pytest.raises(InvalidReceipt):
            mfa.check_receipt(changed, "shop")
        with pytest.raises(InvalidReceipt):
            mfa.check_receipt("no receipt at all", "shop")
    assert (stated.user, stated.factor, stated.service) == (newcomer, "totp", "shop")
    assert stated.account.startswith("corp:")
    assert stated.expires_at - stated.issued_at == timedelta(minutes=5)


def test_no_right_and_no_sense_are_said_apart(shop: Shop, newcomer: str) -> None:
    """Denied names the setting; InvalidRequest is for what no daemon takes; neither is retried."""
    with shop.client() as mfa:
        with pytest.raises(Denied, match="See services in its"):
            mfa.verify_code(newcomer, "000000", service="sshd")
        with pytest.raises(InvalidRequest):
            mfa.verify_code("x" * 300, "000000")


def test_an_unknown_device_is_not_trusted(shop: Shop, newcomer: str) -> None:
    """It counts against nobody, and gives no token."""
    shop.enroll(newcomer)
    with shop.client() as mfa:
        device = mfa.check_device(newcomer, "a-token-of-nobody")
    assert (device.trusted, device.device_token) == (False, "")


def test_a_whole_login_has_a_factor_and_a_receipt(shop: Shop, newcomer: str) -> None:
    """POL-03: the grant says what was shown, and its receipt is checked like that of a code."""
    app = shop.enroll(newcomer)
    with shop.client() as mfa:
        result = mfa.login(newcomer, password_of(newcomer), service="shop", ask=lambda _prompt: app.fresh())
        stated = mfa.check_receipt(result.receipt, "shop")
        refused = mfa.begin_login(newcomer, service="shop", established=True)
        while isinstance(refused, Prompt):
            refused = mfa.answer_login(newcomer, refused.ticket, "000000")
    assert (result.granted, result.factor) == (True, "totp")
    assert (stated.user, stated.factor, stated.service) == (newcomer, "totp", "shop")
    assert isinstance(refused, LoginResult)
    assert (refused.granted, refused.factor, refused.receipt) == (False, "", "")


async def test_the_async_client_does_the_same(shop: Shop, newcomer: str) -> None:
    """Verification, a whole login and a receipt, awaited."""
    app = shop.enroll(newcomer)

    async def ask(prompt: Prompt) -> str:
        return app.fresh() if prompt.kind is PromptKind.CODE else password_of(newcomer)

    async with shop.async_client() as mfa:
        result = await mfa.verify_code(newcomer, app.fresh(), receipt=True)
        assert result.verified
        assert (await mfa.check_receipt(result.receipt, "shop")).user == newcomer
        assert not (await mfa.verify_code(newcomer, "000000")).verified
        whole = await mfa.login(newcomer, service="shop", ask=ask)
        assert (whole.granted, whole.factor) == (True, "totp")
        assert (await mfa.check_receipt(whole.receipt, "shop")).user == newcomer
        assert not (await mfa.check_device(newcomer, "a-token-of-nobody")).trusted
        with pytest.raises(Denied):
            await mfa.verify_code(newcomer, "000000", service="sshd")
