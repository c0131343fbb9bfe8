"""What the audit says of channels."""

from __future__ import annotations

from nightlatch.doctor.channels import failures

NOW = 1_800_000_000.0


def test_the_last_failure_of_a_channel_is_told_once() -> None:
    """By the newest row, whatever the order; channels that are gone, and other reasons, say nothing."""
    unsent = [
        (NOW - 7300, "mail: the server refused the sender"),
        (NOW - 90_000, "mail: too long ago to matter"),
        (NOW - 10, "gone: no such channel any more"),
        (NOW - 10, "no channel is configured"),
    ]
    [one] = failures(("mail", "sms"), unsent, NOW)
    assert one.part == "channel mail"
    assert one.text == "a message did not leave 2 h ago: the server refused the sender"
    assert "channel test mail" in one.remedy
