"""A device that keeps a secret: how it changes, and what a copy of it is worth."""

from __future__ import annotations

import base64
import re

import pytest

from plugins.trusted_device.device import NOW, Device, enrolled, judged

HOUR = 3_600.0
STOLEN = "an older secret of this device was used: stolen or restored"


def test_a_new_token() -> None:
    """It has 128 bits of id and 256 of secret; the secret itself is not in the state."""
    made = enrolled()
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}", made.token)
    secret = base64.urlsafe_b64decode(made.token.partition(".")[2] + "=")
    assert len(secret) == 32
    assert secret not in made.state
    assert made.token.partition(".")[2].encode() not in made.state
    assert made.label == "since 2023-11-14"
    assert (made.qr_payload, made.details) == ("", ())


def test_the_secret_changes_with_use() -> None:
    """Each use gives a new secret of the same device, and the state keeps no secret of either."""
    device = Device.enrolled().shows(NOW + HOUR)
    assert device.accepted
    first, second = enrolled().token, device.evidence.removeprefix("token:")
    assert first.partition(".")[0] == second.partition(".")[0]
    assert first != second
    for token in (first, second):
        assert base64.urlsafe_b64decode(token.partition(".")[2] + "=") not in device.state
    assert device.shows(NOW + 2 * HOUR).accepted


def test_the_next_secret_follows_from_nothing_that_the_caller_has() -> None:
    """The same token rotated with other randomness has another successor."""
    device = Device.enrolled()
    first = judged(device.state, device.evidence, NOW + HOUR, "one")
    second = judged(device.state, device.evidence, NOW + HOUR, "two")
    assert first.token != second.token


def test_another_s_token_has_no_effect() -> None:
    """DEV-01: alice's token, shown for bob's device, is refused, revokes nothing and changes nothing."""
    alice, bob = Device.enrolled(seed="alice"), Device.enrolled(seed="bob")
    tried = bob.shows(NOW + HOUR, alice.evidence)
    assert (tried.accepted, tried.revoked, tried.reason) == (False, False, "another device")
    assert tried.state == bob.state
    assert alice.shows(NOW + HOUR).accepted


def test_alice_s_id_with_bob_s_secret() -> None:
    """DEV-01: parts of two tokens are no token of either."""
    alice, bob = Device.enrolled(seed="alice"), Device.enrolled(seed="bob")
    mixed = alice.evidence.partition(".")[0] + "." + bob.evidence.partition(".")[2]
    assert not alice.shows(NOW + HOUR, mixed).accepted
    assert not bob.shows(NOW + HOUR, mixed).accepted


def test_a_rotated_secret_shown_later_is_theft() -> None:
    """DEV-02: the secret before, more than ten seconds after the change, has the device revoked."""
    old = Device.enrolled()
    used = old.shows(NOW + HOUR)
    replayed = used.shows(NOW + HOUR + 10.1, old.evidence)
    assert (replayed.accepted, replayed.revoked, replayed.reason) == (False, True, STOLEN)


def test_a_thief_who_comes_first_is_found_by_the_owner() -> None:
    """DEV-02: when a thief has rotated the secret, the owner's next login revokes the device."""
    owner = Device.enrolled()
    thief = owner.shows(NOW + HOUR)
    assert thief.accepted
    caught = thief.shows(NOW + 2 * HOUR, owner.evidence)
    assert caught.revoked


def test_an_even_older_secret_is_theft() -> None:
    """DEV-02: any other secret of this device's id was one once, and revokes it, in the grace as after it."""
    first = Device.enrolled()
    third = first.shows(NOW + HOUR).shows(NOW + 2 * HOUR)
    assert third.accepted
    assert third.shows(NOW + 2 * HOUR, first.evidence).revoked
    assert third.shows(NOW + 3 * HOUR, first.evidence).revoked


def test_two_logins_at_once_both_work() -> None:
    """DEV-02: two parallel uses of one secret are accepted, and both end with the same, working one."""
    before = Device.enrolled()
    first = before.shows(NOW + HOUR)
    second = first.shows(NOW + HOUR + 3, before.evidence)
    assert first.accepted
    assert second.accepted
    assert second.evidence == first.evidence
    assert second.state == first.state
    assert second.shows(NOW + 2 * HOUR).accepted


def test_a_lost_answer_can_be_asked_for_again() -> None:
    """A caller that never got the new secret gets it within ten seconds, by sending the old one again."""
    before = Device.enrolled()
    lost = before.shows(NOW + HOUR)
    retried = lost.shows(NOW + HOUR + 9.9, before.evidence)
    assert retried.accepted
    assert retried.shows(NOW + 5 * HOUR).accepted


def test_the_secret_does_not_change_twice_within_the_grace() -> None:
    """Many logins in a burst share one change, so that none of them is taken for a thief."""
    before = Device.enrolled()
    first = before.shows(NOW + HOUR)
    second = first.shows(NOW + HOUR + 5)
    assert second.accepted
    assert second.last is not None
    assert (second.last.token, second.last.state) == ("", None)
    assert second.shows(NOW + HOUR + 9, before.evidence).accepted


@pytest.mark.parametrize("seconds", [-10.1, 10.1])
def test_the_grace_is_ten_seconds_either_way(seconds: float) -> None:
    """DEV-02: a clock that is a little behind does not stretch the time in which an old secret works."""
    before = Device.enrolled()
    assert before.shows(NOW + HOUR).shows(NOW + HOUR + seconds, before.evidence).revoked


def _variants(token: str) -> tuple[str, ...]:
    text = token.removeprefix("token:")
    last = "AEIMQUYcgkosw048"  # the letters whose unused bits are zero
    spare = chr(ord(text[-1]) + 1) if text[-1] in last else text[-1]
    return (
        text,
        f"ssh:{text}",
        f"TOKEN:{text}",
        f"token:{text}=",
        f"token:{text}\n",
        f"token: {text}",
        f"token:{text[:-1]}",
        f"token:{text[:-1]}{spare}",
        f"token:{text}{text}",
        f"token:{text.replace('.', '')}",
        f"token:{text[:5]}!{text[6:]}",
        f"token:{text[:5]}+{text[6:]}",
        f"token:{text[:5]}\uff21{text[6:]}",
        "token:",
        "token:.",
        "token:" + "A" * 22 + ".",
        "token:" + "A" * 100_000,
    )


@pytest.mark.parametrize("index", range(17))
def test_what_is_no_token_is_refused_and_revokes_nothing(index: int) -> None:
    """A text that only resembles the token was never given to anyone, so it is no sign of theft."""
    device = Device.enrolled()
    tried = device.shows(NOW + HOUR, _variants(device.evidence)[index])
    assert (tried.accepted, tried.revoked, tried.state) == (False, False, device.state)
