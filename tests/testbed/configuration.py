"""A configuration with all that it names, in a folder of its own, for tests to spoil."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nightlatch.config import check_config

if TYPE_CHECKING:
    from pathlib import Path

_TEXT = """\
[daemon]
state_dir = "{root}/state"
runtime_dir = "{root}/run"

[listeners.pam]
socket = "{root}/sockets/pam.sock"

[listeners.admin]
socket = "{root}/sockets/admin.sock"

[store]
url = "sqlite"

[log]
level = "info"

[plugins]
enabled = ["totp"]

[[directories]]
name = "corp"
kind = "ldap"
urls = [
    "ldaps://dc1.example.com",  # the first
    "ldaps://dc2.example.com",
]
bind_dn = "cn=nightlatch,dc=example,dc=com"
bind_password_file = "{root}/corp.password"
base = "ou=people,dc=example,dc=com"
"""


@dataclass(frozen=True)
class Folder:
    """The folder. Everything in it is right until a test changes it."""

    root: Path

    def __post_init__(self) -> None:
        (self.root / "sockets").mkdir(mode=0o755)
        self.secret("corp.password").write_text("LDAP-CANARY\n")
        self.file.write_text(_TEXT.format(root=self.root))
        self.file.chmod(0o644)

    @property
    def file(self) -> Path:
        """The configuration file."""
        return self.root / "nightlatch.toml"

    def secret(self, name: str) -> Path:
        """A new empty file that only its owner may read."""
        path = self.root / name
        path.touch(mode=0o600)
        path.chmod(0o600)
        return path

    def key(self) -> Path:
        """The key that the daemon keeps itself, where it has made one already."""
        (self.root / "state").mkdir(mode=0o700)
        path = self.secret("state/master.key")
        path.write_bytes(bytes(32))
        return path

    def replace(self, old: str, new: str) -> None:
        """Change a piece of the text that is there once."""
        text = self.file.read_text()
        assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
        self.file.write_text(text.replace(old, new))

    def append(self, text: str) -> None:
        """Write more at the end."""
        with self.file.open("a") as file:
            file.write(text)

    def line(self, piece: str) -> int:
        """The number of the only line with this piece."""
        (number,) = [
            number for number, line in enumerate(self.file.read_text().splitlines(), 1) if piece in line
        ]
        return number

    def problems(self) -> list[str]:
        """What the check says, with the path cut off each: "14  directories[0]: …"."""
        return [problem.removeprefix(f"{self.file}:") for problem in check_config(self.file)]
