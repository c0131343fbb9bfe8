"""The words for people."""

from __future__ import annotations

import pytest

from nightlatch.login import words


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 second"),
        (30, "30 seconds"),
        (59.5, "1 minute"),
        (61, "2 minutes"),
        (3600, "1 hour"),
        (7201, "3 hours"),
    ],
)
def test_durations_are_rounded_up_for_people(seconds: float, text: str) -> None:
    """A person who waits as long as they were told does not come too early."""
    assert words.duration(seconds) == text


def test_a_lock_without_an_end_names_the_administrator() -> None:
    """Who can only be unlocked by an administrator is not told to wait."""
    assert "Try again" not in words.locked(0)
    assert "2 minutes" in words.locked(120)
