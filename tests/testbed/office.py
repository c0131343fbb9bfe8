"""An office: a daemon in front of a slapd with nested groups, and rules for them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testbed.front_door import directory_table, enroll
from testbed.slapd import GROUPS, group_dn

if TYPE_CHECKING:
    import subprocess

    from testbed.codes import App
    from testbed.daemon import Nightlatchd
    from testbed.slapd import Slapd

ADMINS = group_dn("admins")
RULES = f"""
[policy]
administrators = ["{ADMINS}"]

[[policies]]
name = "administrators"
match = {{ scope = "administrators", services = ["sshd", "sudo"] }}

[[policies]]
name = "staff"
match = {{ scope = "everyone" }}
second_factor = "observe"

[[policies]]
name = "robots"
match = {{ users = ["dave"] }}
second_factor = "skip"
exemption = "dave is a backup job"
lifts = ["staff"]
"""
"""Administrators at two services, everybody watched, and a robot."""
REQUIRED = RULES.replace('second_factor = "observe"', 'second_factor = "required"')
"""The same, with nobody observed."""


@dataclass
class Office:
    """alice and bob are administrators (bob through ops), carol is staff, dave is a robot."""

    slapd: Slapd
    daemon: Nightlatchd

    @property
    def table(self) -> str:
        """The directory's table."""
        return f'{directory_table(self.slapd)}group_base = "{GROUPS}"\n'

    def write(self, rules: str, *, more: str = "") -> None:
        """Write the daemon's configuration with these rules, and more about the directory."""
        self.daemon.write(f"{self.table}{more}\n", extra=rules)

    def planned(self, rules: str) -> str:
        """A second configuration file, with these rules."""
        running = self.daemon.config.read_text()
        self.write(rules)
        path = self.daemon.folder / "new.toml"
        path.write_text(self.daemon.config.read_text())
        path.chmod(0o600)
        self.daemon.config.write_text(running)
        return str(path)

    def enroll(self, user: str) -> App:
        """Give a person an app."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, user)

    def ask(self, *words: str) -> tuple[int, dict[str, Any]]:
        """A command's exit code, and what it says as JSON."""
        done = self.daemon.command("policy", *words, "--json")
        return done.returncode, json.loads(done.stdout)

    def tell(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The same command for people."""
        return self.daemon.command("policy", *words)

    def count(self, event: str) -> int:
        """How often an event is in the log."""
        return sum(1 for one in self.daemon.events() if one["event"] == event)

    def last(self, event: str) -> dict[str, Any]:
        """The last event of that name."""
        return [one for one in self.daemon.events() if one["event"] == event][-1]
