"""Makes the channels from their checked settings, and gives them their words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.channel import NotSent
from nightlatch_messages import TemplateProblems, Words, WrongMessage
from nightlatch_sms_gateways.http_settings import HttpSmsSettings
from nightlatch_sms_gateways.http_sms import HttpSmsChannel
from nightlatch_sms_gateways.smpp import SmppChannel
from nightlatch_sms_gateways.smpp_settings import SmppSettings
from nightlatch_sms_gateways.twilio import TwilioChannel
from nightlatch_sms_gateways.twilio_settings import TwilioSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nightlatch.channel import Message, Settings


def build_twilio(settings: Settings) -> TwilioChannel:
    """A channel of kind "twilio"; raises ValueError for files that are of no use."""
    if not isinstance(settings, TwilioSettings):
        raise TypeError("a channel of kind twilio is built from TwilioSettings")
    return TwilioChannel(settings, _words(settings.templates_dir))


def build_http_sms(settings: Settings) -> HttpSmsChannel:
    """A channel of kind "http_sms"; raises ValueError for files that are of no use."""
    if not isinstance(settings, HttpSmsSettings):
        raise TypeError("a channel of kind http_sms is built from HttpSmsSettings")
    return HttpSmsChannel(settings, _words(settings.templates_dir))


def build_smpp(settings: Settings) -> SmppChannel:
    """A channel of kind "smpp"; raises ValueError for files that are of no use."""
    if not isinstance(settings, SmppSettings):
        raise TypeError("a channel of kind smpp is built from SmppSettings")
    return SmppChannel(settings, _words(settings.templates_dir))


def _words(templates_dir: Path | None) -> Callable[[Message], str]:
    try:
        words = Words(templates_dir)
    except TemplateProblems as found:
        raise ValueError("\n".join(f"templates_dir: {problem}" for problem in found.problems)) from None

    def text_of(message: Message) -> str:
        try:
            return words.sms(message)
        except WrongMessage as wrong:  # its text names the value, and does not show it
            raise NotSent(str(wrong), permanent=True) from None

    return text_of
