"""The table ``[channels.NAME.oauth2]``: where tokens come from, and how this program shows who it is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from nightlatch.factor import Settings
from nightlatch_smtp.files import CaFile, SecretFile
from nightlatch_smtp.presets import PRESETS, Flow, PresetName
from nightlatch_smtp.service_account import read_account

_NEEDS: dict[Flow, tuple[str, ...]] = {
    "refresh_token": ("client_id", "refresh_token_file"),
    "client_credentials": ("client_id", "client_secret_file"),
    "service_account": ("service_account_file",),
}
_IGNORES: dict[Flow, tuple[str, ...]] = {
    "refresh_token": ("service_account_file",),
    "client_credentials": ("refresh_token_file", "service_account_file"),
    "service_account": ("client_id", "client_secret_file", "refresh_token_file"),
}
_TENANT = re.compile(r"[A-Za-z0-9.-]{1,253}")


def _https(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.fragment:
        raise ValueError("must begin with https://, then a host; secrets are sent there.")
    return url


def _tenant(name: str) -> str:
    if not _TENANT.fullmatch(name):
        raise ValueError("must be the directory's id or domain, such as contoso.onmicrosoft.com.")
    return name


def _account(path: Path) -> Path:
    read_account(path)
    return path


class OAuthSettings(Settings):
    """OAuth 2.0 (RFC 6749) for XOAUTH2. Every secret is in a file of mode 600."""

    preset: PresetName = Field(
        description='"gmail", "outlook", or "custom". The first two know host, token endpoint and scope.'
    )
    flow: Flow | None = Field(
        None, description='"refresh_token", "client_credentials" or "service_account"; the provider\'s first.'
    )
    client_id: str | None = Field(
        None, min_length=1, max_length=512, description="The program's id at the provider."
    )
    client_secret_file: SecretFile | None = Field(None, description="The program's secret.")
    refresh_token_file: SecretFile | None = Field(
        None,
        description="The refresh token. A newer one from the provider is stored there, if it may be.",
    )
    service_account_file: Annotated[Path, AfterValidator(_account)] | None = Field(
        None, description="A service account's key, the JSON file from Google."
    )
    tenant: Annotated[str, AfterValidator(_tenant)] | None = Field(
        None, description="The Microsoft directory: its id or its domain."
    )
    token_url: Annotated[str, AfterValidator(_https)] | None = Field(
        None, description="The token endpoint, instead of the preset's."
    )
    scope: str | None = Field(
        None, max_length=1024, description="The permission to ask for, instead of the preset's."
    )
    ca_file: CaFile | None = Field(
        None, description="Authorities to trust for the token endpoint, in PEM, instead of the system's."
    )

    @model_validator(mode="after")
    def _agree(self) -> Self:
        preset, flow = PRESETS[self.preset], self.chosen_flow
        if flow not in preset.flows:
            known = " or ".join(f'"{one}"' for one in preset.flows)
            raise ValueError(f'{self.preset} does not give tokens by "{flow}".\nWrite: flow = {known}')
        for name in _NEEDS[flow]:
            if getattr(self, name) is None:
                raise ValueError(f'"{name}" is needed for the flow "{flow}".')
        for name in _IGNORES[flow]:
            if getattr(self, name) is not None:
                raise ValueError(f'"{name}" is not used by the flow "{flow}": remove it, or change "flow".')
        if not self.endpoint:
            raise ValueError('"token_url" is needed: a custom provider has no token endpoint that is known.')
        if "{tenant}" in self.endpoint:
            raise ValueError('"tenant" is needed: the id or the domain of the Microsoft directory.')
        return self

    @property
    def chosen_flow(self) -> Flow:
        """How tokens are got."""
        return self.flow or PRESETS[self.preset].flows[0]

    @property
    def endpoint(self) -> str:
        """The token endpoint."""
        url = self.token_url or PRESETS[self.preset].token_url
        return url.replace("{tenant}", self.tenant) if self.tenant else url

    @property
    def asked_scope(self) -> str:
        """The permission to ask for; empty for none."""
        return PRESETS[self.preset].scope(self.chosen_flow) if self.scope is None else self.scope
