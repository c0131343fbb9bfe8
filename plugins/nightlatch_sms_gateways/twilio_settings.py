"""The table of a channel of kind "twilio"."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from nightlatch.factor import Settings
from nightlatch_sms_gateways.addresses import GatewayUrl

_SENDER = re.compile(r"\+?[0-9]{3,15}|(?=.*[A-Za-z])[A-Za-z0-9 ]{1,11}")


class TwilioSettings(Settings):
    """Twilio, and gateways that speak as it does."""

    base_url: GatewayUrl = Field(
        "https://api.twilio.com",
        description="The gateway's address up to /2010-04-01; for another gateway, or a region of Twilio's.",
    )
    account_sid: str = Field(
        pattern=r"^[A-Za-z0-9_-]{2,64}$", description="The account that pays, such as AC0123…."
    )
    api_key: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{2,64}$",
        description="The key's SID (SK…), when auth_token_file holds an API key's secret. Better than the "
        "account's own token: it can be withdrawn alone.",
    )
    auth_token_file: Path = Field(
        description="The file with the auth token, or the API key's secret, on its one line; not readable "
        "by others."
    )
    sender: str | None = Field(
        None,
        description="The number (+14155550100), short code or name of up to 11 letters that it comes from.",
    )
    messaging_service_sid: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_-]{2,64}$",
        description="The messaging service (MG…) that chooses the sender, in place of sender.",
    )
    ca_file: Path | None = Field(
        None, description="The CAs that may sign the gateway's certificate, in PEM. Left out: the system's."
    )
    templates_dir: Path | None = Field(
        None, description="A folder with your own texts, which go before the ones that come with nightlatch."
    )

    @model_validator(mode="after")
    def _one_sender(self) -> Self:
        if (self.sender is None) == (self.messaging_service_sid is None):
            raise ValueError(
                "sender: who sends is named once.\n"
                'Write sender = "+14155550100", or messaging_service_sid = "MG…".'
            )
        if self.sender is not None and _SENDER.fullmatch(self.sender) is None:
            raise ValueError(
                f'sender: "{self.sender}" is no number, no short code and no name of up to 11 letters.\n'
                'Write it as sender = "+14155550100".'
            )
        if "?" in self.base_url or self.base_url.endswith("/"):
            raise ValueError('base_url: it ends before "/2010-04-01".\nWrite base_url = "https://HOST".')
        return self
