"""Tickets: what they carry, for whom, and for how long."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from nightlatch.directories.login_names import LONGEST_NAMES, MOST_NAMES
from nightlatch.keys import Sealer
from nightlatch.login.step import MAX_EVIDENCE, MAX_PIECE
from nightlatch.login.ticket import LIFETIME, LoginState, Stage, TicketError, Tickets
from nightlatch.model import Contact
from testbed.core import ALICE, CountingRandomness

NOW = 1_700_000_000.0
CONTACT = Contact(("+14155550142",), ("alice@example.com", "a@example.org"), "zh-Hans")
STATE = LoginState(
    login_id="ab" * 16,
    stage=Stage.FACTOR,
    user="alice",
    service="sshd",
    source="192.0.2.1",
    expires_at=NOW + LIFETIME,
    evidence=("ssh:ssh-ed25519 AAAA", "token:x"),
    keeps_token=True,
    account=replace(ALICE, handle="uid=alice,dc=nl", contact=CONTACT, other_names=("asmith", "Ä. Smith")),
    credential_id="c1",
    memo=b"\x00\xffmemo",
    prompt='Code for "ünïcode": ',
    echo=False,
    default=2,
    tries=1,
    draws_qr=True,
    proving=True,
    factor="word",
    onboarding='["code"]',
)


@pytest.fixture
def tickets() -> Tickets:
    """Tickets of one daemon."""
    randomness = CountingRandomness()
    return Tickets(Sealer(b"k" * 32, randomness), randomness)


def test_a_ticket_carries_every_field_of_a_state(tickets: Tickets) -> None:
    """What goes in comes out, each field in its place; the ticket's own id is new every time."""
    opened = tickets.open(tickets.seal(STATE, "pam uid=0"), "pam uid=0", NOW)
    for one in fields(LoginState):
        if one.name != "ticket_id":
            assert getattr(opened, one.name) == getattr(STATE, one.name), one.name
            assert getattr(STATE, one.name) != one.default, one.name
    assert opened.account is not None
    assert opened.account.handle == "uid=alice,dc=nl"
    assert opened.account.contact == CONTACT
    assert opened.account.other_names == ("asmith", "Ä. Smith")
    again = tickets.open(tickets.seal(STATE, "pam uid=0"), "pam uid=0", NOW)
    assert opened.ticket_id
    assert again.ticket_id != opened.ticket_id


def test_a_directory_that_tells_a_lot_fits_into_a_ticket(tickets: Tickets) -> None:
    """Of addresses there are a few of bounded length, in the directory's order."""
    mails = tuple(f"m{one}@example.com" for one in range(1000))
    told = Contact(("1" * 10_000, "中" * 200, "+14155550142"), mails, "x" * 10_000)
    assert STATE.account is not None
    names = tuple("\U00020000" * (LONGEST_NAMES // MOST_NAMES) for _ in range(MOST_NAMES))
    evidence = ("x" * MAX_PIECE,) * MAX_EVIDENCE
    account = replace(STATE.account, contact=told, other_names=names)
    state = replace(STATE, account=account, evidence=evidence)
    opened = tickets.open(tickets.seal(state, "pam uid=0"), "pam uid=0", NOW)
    assert opened.account is not None
    assert opened.account.contact == Contact(("+14155550142",), mails[:5], "x" * 64)


@pytest.mark.parametrize("at", [NOW + LIFETIME, NOW + LIFETIME + 1, NOW - LIFETIME - 2])
def test_a_ticket_lives_for_300_seconds(tickets: Tickets, at: float) -> None:
    """SES-03: neither later, nor on a clock that was set far back."""
    with pytest.raises(TicketError):
        tickets.open(tickets.seal(STATE, "pam uid=0"), "pam uid=0", at)


def test_a_ticket_is_its_callers_alone_and_can_not_be_changed(tickets: Tickets) -> None:
    """MUST 1: another caller, a changed byte, a cut or an empty ticket open nothing."""
    sealed = tickets.seal(STATE, "pam uid=0")
    changed = sealed[:-1] + bytes([sealed[-1] ^ 1])
    for ticket, caller in (
        (sealed, "admin uid=0"),
        (changed, "pam uid=0"),
        (sealed[:40], "pam uid=0"),
        (b"", "x"),
    ):
        with pytest.raises(TicketError):
            tickets.open(ticket, caller, NOW)
