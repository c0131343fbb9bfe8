"""A private Samba as domain controller of nl.test, for tests of Active Directory.

It has a loopback address of its own, because its LDAP ports are fixed; keeps all of its files in one
folder; serves LDAP and nothing else; and is one process. Built in about 6 s, started in 0.5 s. It must
be root's: the domain's files have attributes that only root may write.
"""

from __future__ import annotations

import random
import shutil
import signal
import socket
from typing import TYPE_CHECKING, Any

import ldap3

from nightlatch.directories.ldap_tls import StrictTls, trust
from testbed.ports import own_part
from testbed.process import Child, wait_until
from testbed.samba_domain import ADMIN_PASSWORD, DOMAIN, database, provision, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from testbed.pki import Pki

# Of the domain's module; what is made here is exported anyway.
__all__ = ["DOMAIN"]
BASE = "DC=nl,DC=test"
USERS = f"CN=Users,{BASE}"
SERVICE_UPN = f"nightlatch@{DOMAIN}"
SERVICE_DN = f"CN=nightlatch,{USERS}"
SERVICE_PASSWORD = "Service-account-3-of-the-test-bed"

NORMAL, DISABLED = 512, 514
"""Values of userAccountControl."""
LONG_AGO = 130_000_000_000_000_000
"""A FILETIME of 2012."""

_FORCE_CHANGE_PASSWORD = "00299570-246d-11d0-a768-00aa006e0529"
_PORTS = (389, 636)
_LOCAL_WRITE = "--controls=local_oid:1.3.6.1.4.1.7165.4.3.20:0"


def password_of(name: str) -> str:
    """The password that every person starts with."""
    return f"Pw-{name}-x"


def free_address(addresses: Sequence[str]) -> str:
    """A loopback address on which nobody has LDAP's ports."""
    for address in random.SystemRandom().sample(addresses, len(addresses)):
        if all(_is_free(address, port) for port in _PORTS):
            return address
    message = f"somebody listens on every address from {addresses[0]} to {addresses[-1]}"
    raise RuntimeError(message)


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


class Samba:
    """One domain controller. Built, it has its service account; it runs between `start` and `stop`."""

    def __init__(self, folder: Path, pki: Pki) -> None:
        self._folder = folder
        self._child: Child | None = None
        self.address = free_address(own_part(pki.controller_addresses))
        self.url = f"ldap://{self.address}"
        """For StartTLS."""
        self.tls_url = f"ldaps://{self.address}"
        self.ca_file = pki.ca
        self.service_password_file = folder / "service.password"
        folder.mkdir(parents=True, exist_ok=True)
        self._conf = provision(folder, self.address)
        shutil.copy(pki.controller.certificate, folder / "tls.crt")
        shutil.copy(pki.controller.key, folder / "tls.key")
        (folder / "tls.key").chmod(0o600)
        shutil.copy(pki.ca, folder / "ca.crt")
        self.service_password_file.write_text(SERVICE_PASSWORD + "\n")
        self.service_password_file.chmod(0o600)

    def settings(self, **changes: object) -> dict[str, object]:
        """A ``[[directories]]`` table for it, of plain values."""
        return {
            "name": "corp",
            "kind": "active_directory",
            "urls": [self.tls_url],
            "ca_file": str(self.ca_file),
            "bind_dn": SERVICE_UPN,
            "bind_password_file": str(self.service_password_file),
            "base": BASE,
            "group_cache_seconds": 0,
            **changes,
        }

    def table(self, more: str = "") -> str:
        """The same as text of a configuration, with more settings or tables behind it."""
        return f"""
[[directories]]
name = "corp"
kind = "active_directory"
urls = ["{self.tls_url}"]
ca_file = "{self.ca_file}"
bind_dn = "{SERVICE_UPN}"
bind_password_file = "{self.service_password_file}"
base = "{BASE}"
{more}
"""

    def start(self) -> None:
        """Start for the first time, and wait until it takes connections (about 0.5 s)."""
        self._child = Child(
            [
                *("samba", "-s", self._conf, "-F", "--no-process-group"),
                *("--debug-stdout", "--model=single"),
            ],
            self._folder / "samba.log",
        )
        try:
            wait_until(self._takes_connections, "samba", self._child)
            self.add_person("nightlatch", password=SERVICE_PASSWORD)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it; its data stays."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def hang(self) -> None:
        """Stop its work without closing anything (SIGSTOP): the kernel connects, nobody answers."""
        assert self._child is not None
        self._child.signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again after `hang`."""
        assert self._child is not None
        self._child.signal(signal.SIGCONT)

    def add_person(self, name: str, *, password: str = "", under: str = USERS, **attributes: object) -> str:
        """Add a person with a sAMAccountName; the DN."""
        dn = f"CN={name},{under}"
        self.add(
            dn,
            "user",
            {
                "sAMAccountName": name,
                "userPrincipalName": f"{name}@{DOMAIN}",
                "unicodePwd": f'"{password or password_of(name)}"'.encode("utf-16-le"),
                "userAccountControl": NORMAL,
                **attributes,
            },
        )
        return dn

    def add_group(self, name: str, *members: str) -> str:
        """Add a universal group; the DN."""
        dn = f"CN={name},{USERS}"
        attributes: dict[str, object] = {"sAMAccountName": name, "groupType": -2147483640}
        self.add(dn, "group", attributes | ({"member": list(members)} if members else {}))
        return dn

    def add(self, dn: str, kind: str, attributes: Mapping[str, object]) -> None:
        """Add an entry."""
        self._change(lambda admin: admin.add(dn, kind, dict(attributes)))

    def modify(self, dn: str, **attributes: object) -> None:
        """Replace attributes of an entry; None removes one."""
        changes = {
            name: [
                (ldap3.MODIFY_REPLACE, [] if value is None else value if isinstance(value, list) else [value])
            ]
            for name, value in attributes.items()
        }
        self._change(lambda admin: admin.modify(dn, changes))

    def join(self, group: str, member: str) -> None:
        """Put an entry into a group."""
        self._change(lambda admin: admin.modify(group, {"member": [(ldap3.MODIFY_ADD, [member])]}))

    def rename(self, dn: str, cn: str, to: str = USERS) -> str:
        """Give an entry another name, and another place; the new DN."""
        self._change(lambda admin: admin.modify_dn(dn, f"CN={cn}", new_superior=to))
        return f"CN={cn},{to}"

    def remove(self, dn: str) -> None:
        """Remove an entry."""
        self._change(lambda admin: admin.delete(dn))

    def value(self, dn: str, attribute: str) -> bytes:
        """The one value of an attribute, as it is stored."""
        answer = self._change(
            lambda admin: admin.search(dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute])
        )
        (value,) = answer[0]["raw_attributes"][attribute]
        return bytes(value)

    def modify_locally(self, ldif: str) -> None:
        """Change what the server lets nobody write, by LDIF in its database."""
        self._local("ldbmodify", ldif, _LOCAL_WRITE)

    def add_locally(self, ldif: str) -> None:
        """Add many entries at once, by LDIF in its database."""
        self._local("ldbadd", ldif)

    def deny_reading(self, dn: str) -> None:
        """Let no ordinary account see an entry."""
        run(
            *("samba-tool", "dsacl", "set", f"--configfile={self._conf}", "-H", str(database(self._folder))),
            *(f"--objectdn={dn}", "--sddl=(D;;RPLCLORC;;;AU)"),
        )

    def let_reset(self, dn: str, trustee: str) -> None:
        """Let an account set the password of an entry anew (the right User-Force-Change-Password)."""
        sid = self._sid(trustee)
        right = f"(OA;;CR;{_FORCE_CHANGE_PASSWORD};;{sid})"
        run(
            *("samba-tool", "dsacl", "set", f"--configfile={self._conf}", "-H", str(database(self._folder))),
            *(f"--objectdn={dn}", f"--sddl={right}"),
        )

    def _sid(self, dn: str) -> str:
        """The security identifier of an entry as text (MS-DTYP 2.4.2.1)."""
        raw = self.value(dn, "objectSid")
        parts = [int.from_bytes(raw[place : place + 4], "little") for place in range(8, len(raw), 4)]
        return "-".join(["S", str(raw[0]), str(int.from_bytes(raw[2:8], "big")), *map(str, parts)])

    def expire_password(self, dn: str) -> None:
        """Make a password as old as LONG_AGO."""
        self.modify_locally(f"dn: {dn}\nchangetype: modify\nreplace: pwdLastSet\npwdLastSet: {LONG_AGO}\n")

    def _local(self, program: str, ldif: str, *options: str) -> None:
        file = self._folder / "change.ldif"
        file.write_text(ldif)
        run(program, "-H", str(database(self._folder)), f"--configfile={self._conf}", *options, str(file))

    def _change(self, change: Callable[[Any], object]) -> Any:  # noqa: ANN401 - half of ldap3 is untyped
        """Do something as administrator that must work, over a connection of its own; what came back."""
        tls = StrictTls(trust(self.ca_file), self.address)
        server = ldap3.Server(self.address, port=636, use_ssl=True, tls=tls, get_info=ldap3.NONE)
        name = f"Administrator@{DOMAIN}"
        with ldap3.Connection(server, name, ADMIN_PASSWORD, auto_referrals=False, check_names=False) as admin:
            change(admin)
            result = admin.result
            assert result["result"] == 0, f"{result['description']} {result['message']}"
            return admin.response

    def _takes_connections(self) -> bool:
        for port in _PORTS:
            with socket.socket() as probe:
                if probe.connect_ex((self.address, port)) != 0:
                    return False
        return True
