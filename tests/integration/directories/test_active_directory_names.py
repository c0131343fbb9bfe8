"""People of Active Directory under the names that Linux hosts of the domain give them, with a real Samba."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.v1 import login_pb2
from testbed.command import NIGHTLATCH, program
from testbed.daemon import Nightlatchd
from testbed.front_door import MODULE, Person, enroll
from testbed.samba import DOMAIN, Samba, password_of
from testbed.ssh_login import CODE, PASSWORD, SshLogin
from testbed.sshd import Sshd, SshUser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.codes import App
    from testbed.fixtures_active_directory import NewName
    from testbed.fixtures_directories import MakeDirectory

GRANTED, REFUSED = login_pb2.VERDICT_GRANTED, login_pb2.VERDICT_REFUSED
FORMS = {"lower": "{}", "qualified": "{}@" + DOMAIN, "netbios": "NL\\{}"}
"""What each form makes of a sAMAccountName in small letters."""


def own_name(form: str, name: str) -> str:
    """What a person is called in a form."""
    return FORMS[form].format(name.lower())


def table(samba: Samba, form: str) -> str:
    """The configuration's table for the domain."""
    return samba.table(f'netbios_name = "NL"\nname_form = "{form}"')


@pytest.fixture
def folder(open_folder: Path) -> Path:
    """A folder whose path is short enough for sockets."""
    made = Path(tempfile.mkdtemp(prefix="names-", dir=open_folder))
    made.chmod(0o755)
    return made


@pytest.mark.parametrize("form", FORMS)
async def test_whatever_is_typed_the_name_has_the_form(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName, form: str
) -> None:
    """Every name finds one account with the same id as ever, under one name, alone and among everybody."""
    name = new_name("JDoe")
    upn = f"john.doe.{name}@{DOMAIN}"
    samba.add_person(name, userPrincipalName=upn)
    before = await make_directory(samba.settings(netbios_name="NL")).find(name)
    assert before is not None
    assert before.name == name
    directory = make_directory(samba.settings(netbios_name="NL", name_form=form))
    own = own_name(form, name)
    for typed in (own, own.upper(), name, name.lower(), upn, f"NL\\{name}", f"nl\\{name.lower()}"):
        found = await directory.find(typed)
        assert found is not None, typed
        assert (found.id, found.name) == (before.id, own), typed
        assert upn in found.other_names
    people = [person.account async for page in directory.people() for person in page]
    assert [one.name for one in people if one.id == before.id] == [own]


async def test_letters_beyond_ascii(samba: Samba, make_directory: MakeDirectory, new_name: NewName) -> None:
    """The server takes MÜLLER for müller, so the name in small letters finds the person."""
    name = new_name("MÜLLER")
    samba.add_person(name)
    directory = make_directory(samba.settings(name_form="lower"))
    found = [await directory.find(typed) for typed in (name, name.lower())]
    assert [one and one.name for one in found] == [name.lower()] * 2


async def test_a_qualified_name_is_nobody_else_s(
    samba: Samba, make_directory: MakeDirectory, new_name: NewName
) -> None:
    """LDP-04: where another one's sAMAccountName is somebody's qualified name, it lets neither in."""
    name = new_name("jdoe")
    samba.add_person(name, userPrincipalName=f"john.{name}@{DOMAIN}")
    directory = make_directory(samba.settings(name_form="qualified"))
    assert await directory.find(name) is not None
    samba.add_person(f"{name}@{DOMAIN}", userPrincipalName=f"mallory.{name}@{DOMAIN}")
    for typed in (f"{name}@{DOMAIN}", name, f"john.{name}@{DOMAIN}"):
        with pytest.raises(Unavailable, match="two entries have the same"):
            await directory.find(typed)
    mallory = await directory.find(f"mallory.{name}@{DOMAIN}")
    assert mallory is not None
    assert mallory.name == f"{name}@{DOMAIN}@{DOMAIN}"


def _rules(written: str, skips: str) -> str:
    """Nobody must show anything but one person; who may be exempt from that."""
    return f"""
[[policies]]
name = "all of us"
match = {{ scope = "everyone" }}
second_factor = "observe"

[[policies]]
name = "strict"
match = {{ users = ['{written}'] }}

[[policies]]
name = "robots"
match = {{ users = ['{skips}'] }}
second_factor = "skip"
exemption = "a robot"
lifts = ["strict"]
"""


@pytest.mark.parametrize(
    ("form", "written"),
    [
        ("lower", "{}"),
        ("lower", "{}@" + DOMAIN),
        ("qualified", "{}"),
        ("qualified", "{}@" + DOMAIN),
        ("netbios", "{}"),
        ("netbios", "NL\\{}"),
    ],
)
def test_a_pam_service_lets_in_by_the_form_and_rules_hold_by_any_name(
    folder: Path, samba: Samba, new_name: NewName, form: str, written: str
) -> None:
    """PAM-11, POL-03: JDoe is refused where the host says jdoe, and a rule demands by either name."""
    name = new_name("JDoe")
    samba.add_person(name)
    own = own_name(form, name)
    daemon = Nightlatchd(folder / "d", table(samba, form) + _rules(written.format(name), "nobody"))
    daemon.start()
    try:
        with daemon.channel(admin=True) as admin, daemon.channel() as pam:
            app = enroll(admin, name)
            right = password_of(name)
            outcome = Person(pam, name).password(right).outcome
            assert (outcome.verdict, outcome.message) == (REFUSED, f'Sign in as "{own}", please.')
            person = Person(pam, own)
            outcome = person.answer(person.password(right), app.fresh()).outcome
            assert (outcome.verdict, outcome.user, outcome.factor) == (GRANTED, own, "totp")
        assert f"{own} (corp" in daemon.command("policy", "explain", name, "--service", "sshd").stdout
        assert f"the person's own is {own}" in daemon.command("why", name).stdout
        listed = json.loads(daemon.command("credential", "list", own, "--json").stdout)
        assert len(listed["credentials"]) == 1
        found = program(NIGHTLATCH, "doctor", "--config", daemon.config, "--pam-dir", folder, "--json").stdout
        names = [one["text"] for one in json.loads(found)["findings"] if one["part"] == "names"]
        assert names == [f"a PAM service asked by another name than the person's own: {own}"]
    finally:
        daemon.stop()


@pytest.mark.parametrize(("form", "skips"), [("qualified", False), ("lower", True)])
def test_an_exemption_goes_by_the_own_name(
    folder: Path, samba: Samba, new_name: NewName, form: str, *, skips: bool
) -> None:
    """An exemption of "JDoe" is one of jdoe, and none of jdoe@nl.test: a local jdoe may be somebody else."""
    name = new_name("JDoe")
    samba.add_person(name)
    daemon = Nightlatchd(folder / "d", table(samba, form) + _rules(own_name(form, name), name))
    daemon.start()
    try:
        with daemon.channel(admin=True) as admin, daemon.channel() as pam:
            enroll(admin, name)
            step = Person(pam, own_name(form, name)).password(password_of(name))
            assert (step.outcome.verdict == GRANTED) == skips
            assert step.HasField("prompt") != skips
    finally:
        daemon.stop()


class Host:
    """A Linux host in the domain: sshd with the people that it knows by its own form of their names."""

    def __init__(self, folder: Path, samba: Samba, form: str, name: str) -> None:
        self.folder = folder
        self.name = name
        self.own = own_name(form, name)
        self.daemon = Nightlatchd(folder / "d", table(samba, form))
        auth = f"auth required {MODULE} socket={self.daemon.pam_socket} timeout=5"
        # The host has both spellings, so that only the daemon and the module keep the wrong one out.
        self.sshd = Sshd(folder / "sshd", (SshUser(self.own, 21001), SshUser(name, 21002)), auth)

    def sign_in(self, app: App, typed: str) -> SshLogin:
        """A login with all the right answers; its transcript is what the person saw."""
        login = SshLogin(self.sshd.port, typed, self.folder)
        self.reached = login.run({PASSWORD: password_of(self.name), CODE: app.fresh()})
        return login


@pytest.fixture(params=FORMS)
def host(request: pytest.FixtureRequest, folder: Path, samba: Samba, new_name: NewName) -> Iterator[Host]:
    """A host, with a person who is JDoe in the directory."""
    name = new_name("JDoe")
    samba.add_person(name)
    made = Host(folder, samba, request.param, name)
    made.daemon.start()
    made.sshd.start()
    yield made
    made.sshd.stop()
    made.daemon.stop()


def test_sshd_lets_in_by_the_name_that_the_host_has(host: Host) -> None:
    """PAM-11: over real SSH the host's form reaches the shell; by the directory's one reads what to type."""
    with host.daemon.channel(admin=True) as admin:
        app = enroll(admin, host.name)
    host.sign_in(app, host.own)
    assert host.reached
    wrong = host.sign_in(app, host.name)
    assert not host.reached
    shown = wrong.transcript.replace("\\\\", "\\")  # OpenSSH's client shows each backslash twice
    assert f'Sign in as "{host.own}", please.' in shown
