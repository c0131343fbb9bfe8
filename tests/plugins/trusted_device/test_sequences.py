"""Any sequence of logins, by owner and thief, against a model of what must come of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from plugins.trusted_device.device import DAY, NOW, Device

GRACE = 10.0
WAITS = st.sampled_from([0.0, 0.5, 4.0, 9.0, 10.0, 10.5, 60.0, DAY])
LOGINS = st.lists(st.tuples(WAITS, st.integers(0, 3)), max_size=25)


@given(LOGINS)
def test_secrets_are_judged_by_their_age(logins: list[tuple[float, int]]) -> None:
    """DEV-02: the newest is accepted, the one before for ten seconds, an older one revokes the device."""
    device = Device.enrolled(days=365)
    given_out = [device.evidence]
    now, rotated_at = NOW + 60, NOW - DAY
    for wait, age in logins:
        now += wait
        age_shown = min(age, len(given_out) - 1)
        shown = given_out[-1 - age_shown]
        fresh = now - rotated_at <= GRACE
        tried = device.shows(now, shown)
        assert tried.accepted == (age_shown == 0 or (age_shown == 1 and fresh))
        assert tried.revoked == (not tried.accepted)
        if tried.revoked:
            assert tried.state == device.state
            return
        if age_shown == 0 and not fresh:
            rotated_at = now
            assert tried.evidence not in given_out
            given_out.append(tried.evidence)
        assert tried.evidence == given_out[-1]
        device = tried


@given(st.lists(st.tuples(st.floats(0, 10), st.booleans()), min_size=1, max_size=12), st.floats(11, DAY))
def test_a_burst_never_locks_the_owner_out(burst: list[tuple[float, bool]], after: float) -> None:
    """Logins within ten seconds, each with the old secret or the new one, all pass and agree on the next."""
    before = Device.enrolled()
    device = before.shows(NOW + 60)
    for seconds, old in sorted(burst):
        device = device.shows(NOW + 60 + seconds, before.evidence if old else None)
        assert device.accepted
    assert device.shows(NOW + 60 + after).accepted


@given(st.text(), st.sampled_from(["", "token:", "ssh:", "ssh:ssh-ed25519 ", "ssh:ssh-rsa "]))
def test_any_text_is_judged(text: str, prefix: str) -> None:
    """No evidence raises, and none but the right one is accepted or revokes."""
    device = Device.enrolled()
    tried = device.shows(NOW + 60, prefix + text)
    assert (tried.accepted, tried.revoked) == (False, False)
