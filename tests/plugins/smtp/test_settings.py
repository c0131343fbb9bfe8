"""The table of an email channel: every mistake is found before the start, and told without its secret."""

from __future__ import annotations

import json
import re
import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError

import nightlatch_smtp
from nightlatch.channel import Medium
from nightlatch.plugins.settings import checked_settings, problems_in
from nightlatch_messages import KINDS
from nightlatch_smtp.channel import build
from nightlatch_smtp.oauth_settings import OAuthSettings
from nightlatch_smtp.settings import SmtpSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from testbed.mail_channels import Bench

DOCS = Path(__file__).parents[3] / "docs" / "channels"
CANARY = "Canary-secret-9"


def problems(table: Mapping[str, object]) -> str:
    """What a table is refused for."""
    with pytest.raises(ValidationError) as refused:
        checked_settings(SmtpSettings, table)
    told = "\n".join(f"{place}: {words}" for place, words in problems_in(refused.value, SmtpSettings, "mail"))
    assert CANARY not in told
    return told


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A good secret file."""
    path = tmp_path / "secret"
    path.write_text(CANARY + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def account(tmp_path: Path) -> Path:
    """A service account's key file."""
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "account.json"
    path.write_text(json.dumps({"client_email": "nl@acme.iam.test", "private_key": pem.decode()}))
    path.chmod(0o600)
    return path


def test_the_plugin_declares_one_email_channel() -> None:
    """By its hook."""
    (kind,) = nightlatch_smtp.nightlatch_channels()
    assert (kind.kind, kind.medium, kind.settings) == ("smtp", Medium.MAILBOX, SmtpSettings)


def test_building_connects_to_nothing(bench: Bench) -> None:
    """And needs no event loop."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        build(bench.settings(host="127.0.0.1", port=listening.getsockname()[1]))
        listening.settimeout(0)
        with pytest.raises(BlockingIOError):
            listening.accept()


def test_nothing_shows_the_secret(bench: Bench, secret: Path) -> None:
    """LEK-01: settings and channel know the file, not what it holds."""
    settings = bench.settings(password_file=str(secret))
    assert CANARY not in repr(settings) + repr(build(settings)) + repr(vars(build(settings)))


def test_presets_know_their_servers(secret: Path) -> None:
    """Host, port, endpoint, scope and how many connections a mailbox has."""
    oauth: dict[str, object] = {
        "preset": "outlook",
        "tenant": "contoso.example",
        "client_id": "x",
        "client_secret_file": str(secret),
    }
    table: dict[str, object] = {"username": "a@b.test", "from_address": "a@b.test", "oauth2": oauth}
    outlook = checked_settings(SmtpSettings, table)
    assert isinstance(outlook, SmtpSettings)
    assert outlook.oauth2 is not None
    assert (outlook.server_host, outlook.server_port, outlook.most_connections) == (
        "smtp.office365.com",
        587,
        3,
    )
    assert outlook.oauth2.endpoint == "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"
    table["oauth2"] = {"preset": "gmail", "client_id": "x", "refresh_token_file": str(secret)}
    gmail = checked_settings(SmtpSettings, {**table, "security": "tls"})
    assert isinstance(gmail, SmtpSettings)
    assert gmail.oauth2 is not None
    assert (gmail.server_host, gmail.server_port, gmail.most_connections) == ("smtp.gmail.com", 465, 10)
    assert (gmail.oauth2.endpoint, gmail.oauth2.asked_scope) == ("https://oauth2.googleapis.com/token", "")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"host": None}, '"host" is needed'),
        ({"host": "smtp://x.test"}, "must be a host name"),
        ({"host": "x.test\nEHLO"}, "must be a host name"),
        ({"port": 0}, "mail.port"),
        ({"security": "none"}, 'must be "starttls" or "tls"'),
        ({"verify": False}, "unknown setting"),
        ({"from_address": "Help <a@b.test>"}, "must be one plain address"),
        ({"from_address": "a@b.test\r\nBcc: c@d.test"}, "must be one plain address"),
        ({"from_name": "a\r\nBcc: c@d.test"}, "must be one line"),
        ({"reply_to": "ä@b.test"}, "must be one plain address"),
        ({"username": "a\x00b"}, "must be one line"),
        ({"username": None}, '"username" is needed'),
        ({"password_file": None}, '"username" needs a "password_file"'),
        ({"hello": "two words"}, "must be a host name"),
        ({"connections": 0}, "mail.connections"),
        ({"templates_dir": "/nowhere/at/all"}, "can not be read"),
        ({"ca_file": "/nowhere/at/all"}, "there is no file"),
        ({"ca_file": "/etc/hostname"}, "holds no certificate"),
        ({"oauth2": {"preset": "gmail"}}, '"client_id" is needed for the flow "refresh_token"'),
        ({"oauth2": {"preset": "gmail", "flow": "client_credentials"}}, "gmail does not give tokens by"),
        ({"oauth2": {"preset": "yahoo"}}, 'must be "gmail", "outlook" or "custom"'),
        ({"oauth2": {"preset": "custom", "token_url": "http://x.test"}}, "must begin with https://"),
        ({"oauth2": {"preset": "outlook", "tenant": "a/../b"}}, "must be the directory's id or domain"),
    ],
)
def test_a_mistake_is_told(secret: Path, change: dict[str, object], told: str) -> None:
    """With the place, what is wrong, and what to write."""
    table: dict[str, object] = {
        "host": "x.test",
        "username": "u",
        "password_file": str(secret),
        "from_address": "a@b.test",
        **change,
    }
    assert told in problems({name: value for name, value in table.items() if value is not None})


def test_oauth_needs_what_its_flow_needs(secret: Path) -> None:
    """And nothing that it would not use."""
    full: dict[str, object] = {"preset": "custom", "client_id": "x", "refresh_token_file": str(secret)}
    table: dict[str, object] = {"host": "x.test", "username": "u", "from_address": "a@b.test"}
    assert '"token_url" is needed' in problems({**table, "oauth2": full})
    outlook = {"preset": "outlook", "client_id": "x", "client_secret_file": str(secret)}
    assert '"tenant" is needed' in problems({**table, "oauth2": outlook})
    unused = {**outlook, "tenant": "x.test", "refresh_token_file": str(secret)}
    assert '"refresh_token_file" is not used' in problems({**table, "oauth2": unused})
    both = {**full, "token_url": "https://x.test"}
    assert "can not both be" in problems({**table, "password_file": str(secret), "oauth2": both})


@pytest.mark.parametrize(
    ("mode", "content", "told"),
    [
        (0o644, CANARY, "Run: chmod 600"),
        (0o660, CANARY, "Run: chmod 600"),
        (0o600, "", "is empty"),
        (0o600, CANARY + "\x07", "holds a control character"),
        (0o600, CANARY * 2000, "is longer than"),
    ],
)
def test_a_secret_file_is_checked(secret: Path, mode: int, content: str, told: str) -> None:
    """Mode, owner and content; LEK-01: without what it holds."""
    secret.write_text(content)
    secret.chmod(mode)
    table = {"host": "x.test", "username": "u", "password_file": str(secret), "from_address": "a@b.test"}
    assert told in problems(table)


def test_a_file_that_is_no_service_account_is_told(secret: Path) -> None:
    """JSON of another kind, and a key that is none."""
    oauth = {"preset": "gmail", "flow": "service_account", "service_account_file": str(secret)}
    table = {"username": "u", "from_address": "a@b.test", "oauth2": oauth}
    assert "is not a service account's key" in problems(table)
    secret.write_text(f'{{"client_email": "a", "private_key": "{CANARY}"}}')
    assert "is no RSA key" in problems(table)


@pytest.mark.parametrize("setting", [*SmtpSettings.model_fields, *OAuthSettings.model_fields])
def test_every_setting_is_on_the_page(setting: str) -> None:
    """docs/channels/smtp.md misses none, and every one has a description."""
    assert f"| `{setting}` |" in (DOCS / "smtp.md").read_text()
    fields = {**SmtpSettings.model_fields, **OAuthSettings.model_fields}
    assert fields[setting].description


def test_the_examples_on_the_page_are_read(secret: Path, account: Path) -> None:
    """Each table in docs/channels/smtp.md, with its files in place."""
    page = (DOCS / "smtp.md").read_text()
    blocks = re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", page, re.MULTILINE)
    examples = [re.sub(r"^ {4}", "", block, flags=re.MULTILINE) for block in blocks]
    assert len(examples) == 5
    for example in examples:
        there = re.sub(r'(service_account_file) = ".*"', rf'\1 = "{account}"', example)
        there = re.sub(r'((?:password|secret|token)_file) = ".*"', rf'\1 = "{secret}"', there)
        (table,) = tomllib.loads(there)["channels"].values()
        assert table.pop("kind") == "smtp"
        checked_settings(SmtpSettings, table)


@pytest.mark.parametrize("kind", KINDS)
def test_every_message_is_on_the_page(kind: str) -> None:
    """docs/channels/templates.md names every message and its values."""
    row = next(line for line in (DOCS / "templates.md").read_text().splitlines() if f"| `{kind}` |" in line)
    assert all(f"`{value}`" in row for value in KINDS[kind].values)
