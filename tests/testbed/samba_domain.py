"""How the domain of `testbed.samba` is made: provisioned, and told to serve LDAP alone, as one process."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

DOMAIN = "nl.test"
NETBIOS = "NL"
ADMIN_PASSWORD = "Adm1n-Pass!"

_SETTINGS = """
old password allowed period = 0
tls enabled = yes
tls keyfile = {folder}/tls.key
tls certfile = {folder}/tls.crt
tls cafile = {folder}/ca.crt
pid directory = {folder}/run
ncalrpc dir = {folder}/ncalrpc
log file = {folder}/log/%m.log
max log size = 0
"""


def provision(folder: Path, address: str) -> Path:
    """Make a domain with its files in `folder`, on a loopback address; the path of its configuration."""
    configuration = folder / "etc" / "smb.conf"
    (folder / "empty.conf").touch()
    run(
        *("samba-tool", "domain", "provision", f"--configfile={folder}/empty.conf"),
        *(f"--targetdir={folder}", f"--realm={DOMAIN.upper()}", f"--domain={NETBIOS}"),
        *("--server-role=dc", "--dns-backend=NONE", "--use-rfc2307", f"--adminpass={ADMIN_PASSWORD}"),
        *("--host-name=dc1", f"--host-ip={address}"),
        *(f"--option=interfaces={address}/8", "--option=bind interfaces only=yes"),
    )
    for name in ("run", "ncalrpc", "log"):
        (folder / name).mkdir()
    own = _SETTINGS.format(folder=folder)
    text = configuration.read_text().replace("[global]\n", f"[global]{own}", 1)
    lines = [
        "server services = ldap" if line.strip().startswith("server services") else line
        for line in text.splitlines()
    ]
    configuration.write_text("\n".join(lines) + "\n")
    run(
        *("samba-tool", "domain", "passwordsettings", "set", f"--configfile={configuration}"),
        *("-H", str(database(folder)), "--complexity=off", "--min-pwd-length=6", "--min-pwd-age=0"),
        *("--max-pwd-age=42", "--account-lockout-threshold=3", "--account-lockout-duration=1"),
        "--reset-account-lockout-after=1",
    )
    return configuration


def database(folder: Path) -> Path:
    """The file of the domain's entries."""
    return folder / "private" / "sam.ldb"


def run(*command: str) -> None:
    """Run a program that must work."""
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout[-2000:]}{done.stderr[-2000:]}"
