"""The host with every second factor, where people set them up at the SSH login."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from testbed.codes import App
from testbed.qr import code_lines, decode
from testbed.second_factors import World, matched

if TYPE_CHECKING:
    from pathlib import Path

    import pexpect

    from testbed.second_factors import Resident

FIRST_CODE = r"Code from your authenticator app: "
KEPT = r"Press Enter when you have done so: "
PUT_OFF = r"You can put it off (.*?)\. \[Y/n\] "
INVITE = r"Type the invite that you got from your administrator: "
DENIED = "Permission denied"
_TABLE = '[[policies]]\nname = "devices"\ntrusted_device_days = 30\n'


class OnboardingWorld(World):
    """The same, with one rule that tests change, and a directory that tells phone numbers."""

    rule = 'enrollment = "self"'

    def configure(self, *, email_channel: str = "mail", days: int = 30, extra: str = "") -> None:
        """Write the daemon's configuration, with `rule` in the place of trust in devices."""
        super().configure(email_channel=email_channel, days=days, extra=extra)
        text = self.daemon.config.read_text()
        assert _TABLE in text
        text = text.replace(_TABLE, f'[[policies]]\nname = "newcomers"\n{self.rule}\n')
        self.daemon.config.write_text(
            text.replace("operation_timeout = 3.0\n", 'operation_timeout = 3.0\nphone_attribute = "mobile"\n')
        )

    def govern(self, rule: str) -> None:
        """Have the daemon go by another rule."""
        self.rule = rule
        self.reload()

    def invite(self, person: Resident, *options: str) -> str:
        """A new invite, from the command line."""
        made = json.loads(self.command("invite", person.name, "--json", *options).stdout)
        text = str(made["invite"])
        self.secrets |= {text, text.replace("-", "")}
        return text

    def scanned(self, client: pexpect.spawn[str], folder: Path) -> App:
        """What a phone has after scanning what the client shows, up to the question for the first code."""
        client.expect(FIRST_CODE)
        uri = decode(code_lines(str(client.before)), folder)
        assert uri.startswith("otpauth://totp/"), "the phone can not read the code"
        self.hide(parse_qs(urlsplit(uri).query)["secret"][0])
        return App(uri)

    def hide(self, secret: str) -> None:
        """Remember a TOTP secret, which no log may have, however it is written."""
        self.secrets |= {secret, " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}

    def printed(self, client: pexpect.spawn[str]) -> list[str]:
        """The recovery codes that the client shows."""
        client.expect(
            r"Here are ten recovery codes; each works once\. Write them down now:\r\n([^:]*)" + KEPT
        )
        codes = [line.split()[-1] for line in matched(client).splitlines()]
        self.secrets |= {*codes, *(code.replace("-", "") for code in codes)}
        return codes

    def crash(self) -> None:
        """Kill the daemon in the middle, and start it anew."""
        self.daemon.signal(signal.SIGKILL)
        self.daemon.wait()
        self.daemon.start()
