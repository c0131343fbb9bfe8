"""A private slapd with a few people in it, for tests and the demo.

It listens on two ports of 127.0.0.1 (StartTLS and ldaps) and on a socket, keeps all of its files in
one folder, and runs as nobody where it is started by root. A simple bind without TLS is refused, and
logged: `binds_in_the_clear` counts them.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from testbed.ports import free_port
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.pki import Pair, Pki

SUFFIX = "dc=nl,dc=test"
PEOPLE = f"ou=people,{SUFFIX}"
GROUPS = f"ou=groups,{SUFFIX}"
SERVICES = f"ou=services,{SUFFIX}"
SERVICE_DN = f"cn=nightlatch,{SERVICES}"
SERVICE_PASSWORD = "Service-account-2-of-the-test-bed"
ADMIN_DN = f"cn=admin,{SUFFIX}"
ADMIN_PASSWORD = "adminpw"

_NOBODY = 65534

_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
include /etc/ldap/schema/dyngroup.schema
pidfile {folder}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{modules}threads 4
TLSCACertificateFile {ca}
TLSCertificateFile {certificate}
TLSCertificateKeyFile {key}
TLSVerifyClient never
security simple_bind=128
localSSF 128
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw {password}
directory {folder}/db
maxsize 67108864
dbnosync
index objectClass,uid,entryUUID,member,uniqueMember,memberUid,cn eq
{first_access}access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{admin}" write by dn.exact="{service}" read by * none
{directives}"""


def person_dn(uid: str) -> str:
    """The DN of a person that `Slapd` made."""
    return f"uid={uid},{PEOPLE}"


def group_dn(cn: str) -> str:
    """The DN of a group."""
    return f"cn={cn},{GROUPS}"


def group_of_names(cn: str, *members: str) -> str:
    """A group of these DNs, as LDIF."""
    return (
        f"dn: {group_dn(cn)}\nobjectClass: groupOfNames\ncn: {cn}\n"
        + "".join(f"member: {dn}\n" for dn in members or ("",))
        + "\n"
    )


def password_of(uid: str) -> str:
    """The password that every person starts with."""
    return f"Pw-{uid}-x"


@dataclass(frozen=True)
class Parts:
    """What a slapd has beside its people."""

    modules: tuple[str, ...] = ()
    """Modules to load: "memberof", "ppolicy"."""
    directives: str = ""
    """Lines at the end of slapd.conf, where they are the database's."""
    first_access: str = ""
    """Access rules in front of the others."""
    ldif: str = ""
    """Entries to begin with. They are loaded without overlays, operational attributes included."""


class Slapd:
    """One server. Built, it has its people; it runs between `start` and `stop`."""

    def __init__(
        self,
        folder: Path,
        pki: Pki,
        people: tuple[str, ...] = ("alice", "bob", "carol", "dave"),
        parts: Parts = Parts(),
    ) -> None:
        self._folder = folder
        self._parts = parts
        self._pki = pki
        self._certificate = pki.server
        self._child: Child | None = None
        self.port, self.tls_port = free_port(), free_port()
        self.url = f"ldap://127.0.0.1:{self.port}"
        """For StartTLS."""
        self.tls_url = f"ldaps://127.0.0.1:{self.tls_port}"
        self.local_url = f"ldapi://{quote(str(folder / 'ldapi'), safe='')}"
        self.service_password_file = folder / "service.password"
        (folder / "db").mkdir(parents=True)
        # A copy: where AppArmor confines /usr/sbin/slapd (Ubuntu), that one may not read this folder.
        self._program = shutil.copy("/usr/sbin/slapd", folder / "slapd")
        self._as_user = _as_nobody(folder)
        self.service_password_file.write_text(SERVICE_PASSWORD + "\n")
        self.service_password_file.chmod(0o600)
        self._configure()
        self._load(people)

    @property
    def ca_file(self) -> Path:
        """The CA that signed the certificate it starts with."""
        return self._pki.ca

    def settings(self, **changes: object) -> dict[str, object]:
        """A ``[[directories]]`` table for it, of plain values: for `LdapSettings`, or for TOML."""
        return {
            "name": "corp",
            "kind": "ldap",
            "urls": [self.tls_url],
            "ca_file": str(self.ca_file),
            "bind_dn": SERVICE_DN,
            "bind_password_file": str(self.service_password_file),
            "base": PEOPLE,
            **changes,
        }

    def start(self) -> None:
        """Start, and wait until it takes connections (about 0.1 s)."""
        urls = " ".join(f"{url}/" for url in (self.url, self.tls_url, self.local_url))
        self._child = Child(
            [*self._as_user, self._program, "-f", self._folder / "slapd.conf", "-h", urls, "-d", "stats"],
            self._folder / "slapd.log",
        )
        wait_until(self._takes_connections, "slapd", self._child)

    def stop(self) -> None:
        """Stop it; its data stays."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def restart(self, certificate: Pair | None = None) -> None:
        """Stop, and start with another certificate, or with the same."""
        self.stop()
        self._certificate = certificate or self._certificate
        self._configure()
        self.start()

    def hang(self) -> None:
        """Stop its work without closing anything (SIGSTOP): the kernel connects, nobody answers."""
        self._running().signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it work again after `hang`."""
        self._running().signal(signal.SIGCONT)

    def add(self, uid: str, *, password: str = "", under: str = PEOPLE, rdn: str = "") -> str:
        """Add a person while it runs; the DN. Another `rdn` lets two people have the same uid."""
        dn = f"{rdn or f'uid={uid}'},{under}"
        self._change(["ldapadd"], _person(dn, uid, password or password_of(uid)))
        return dn

    def add_all(self, ldif: str) -> None:
        """Add entries while it runs, overlays and all."""
        self._change(["ldapadd"], ldif)

    def set_password(self, dn: str, password: str) -> None:
        """Give an entry another password while it runs."""
        value = b64encode(password.encode()).decode()
        self.modify(f"dn: {dn}\nchangetype: modify\nreplace: userPassword\nuserPassword:: {value}\n")

    def remove(self, dn: str) -> None:
        """Remove an entry while it runs."""
        self._change(["ldapdelete", dn], "")

    def modify(self, ldif: str) -> None:
        """Change entries while it runs, by LDIF with changetype."""
        self._change(["ldapmodify"], ldif)

    def log(self) -> str:
        """Its log so far, at level "stats": every connection, bind and search."""
        return (self._folder / "slapd.log").read_text(errors="replace")

    def binds_in_the_clear(self) -> int:
        """How many simple binds came over a connection without TLS."""
        return self.log().count("confidentiality required")

    @property
    def pid(self) -> int:
        """The server's pid."""
        return self._running().pid

    def _running(self) -> Child:
        if self._child is None:
            message = "slapd does not run"
            raise AssertionError(message)
        return self._child

    def _configure(self) -> None:
        text = _CONF.format(
            folder=self._folder,
            ca=self._pki.ca,
            certificate=self._certificate.certificate,
            key=self._certificate.key,
            suffix=SUFFIX,
            admin=ADMIN_DN,
            password=ADMIN_PASSWORD,
            service=SERVICE_DN,
            modules="".join(f"moduleload {name}\n" for name in self._parts.modules),
            directives=self._parts.directives,
            first_access=self._parts.first_access,
        )
        (self._folder / "slapd.conf").write_text(text)

    def _load(self, people: tuple[str, ...]) -> None:
        units = "".join(
            f"dn: ou={name},{SUFFIX}\nobjectClass: organizationalUnit\nou: {name}\n\n"
            for name in ("people", "groups", "services", "elsewhere")
        )
        ldif = (
            f"dn: {SUFFIX}\nobjectClass: dcObject\nobjectClass: organization\no: nl\ndc: nl\n\n{units}"
            f"dn: {SERVICE_DN}\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\n"
            f"cn: nightlatch\nuserPassword: {SERVICE_PASSWORD}\n\n"
            + "\n".join(_person(person_dn(uid), uid, password_of(uid)) for uid in people)
            + f"\n{self._parts.ldif}"
        )
        if self._as_user:
            shutil.chown(self._folder, _NOBODY, _NOBODY)
            shutil.chown(self._folder / "db", _NOBODY, _NOBODY)
        add = [str(self._program), "-T", "add", "-q", "-f", str(self._folder / "slapd.conf")]
        _run([*self._as_user, *add], ldif)

    def _change(self, command: list[str], ldif: str) -> None:
        options = ["-x", "-H", self.local_url, "-D", ADMIN_DN, "-w", ADMIN_PASSWORD]
        _run([command[0], *options, *command[1:]], ldif)

    def _takes_connections(self) -> bool:
        for port in (self.port, self.tls_port):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) != 0:
                    return False
        with socket.socket(socket.AF_UNIX) as probe:  # opened last, and used by `add` and `modify`
            return probe.connect_ex(str(self._folder / "ldapi")) == 0


def _as_nobody(folder: Path) -> list[str]:
    """What runs a program as nobody: where we are root, and nobody may enter the folder."""
    if os.geteuid() != 0 or not all(parent.stat().st_mode & 0o001 for parent in folder.absolute().parents):
        return []
    return ["setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]


def _run(command: list[str], text: str) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode != 0:
        message = f"{command[-1]} failed: {done.stderr}"
        raise AssertionError(message)


def _person(dn: str, uid: str, password: str) -> str:
    return (
        f"dn: {dn}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid.capitalize()} Example\nsn: Example\n"
        f"mail: {uid}@example.test\nuserPassword: {password}\n"
    )
