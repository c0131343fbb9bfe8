"""A host with every second factor: slapd, Postfix, an SMPP server, nightlatchd, and three SSH servers.

One world runs for a whole module. Tests stay apart by taking a person each: people share no mailbox, no
number and no limit, but those of the whole installation.
"""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from testbed.carrier import SMSC_PASSWORD, SYSTEM_ID, Carrier
from testbed.daemon import BIN, Nightlatchd
from testbed.front_door import MODULE, Person, directory_table, enroll
from testbed.leaks import found_in
from testbed.mail import MAILBOX, PASSWORD, RECIPIENTS, MailServer, mail_text
from testbed.process import wait_until
from testbed.slapd import Slapd, password_of
from testbed.ssh_login import PASSWORD as PASSWORD_PROMPT
from testbed.ssh_login import SshLogin
from testbed.sshd import Sshd, SshUser

if TYPE_CHECKING:
    from pathlib import Path

    import grpc
    import pexpect

    from testbed.codes import App
    from testbed.pki import Pki

NAMES = ("ada", "ben", "cleo", "dan", "eva", "finn", "gus", "hana", "ivo", "jane")
FACTORS = ("totp", "sms", "email", "emergency", "recovery", "trusted_device")
SENDER = "+14155550100"
DIGITS = r"\b\d{8}\b"
"""A code in an email."""
LETTERS = r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){2}\b"
"""An emergency code."""


@dataclass
class Resident:
    """Somebody with a mailbox, another one for emergencies, and a telephone."""

    name: str
    mailbox: str
    security: str
    number: str
    read: dict[str, int] = field(default_factory=dict)
    """How many messages at each address this person has read."""


class World:
    """Everything, running between `start` and `stop`."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self.folder = folder
        self._pki = pki
        self._free = [
            Resident(name, RECIPIENTS[2 * place], RECIPIENTS[2 * place + 1], f"+141555501{place + 10}")
            for place, name in enumerate(NAMES)
        ]
        self._ending = ExitStack()
        self.secrets: set[str] = set()
        """Codes, tokens and addresses that no log may have."""

    def start(self) -> None:
        """Start all servers."""
        folder, ending = self.folder, self._ending
        self.slapd = Slapd(self._folder("slapd"), self._pki, NAMES)
        self.mail = MailServer(self._folder("mail"), self._pki, lambda _token: None)
        self.carrier = Carrier()
        ending.callback(self.carrier.close)
        self.daemon = Nightlatchd(folder / "d", directory_table(self.slapd), level="debug")
        self.configure()
        auth = f"auth required {MODULE} socket={self.daemon.pam_socket}"
        self.door = Sshd(folder / "door", self._users(needs_key=False), auth)
        self.key_door = Sshd(folder / "key", self._users(needs_key=True), f"{auth} mode=factor")
        self.strict_door = Sshd(folder / "strict", self._users(needs_key=True), auth)
        for server in (self.slapd, self.mail, self.daemon, self.door, self.key_door, self.strict_door):
            ending.callback(server.stop)
            server.start()

    def stop(self) -> None:
        """Stop all of them."""
        self._ending.close()

    def configure(self, *, email_channel: str = "mail", days: int = 30, extra: str = "") -> None:
        """Write the daemon's configuration; `days` of trust at SSH."""
        tables = self._channels() + extra + _factors(email_channel) + _policy(days)
        directory = directory_table(self.slapd) + 'language_attribute = "preferredLanguage"\n'
        self.daemon.write(directory, extra=tables, level="debug")
        text = self.daemon.config.read_text()
        self.daemon.config.write_text(
            text.replace('["totp"]', json.dumps([*FACTORS, "smtp", "sms_gateways"]))
        )

    def reload(self, *, email_channel: str = "mail", days: int = 30, extra: str = "") -> None:
        """Write the configuration anew, and have the daemon take it."""
        before = self._count("config.reloaded")
        self.configure(email_channel=email_channel, days=days, extra=extra)
        self.daemon.signal(signal.SIGHUP)
        wait_until(lambda: self._count("config.reloaded") > before, "the reload")

    def person(self) -> Resident:
        """Somebody whom no other test knows."""
        found = self._free.pop(0)
        self.secrets |= {found.mailbox, found.security, found.number, found.number.lstrip("+")}
        return found

    # What a person reads.

    def mailed(self, person: Resident, address: str, pattern: str) -> str:
        """What `pattern` finds in the next mail to an address that has it; waits for that mail."""
        while True:
            seen = person.read.get(address, 0)
            mail = self.mail.received(address, seen + 1)[seen]
            person.read[address] = seen + 1
            found = re.search(pattern, mail_text(mail))
            if found:
                return self._secret(found[0]) if re.search(r"\d", found[0]) else found[0]

    def next_text(self, person: Resident) -> str:
        """The next text message to a person; waits for it."""
        seen = person.read.get(person.number, 0)
        wait_until(lambda: len(self.carrier.to(person.number)) > seen, "the text message")
        person.read[person.number] = seen + 1
        return self.carrier.to(person.number)[seen]

    def told(self, person: Resident, words: str) -> None:
        """Wait for a text message with these words."""
        while words not in self.next_text(person):
            pass

    def texted(self, person: Resident) -> str:
        """The code in the next text message that has one."""
        while True:
            found = re.match(r"(\d{6})\b", self.next_text(person))
            if found:
                return self._secret(found[1])

    # What the administrator does.

    def command(self, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        """Run `nightlatch`."""
        return self.daemon.command(*arguments, answer=answer)

    def credentials(self, person: Resident) -> dict[str, str]:
        """The ids of a person's credentials, by factor."""
        listed = json.loads(self.command("credential", "list", person.name, "--json").stdout)
        return {one["factor"]: one["id"] for one in listed["credentials"]}

    def devices(self, person: Resident) -> list[dict[str, str]]:
        """The person's trusted devices."""
        listed = json.loads(self.command("device", "list", person.name, "--json").stdout)
        return list(listed["devices"])

    def talk(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that is answered line by line, in JSON."""
        return subprocess.Popen(
            [BIN / "nightlatch", *arguments, "--json", "--socket", self.daemon.admin_socket],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def totp(self, person: Resident) -> App:
        """Give a person an authenticator app."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, person.name)

    def enroll(self, person: Resident, factor: str) -> None:
        """Give a person a factor that sends codes, proven by the code that was sent."""
        address = {"sms": person.number, "email": person.mailbox, "emergency": person.security}[factor]
        with self.talk("credential", "enroll", factor, person.name, "--address", address) as talk:
            assert talk.stdin
            assert talk.stdout
            talk.stdout.readline()
            talk.stdin.write(self._code(person, factor) + "\n")
            talk.stdin.flush()
            assert json.loads(talk.stdout.readline())["confirmed"] is True

    def print_codes(self, person: Resident) -> list[str]:
        """Give a person new recovery codes."""
        shown = self.command("credential", "enroll", "recovery", person.name, "--json")
        codes = [detail["value"] for detail in json.loads(shown.stdout.splitlines()[0])["details"]]
        self.secrets |= {*codes, *(code.replace("-", "") for code in codes)}
        return codes

    def audit(self, query: str) -> list[tuple[object, ...]]:
        """Rows of the daemon's database."""
        with sqlite3.connect(self.daemon.folder / "state" / "nightlatch.db") as database:
            return list(database.execute(query))

    # How a person logs in.

    def ssh(self, person: Resident, door: Sshd | None = None, key: Path | None = None) -> pexpect.spawn[str]:
        """An SSH client, at the door for passwords alone or at another one; there with the door's own key."""
        at = door or self.door
        return SshLogin(at.port, person.name, self.folder, key or (at.key if door else None)).open(30)

    def behind_password(self, person: Resident) -> pexpect.spawn[str]:
        """An SSH client that has given the right password."""
        client = self.ssh(person)
        client.expect(PASSWORD_PROMPT)
        client.sendline(password_of(person.name))
        return client

    def over_grpc(self, channel: grpc.Channel, person: Resident) -> Person:
        """A login as a PAM module makes it."""
        return Person(channel, person.name)

    def leaks(self) -> list[str]:
        """LEK-01: the secrets that are in the daemon's log, in the SSH servers', in the state."""
        told = "".join(door.log for door in (self.door, self.key_door, self.strict_door))
        return found_in(self.secrets, self.daemon, told)

    def _code(self, person: Resident, factor: str) -> str:
        if factor == "sms":
            return self.texted(person)
        if factor == "email":
            return self.mailed(person, person.mailbox, DIGITS)
        return self.mailed(person, person.security, LETTERS)

    def _secret(self, code: str) -> str:
        self.secrets |= {code, code.replace("-", "")}
        return code

    def _count(self, name: str) -> int:
        return sum(event["event"] == name for event in self.daemon.events())

    def _folder(self, name: str) -> Path:
        made = self.folder / name
        made.mkdir()
        made.chmod(0o755)
        return made

    def _users(self, *, needs_key: bool) -> tuple[SshUser, ...]:
        return tuple(SshUser(name, 21100 + place, needs_key) for place, name in enumerate(NAMES))

    def _password_file(self, name: str, password: str) -> Path:
        made = self.folder / f"{name}.password"
        made.touch(mode=0o600)
        made.write_text(password + "\n")
        return made

    def channel_table(self, name: str, port: int) -> str:
        """The table of a channel that sends mail through a port of this host."""
        return f"""
[channels.{name}]
kind = "smtp"
host = "localhost"
port = {port}
ca_file = "{self._pki.ca}"
username = "{MAILBOX}"
password_file = "{self._password_file(name, PASSWORD)}"
from_address = "{MAILBOX}"
"""

    def _channels(self) -> str:
        return f"""{self.channel_table("mail", self.mail.port)}
[channels.carrier]
kind = "smpp"
url = "smpp://127.0.0.1:{self.carrier.port}"
system_id = "{SYSTEM_ID}"
password_file = "{self._password_file("carrier", SMSC_PASSWORD)}"
sender = "{SENDER}"
"""


def _factors(email_channel: str) -> str:
    return f"""
[factors.email]
channels = ["{email_channel}"]
[factors.emergency]
channels = ["mail"]
[factors.sms]
channels = ["carrier"]
countries = ["US"]
"""


def _policy(days: int) -> str:
    return f"""
[[policies]]
name = "devices"
trusted_device_days = {days}
"""


def matched(client: pexpect.spawn[str]) -> str:
    """The first group of what a client's last `expect` has found."""
    assert isinstance(client.match, re.Match)
    return str(client.match.group(1))
