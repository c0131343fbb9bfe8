"""The parts that email tests share."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from nightlatch.channel import Message
from testbed.mail import PASSWORD, MailServer
from testbed.mail_channels import Bench
from testbed.token_endpoint import TokenEndpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from testbed.pki import Pki

CODE = "48213377"
SECRETS = (PASSWORD, CODE, "canary-token", "canary-client", "canary-refresh")


@pytest.fixture
async def bench(tmp_path: Path, pki: Pki) -> AsyncIterator[Bench]:
    """A maker of channels."""
    made = Bench(tmp_path, pki)
    yield made
    for channel in made.channels:
        await channel.close()


@pytest.fixture(scope="session")
def endpoint_of_mail(pki: Pki) -> Iterator[TokenEndpoint]:
    """The token endpoint whose tokens the mail server believes."""
    made = TokenEndpoint(pki.server)
    yield made
    made.stop()


@pytest.fixture
def endpoint(endpoint_of_mail: TokenEndpoint) -> TokenEndpoint:
    """The same, as new."""
    endpoint_of_mail.asked.clear()
    endpoint_of_mail.good.clear()
    endpoint_of_mail.reply = None
    endpoint_of_mail.extra = {"expires_in": 3600}
    return endpoint_of_mail


@pytest.fixture(scope="session")
def mail_server(open_folder: Path, pki: Pki, endpoint_of_mail: TokenEndpoint) -> Iterator[MailServer]:
    """Postfix and Dovecot."""
    made = MailServer(open_folder / "mail", pki, endpoint_of_mail.owner)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def login_code() -> Callable[..., Message]:
    """A message with a code."""

    def made(language: str = "en", **values: str) -> Message:
        return Message("login_code", {"code": CODE, "minutes": "5", "service": "sshd", **values}, language)

    return made


@pytest.fixture
def no_secret_said(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """LEK-01: at the loudest level, nothing secret is logged or printed during a test."""
    caplog.set_level(logging.DEBUG)
    yield
    printed = capfd.readouterr()
    for secret in SECRETS:
        assert secret not in caplog.text + printed.out + printed.err
