"""Makes email channels for tests, from tables as the configuration would check them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.plugins.settings import checked_settings
from nightlatch_smtp.channel import SmtpChannel, built
from nightlatch_smtp.settings import SmtpSettings
from testbed.mail import MAILBOX, PASSWORD

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.pki import Pki


class Clock:
    """A time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_772_373_720.0

    def __call__(self) -> float:
        return self.now


class Bench:
    """Makes channels, and closes them at the end."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.folder = folder
        self.pki = pki
        self.clock = Clock()
        self.channels: list[SmtpChannel] = []

    def secret(self, text: str, name: str) -> str:
        """A file with a secret."""
        path = self.folder / name
        path.write_text(text + "\n")
        path.chmod(0o600)
        return str(path)

    def settings(self, **table: object) -> SmtpSettings:
        """Settings as the configuration would check them; None takes a default away."""
        whole: dict[str, object] = {
            "host": "localhost",
            "ca_file": str(self.pki.ca),
            "username": MAILBOX,
            "from_address": MAILBOX,
            **table,
        }
        if "password_file" not in table and "oauth2" not in table:
            whole["password_file"] = self.secret(PASSWORD, "password")
        given = {name: value for name, value in whole.items() if value is not None}
        settings = checked_settings(SmtpSettings, given)
        assert isinstance(settings, SmtpSettings)
        return settings

    def channel(self, **table: object) -> SmtpChannel:
        """A channel of these settings."""
        made = built(self.settings(**table), self.clock)
        self.channels.append(made)
        return made
