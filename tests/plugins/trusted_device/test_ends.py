"""When trust ends, and that nothing brings it back."""

from __future__ import annotations

import math
import struct
from dataclasses import replace

import pytest

from nightlatch.factor import Decision
from nightlatch_trusted_device.state import DeviceState, Trust, decode
from plugins.trusted_device.device import DAY, NOW, Device, enrolled
from plugins.trusted_device.test_contract import key_of

KEY = key_of("alice")
KINDS = pytest.mark.parametrize("evidence", [(), KEY], ids=["token", "key"])


@KINDS
def test_trust_ends_when_it_was_said_to(evidence: tuple[str, ...]) -> None:
    """DEV-04: a second before the end a device is trusted, at the end no more, and nothing is revoked."""
    device = Device.enrolled(*evidence, days=30)
    assert device.shows(NOW + 30 * DAY - 1).accepted
    ended = device.shows(NOW + 30 * DAY)
    assert (ended.accepted, ended.revoked, ended.reason) == (False, False, "the trust has ended")


@KINDS
def test_use_does_not_prolong_trust(evidence: tuple[str, ...]) -> None:
    """DEV-04: the end stays where it was set, however often the device is used."""
    device = Device.enrolled(*evidence, days=30)
    for day in range(1, 30):
        device = device.shows(NOW + day * DAY)
        assert device.accepted
    assert not device.shows(NOW + 30 * DAY).accepted


@KINDS
def test_a_clock_set_back_revives_nothing(evidence: tuple[str, ...]) -> None:
    """DEV-04: a device that was seen to have ended stays so when the clock goes back, and is written once."""
    ended = Device.enrolled(*evidence, days=30).shows(NOW + 31 * DAY)
    for now in (NOW + DAY, NOW, NOW - 1, NOW - 300, 0.0):
        again = ended.shows(now)
        assert (again.accepted, again.reason) == (False, "the trust has ended")
        assert again.state == ended.state


@KINDS
def test_a_clock_behind_the_enrolment_is_not_believed(evidence: tuple[str, ...]) -> None:
    """DEV-04: when the clock is an hour behind the enrolment, nothing is trusted, and nothing revoked."""
    device = Device.enrolled(*evidence)
    assert device.shows(NOW - 599).accepted
    behind = device.shows(NOW - 3_600)
    assert (behind.accepted, behind.revoked, behind.state) == (False, False, device.state)
    assert "went back" in behind.reason
    assert device.shows(NOW + 1).accepted


def test_a_clock_behind_the_last_change_is_not_believed() -> None:
    """DEV-04: a used device knows a later time than that of its enrolment."""
    used = Device.enrolled(days=30).shows(NOW + 20 * DAY)
    assert used.accepted
    assert not used.shows(NOW + 10 * DAY).accepted
    assert not used.shows(NOW + 10 * DAY).revoked


@pytest.mark.parametrize("expires_at", [None, math.nan, math.inf, -math.inf, NOW, NOW - 1, 0.0])
@KINDS
def test_trust_without_an_end_is_not_given(evidence: tuple[str, ...], expires_at: float | None) -> None:
    """DEV-04: an end is needed, it must be a time, and it must lie ahead."""
    with pytest.raises(ValueError, match=r"^This device can not be trusted: "):
        enrolled(*evidence, expires_at=expires_at)


@pytest.mark.parametrize("days", [3650, 3651, 10**12, 1e300])
@KINDS
def test_trust_of_ages_ends_after_ten_years(evidence: tuple[str, ...], days: float) -> None:
    """DEV-04: a validity of 10^12 days does not overflow; nothing is trusted for more than 3650 days."""
    device = Device.enrolled(*evidence, days=days)
    assert device.shows(NOW + 3650 * DAY - 1).accepted
    assert not device.shows(NOW + 3650 * DAY).accepted


@pytest.mark.parametrize("until", [math.nan, -math.inf, -1.0, struct.unpack(">d", b"\xff" * 8)[0]])
@KINDS
def test_an_end_that_is_no_time_has_passed(evidence: tuple[str, ...], until: float) -> None:
    """DEV-04: a state whose end is not a number trusts nothing."""
    device = Device.enrolled(*evidence)
    state: DeviceState = decode(device.state)
    damaged = replace(state, trust=Trust(state.trust.since, until)).encode()
    assert not replace(device, state=damaged).shows(NOW + 1).accepted


@KINDS
@pytest.mark.parametrize("now", [math.nan, math.inf, -math.inf])
def test_a_time_that_is_none_trusts_nothing(evidence: tuple[str, ...], now: float) -> None:
    """A clock that fails grants nothing."""
    last = Device.enrolled(*evidence).shows(now).last
    assert last is not None
    assert last.decision is Decision.REJECT


@pytest.mark.parametrize(
    "state", [b"", b"\x02" + bytes(49), b"\x01\x03" + bytes(48), b"\x01\x01" + bytes(47)]
)
def test_a_foreign_state_is_named_as_such(state: bytes) -> None:
    """What this plugin did not write is an error, told without its content."""
    with pytest.raises(ValueError, match=r"^the state of a trusted device "):
        decode(state)
