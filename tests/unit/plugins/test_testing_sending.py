"""The contract suite notices the faults of factors that send: one after the other, in a sound factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Medium, NotSent
from nightlatch.errors import SettingsProblems
from nightlatch.testing import FactorContract, FactorKit, Flow

if TYPE_CHECKING:
    from unit.plugins.shelf import Shelf

SOUND = '''
"""Codes by pigeon: the smallest factor that sends."""

import asyncio, hashlib, hmac
from nightlatch.factor import *


class PigeonSettings(Settings):
    """Where pigeons start."""

    channels: tuple[str, ...]


class Pigeon:
    def __init__(self, settings):
        self.channels = settings.channels

    def enroll(self, subject, request, context):
        if not request.address.isalpha():
            raise ValueError("Pigeons know names of places only.")
        return Enrollment(b"P" + context.random_bytes(8) + b"\\x00" * 8 + request.address.encode() + b"!")

    async def challenge(self, subject, state, context):
        code = context.random_bytes(8).hex()
        message = Message("login_code", {"code": code, "minutes": "5"})
        await context.send(self.channels, state[17:-1].decode(), message)
        return Challenge("Code from the pigeon", memo=mark(state, code))

    def verify(self, state, memo, answer, context):
        if len(state) < 18 or state[:1] != b"P" or state[-1:] != b"!":
            raise ValueError("no pigeon of ours")
        given = mark(state, answer)
        if not hmac.compare_digest(memo, given) or given[:8] == state[9:17]:
            return Verdict(Decision.REJECT, reason="another code")
        return Verdict(Decision.ACCEPT, state=state[:9] + given[:8] + state[17:])


def mark(state, code):
    return hashlib.sha256(state[1:9] + code.encode(errors="replace")).digest()


@hookimpl
def nightlatch_factors():
    return [
        FactorPlugin(
            name="pigeon", title="Pigeon", settings=PigeonSettings, build=Pigeon, medium=Medium.PHONE,
            channels=lambda settings: settings.channels,
            reach=lambda state: Reach((), state[17:-1].decode()),
        )
    ]
'''
KIT = FactorKit(
    plugin="pigeon",
    factor="pigeon",
    settings={"channels": ["loft", "tower"]},
    changed_settings={"channels": ["tower"]},
    channels={"loft": Medium.PHONE, "tower": Medium.PHONE},
    address="Ghent",
)


class TestPigeon(FactorContract):
    """The factor is sound: else a fault that is noticed could be another one."""

    @pytest.fixture
    def kit(self, shelf: Shelf) -> FactorKit:
        """Installed for one test."""
        shelf.put("pigeon", SOUND)
        return KIT


FAULTS = (
    (
        "test_messages_go_to_the_proven_address_only",
        "state[17:-1].decode(), message)",
        "'Bruges', message)",
    ),
    (
        "test_messages_go_to_the_proven_address_only",
        "send(self.channels,",
        "send(('owl',),",
    ),
    (
        "test_a_message_that_can_not_leave_is_no_prompt",
        "await context.send(self.channels, state[17:-1].decode(), message)\n",
        "await asyncio.gather(context.send(self.channels, 'Ghent', message), return_exceptions=True)\n",
    ),
    (
        "test_a_code_belongs_to_the_question_it_was_sent_for",
        "code = context.random_bytes(8).hex()",
        "code = state[1:9].hex()",
    ),
    (
        "test_an_answer_counts_once",
        "state=state[:9] + given[:8] + state[17:])",
        "state=state)",
    ),
    (
        "test_a_challenge_can_be_cancelled",
        "await context.send(",
        "asyncio.ensure_future(asyncio.sleep(2)) and await context.send(",
    ),
)


@pytest.mark.parametrize(("test", "sound", "faulty"), FAULTS)
def test_a_fault_of_a_sender_is_noticed(shelf: Shelf, test: str, sound: str, faulty: str) -> None:
    """Each fault makes the test fail that is there for it."""
    assert sound in SOUND
    shelf.put("pigeon", SOUND.replace(sound, faulty))
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(FactorContract(), test)(KIT)


@pytest.mark.parametrize("address", ["a@b.c\r\nBcc: x@y.z", "+19005550123", ""])
def test_a_sender_that_takes_any_address_is_noticed(shelf: Shelf, address: str) -> None:
    """A factor that sends wherever it is told fails the suite."""
    shelf.put("pigeon", SOUND.replace("if not request.address.isalpha():", "if False:"))
    with pytest.raises(pytest.fail.Exception):
        FactorContract().test_hostile_addresses_are_refused(KIT, address)


def test_a_flow_leads_through_a_login_and_its_resend(shelf: Shelf) -> None:
    """Own tests see what was sent, ask again within a login, begin another one, and cut the post off."""
    shelf.put("pigeon", SOUND)
    flow = Flow.begin(KIT)
    assert [sent.address for sent in flow.sent] == ["Ghent"]
    assert flow.context.service == ""
    again = flow.again(30)
    assert again.context.memo == flow.challenge.memo
    assert (again.context.service, len(again.sent), len(flow.sent)) == ("sshd", 2, 1)
    assert again.later().context.memo == b""
    assert flow.at(30).challenge is flow.challenge
    with pytest.raises(NotSent):
        flow.cut_off().again()


def test_the_kit_s_channels_are_installed_only_while_it_loads(shelf: Shelf) -> None:
    """They belong to no daemon: outside the kit nothing of them is found."""
    shelf.put("pigeon", SOUND)
    facade = KIT.load()
    assert facade.reach(Flow.begin(KIT).state) is not None
    from_outside = FactorKit(plugin="nightlatch_kit_channels", factor="none")
    with pytest.raises(SettingsProblems, match="no plugin"):
        from_outside.load()
