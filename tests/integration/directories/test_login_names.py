"""People with several login names, in a real slapd: one account, one name, and no way round a rule."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Unavailable
from nightlatch.v1 import login_pb2, verification_pb2, verification_pb2_grpc
from testbed.applications import VPN, Installation
from testbed.front_door import Person, directory_table, enroll
from testbed.slapd import PEOPLE, password_of, person_dn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.codes import App
    from testbed.fixtures_directories import MakeDirectory
    from testbed.slapd import Slapd

GRANTED, REFUSED = login_pb2.VERDICT_GRANTED, login_pb2.VERDICT_REFUSED


def also_called(slapd: Slapd, dn: str, *names: str) -> None:
    """Give a person more login names."""
    values = "".join(f"uid: {name}\n" for name in names)
    slapd.modify(f"dn: {dn}\nchangetype: modify\nadd: uid\n{values}")


@pytest.mark.parametrize("more", [("Alice.Example", "aaron"), ("aaron", "Alice.Example")])
async def test_whatever_is_typed_the_name_is_that_of_the_rdn(
    slapd: Slapd, make_directory: MakeDirectory, more: tuple[str, ...]
) -> None:
    """A person with three login names is one account under one name, alone and among everybody."""
    also_called(slapd, person_dn("alice"), *more)
    directory = make_directory(slapd.settings())
    for typed in ("alice", "alice.EXAMPLE", "AARON", " aaron"):
        found = await directory.find(typed)
        assert found is not None
        assert (found.name, found.other_names) == ("alice", ("aaron", "Alice.Example")), typed
    people = [person.account async for page in directory.people() for person in page]
    assert [one.other_names for one in people if one.name == "alice"] == [("aaron", "Alice.Example")]


@pytest.mark.parametrize("more", [("bea", "dora"), ("dora", "bea")])
async def test_without_a_name_in_the_rdn_it_is_the_first_in_the_alphabet(
    slapd: Slapd, make_directory: MakeDirectory, more: tuple[str, ...]
) -> None:
    """The order in which the values were written, and are told, means nothing."""
    also_called(slapd, slapd.add("cora", rdn="cn=Cora Example"), *more)
    directory = make_directory(slapd.settings())
    found = [await directory.find(typed) for typed in ("cora", "dora", "bea")]
    assert [one and one.name for one in found] == ["bea"] * 3


@pytest.mark.parametrize("rdn", ["uid=bob,ou=deep", "cn=Mallory"])
async def test_nobody_gets_somebody_else_s_name(
    slapd: Slapd, make_directory: MakeDirectory, rdn: str
) -> None:
    """LDP-04: who has another one's name for the own one is found by no name, and gets nothing by it."""
    slapd.add_all(f"dn: ou=deep,{PEOPLE}\nobjectClass: organizationalUnit\nou: deep\n")
    dn = f"{rdn},{PEOPLE}"
    slapd.add_all(f"dn: {dn}\nobjectClass: inetOrgPerson\nuid: bob\nuid: mallory\ncn: Mallory\nsn: M\n")
    directory = make_directory(slapd.settings())
    for typed in ("mallory", "bob"):
        with pytest.raises(Unavailable, match="two entries have the same uid"):
            await directory.find(typed)


async def test_names_that_only_fold_alike_are_two(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-04: "strasse" is the same as "straße" to Unicode and not to the server: it is looked up as well."""
    slapd.add_all(f"dn: ou=deep,{PEOPLE}\nobjectClass: organizationalUnit\nou: deep\n")
    first = f"uid=straße,{PEOPLE}"
    slapd.add_all(f"dn: {first}\nobjectClass: inetOrgPerson\nuid: straße\nuid: strasse\ncn: S\nsn: S\n")
    directory = make_directory(slapd.settings())
    found = await directory.find("straße")
    assert found is not None
    assert found.name == "strasse"
    slapd.add("strasse", under=f"ou=deep,{PEOPLE}")
    with pytest.raises(Unavailable, match="two entries have the same uid"):
        await directory.find("straße")


async def test_a_name_that_is_taken_from_somebody_is_no_name_of_rules(
    slapd: Slapd, make_directory: MakeDirectory
) -> None:
    """LDP-04: a second name that is another's own one finds neither, and leaves the first name as it is."""
    also_called(slapd, person_dn("carol"), "bob")
    directory = make_directory(slapd.settings())
    carol = await directory.find("carol")
    assert carol is not None
    assert (carol.name, carol.other_names) == ("carol", ("bob",))
    with pytest.raises(Unavailable, match="two entries"):
        await directory.find("bob")


async def test_too_many_names_are_no_account(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Who has more names than rules can look at does not get round them; who it is stands in the log."""
    also_called(slapd, person_dn("alice"), *(f"alice{number}" for number in range(16)))
    directory = make_directory(slapd.settings())
    for typed in ("alice", "alice7"):
        with pytest.raises(
            Unavailable, match="has more than 16 login names, or very long ones, for the person alice"
        ):
            await directory.find(typed)
    assert await directory.find("bob") is not None


WATCHED = """
[[policies]]
name = "all of us"
match = { scope = "everyone" }
second_factor = "observe"
"""


def demand(users: str) -> str:
    """A rule that demands, beside one that only watches."""
    return f'{WATCHED}\n[[policies]]\nname = "strict"\nmatch = {{ {users} }}\n'


def exemption(users: str) -> str:
    """A rule that leaves something out, of what everyone must show."""
    required = WATCHED.replace('"observe"', '"required"')
    skip = 'second_factor = "skip"\nexemption = "a robot"\nlifts = ["all of us"]\n'
    return f'{required}\n[[policies]]\nname = "robots"\nmatch = {{ {users} }}\n{skip}'


RULES = {
    "demands of alice": (demand('users = ["alice"]'), True, False),
    "demands of asmith": (demand('users = ["ASmith"]'), True, False),
    "demands of all but asmith": (demand('scope = "everyone", users = ["x", "!asmith"]'), True, True),
    "demands of all but alice": (demand('scope = "everyone", users = ["x", "!alice"]'), False, True),
    "exempts asmith": (exemption('users = ["asmith"]'), True, True),
    "exempts alice": (exemption('users = ["alice"]'), False, True),
}
"""Rules, whether alice has to show a second factor, and whether bob has to."""


class Front:
    """A daemon with one person called alice and asmith, its PAM socket, and an application."""

    def __init__(self, folder: Path, slapd: Slapd) -> None:
        client = VPN.replace('["login", "health"]', '["login", "verification", "health"]')
        self.slapd, self._client = slapd, client
        self.made = Installation(folder, directories=directory_table(slapd), clients=client)
        self.daemon = self.made.daemon
        self.channel = self.made.vpn().channel()
        self.daemon.start()
        self.app = self.enroll("asmith")

    def enroll(self, name: str) -> App:
        """Give a person an app."""
        with self.daemon.channel(admin=True) as admin:
            return enroll(admin, name)

    def rules(self, rules: str) -> None:
        """Begin anew with these rules."""
        self.daemon.stop()
        self.made.rewrite(self._client + rules)
        self.daemon.start()

    def asked(self, name: str, owner: str) -> bool:
        """Whether more is asked for behind the password; who has an app gets a prompt, others are refused."""
        step = Person(self.channel, name, "vpn").password(password_of(owner))
        if step.WhichOneof("kind") == "prompt":
            assert owner == "alice"
            return True
        assert step.outcome.verdict == GRANTED or owner != "alice", step
        return step.outcome.verdict != GRANTED


@pytest.fixture(scope="module")
def front(open_folder: Path, common_slapd: Slapd) -> Iterator[Front]:
    """The same for all: tests set rules of their own."""
    also_called(common_slapd, person_dn("alice"), "asmith")
    folder = Path(tempfile.mkdtemp(prefix="names-", dir=open_folder))
    folder.chmod(0o755)
    front = Front(folder, common_slapd)
    yield front
    front.channel.close()
    front.daemon.stop()


@pytest.mark.parametrize("case", RULES)
def test_each_name_of_a_person_meets_the_same_rules(front: Front, case: str) -> None:
    """POL-03, IDN-03: by none of the names does a person get round a rule, or into an exemption."""
    rules, of_alice, of_bob = RULES[case]
    front.rules(rules)
    for typed in ("alice", "asmith", "ASMITH"):
        assert front.asked(typed, "alice") is of_alice, typed
    assert front.asked("bob", "bob") is of_bob


def test_a_grant_and_a_verified_code_say_the_own_name(front: Front) -> None:
    """IDN-03: an application that sent one of the names is told the own one; the audit has no other."""
    front.rules("")
    person = Person(front.channel, "asmith", "vpn")
    step = person.password(password_of("alice"))
    outcome = person.answer(step, front.app.fresh()).outcome
    assert (outcome.verdict, outcome.user) == (GRANTED, "alice")
    verification = verification_pb2_grpc.VerificationServiceStub(front.channel)
    request = verification_pb2.VerifyCodeRequest(user="ASmith", code=front.app.fresh(), service="vpn")
    answer = verification.VerifyCode(request, timeout=15)
    assert (answer.verification, answer.user) == (verification_pb2.VERIFICATION_VERIFIED, "alice")
    rows = front.daemon.command("audit", "list", "--user", "asmith", "--json").stdout
    assert '"alice"' in rows
    assert '"asmith"' not in rows


def test_a_pam_service_is_told_the_own_name_behind_the_password_alone(front: Front) -> None:
    """PAM-11: the session would be that of the name that was typed; so nobody gets in by another one."""
    front.rules(WATCHED)
    with front.daemon.channel() as pam:
        wrong = Person(pam, "asmith").password("wrong").outcome
        assert wrong.verdict == REFUSED
        assert "alice" not in wrong.message
        for primary in (login_pb2.PRIMARY_PASSWORD, login_pb2.PRIMARY_ESTABLISHED):
            person = Person(pam, "asmith")
            step = person.begin(primary)
            if primary == login_pb2.PRIMARY_PASSWORD:
                step = person.answer(step, password_of("alice"))
            assert (step.outcome.verdict, step.outcome.message) == (REFUSED, 'Sign in as "alice", please.')
        assert Person(pam).password().outcome.verdict == GRANTED
    assert "asked by another name; the person's own is alice" in front.daemon.log.read_text()


def test_explain_says_which_name_counts(front: Front) -> None:
    """POL-03: a rule that names another name of somebody is told as such, with the name to write."""
    front.rules(exemption('users = ["asmith"]'))
    shown = front.daemon.command("policy", "explain", "asmith", "--service", "vpn", "--client", "vpn").stdout
    assert "asmith is called alice here: rules and the audit go by alice," in shown
    assert "asmith is another name of alice; rules go by alice; so it does not apply" in " ".join(
        shown.split()
    )
    front.rules(demand('users = ["asmith"]'))
    shown = front.daemon.command("policy", "explain", "alice", "--service", "vpn", "--client", "vpn").stdout
    assert "asmith is another name of alice; rules go by alice; so it applies" in " ".join(shown.split())
    assert "is called" not in shown


def test_the_log_tells_of_rules_that_name_another_name(front: Front) -> None:
    """POL-03: whoever starts with such a rule, or reloads one, reads which name to write."""
    seen = len(front.made.said("policy.other_name"))
    front.rules(
        demand('users = ["alice", "ASMITH", "bob", "nobody-at-all"]') + WATCHED.replace("all of us", "x")
    )
    told = front.made.said("policy.other_name")[seen:]
    assert [(one["rule"], one["named"], one["write"]) for one in told] == [("strict", "ASMITH", "alice")]
