"""Email over SMTP submission: STARTTLS or implicit TLS, with a password or with OAuth 2.0 tokens."""

from __future__ import annotations

from nightlatch.channel import ChannelPlugin, Medium, hookimpl
from nightlatch_smtp.channel import build
from nightlatch_smtp.settings import SmtpSettings


@hookimpl
def nightlatch_channels() -> list[ChannelPlugin]:
    """The one kind of channel of this plugin."""
    return [ChannelPlugin(kind="smtp", medium=Medium.MAILBOX, settings=SmtpSettings, build=build)]
