"""SMS by HTTP gateways and by SMPP: the channels of kind "twilio", "http_sms" and "smpp"."""

from __future__ import annotations

from nightlatch.channel import ChannelPlugin, Medium, hookimpl
from nightlatch_sms_gateways.build import build_http_sms, build_smpp, build_twilio
from nightlatch_sms_gateways.http_settings import HttpSmsSettings
from nightlatch_sms_gateways.smpp_settings import SmppSettings
from nightlatch_sms_gateways.twilio_settings import TwilioSettings


@hookimpl
def nightlatch_channels() -> list[ChannelPlugin]:
    """The three kinds of this plugin."""
    return [
        ChannelPlugin(kind="twilio", medium=Medium.PHONE, settings=TwilioSettings, build=build_twilio),
        ChannelPlugin(kind="http_sms", medium=Medium.PHONE, settings=HttpSmsSettings, build=build_http_sms),
        ChannelPlugin(kind="smpp", medium=Medium.PHONE, settings=SmppSettings, build=build_smpp),
    ]
