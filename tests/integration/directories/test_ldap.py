"""LDAP against a real slapd: who is found, and whose password is right."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from nightlatch.errors import Refused, Unavailable
from nightlatch.model import Account, Secret
from testbed.slapd import SUFFIX, Slapd, password_of, person_dn

if TYPE_CHECKING:
    from structlog.testing import LogCapture

    from testbed.fixtures_directories import MakeDirectory


def _ways(slapd: Slapd) -> dict[str, dict[str, object]]:
    return {
        "ldaps": slapd.settings(),
        "StartTLS": slapd.settings(urls=[slapd.url], start_tls=True),
        "ldapi": slapd.settings(urls=[slapd.local_url]),
        "host name": slapd.settings(urls=[f"ldaps://localhost:{slapd.tls_port}"]),
    }


@pytest.mark.parametrize("way", ["ldaps", "StartTLS", "ldapi", "host name"])
async def test_right_and_wrong_passwords(slapd: Slapd, make_directory: MakeDirectory, way: str) -> None:
    """Over every kind of connection: the right password passes, a wrong one is refused, again and again."""
    directory = make_directory(_ways(slapd)[way])
    alice = await directory.find("alice")
    assert alice is not None
    assert (alice.directory, alice.name, alice.handle) == ("corp", "alice", person_dn("alice"))
    for _ in range(3):
        await directory.check_password(alice, Secret(password_of("alice")))
        with pytest.raises(Refused):
            await directory.check_password(alice, Secret(password_of("bob")))
    assert "answers" in await directory.health()


async def test_empty_password_never_reaches_the_server(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """An empty password, which LDAP takes for an anonymous bind, is refused before the network."""
    directory = make_directory(slapd.settings())
    alice = await directory.find("alice")
    assert alice is not None
    binds = slapd.log().count(" BIND ")
    for never in ("", "with\x00nul", "\ud800", "x" * 1025, "ü" * 600):
        with pytest.raises(Refused):
            await directory.check_password(alice, Secret(never))
    assert slapd.log().count(" BIND ") == binds


async def test_invisible_passwords_are_sent_as_they_are(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A soft hyphen, which SASLprep would make empty, is a wrong password and no anonymous bind."""
    directory = make_directory(slapd.settings())
    alice = await directory.find("alice")
    assert alice is not None
    for odd in ("\u00ad", "\u200b\u200d", " ", "🔑" * 64):
        with pytest.raises(Refused):
            await directory.check_password(alice, Secret(odd))


@pytest.mark.parametrize(
    "password", ["ünïcödé-ß-Ⅷ-pass", "🔑" * 64, "x" * 1024, " leading and trailing ", "*)(uid=*"]
)
async def test_passwords_of_any_characters(
    slapd: Slapd, make_directory: MakeDirectory, password: str
) -> None:
    """PPW-02: passwords of 64 characters and more, of any kind, pass unchanged and whole."""
    dn = slapd.add("erika")
    slapd.set_password(dn, password)
    directory = make_directory(slapd.settings())
    erika = await directory.find("erika")
    assert erika is not None
    await directory.check_password(erika, Secret(password))
    with pytest.raises(Refused):
        await directory.check_password(erika, Secret(password[:-1]))


async def test_unknown_person(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A name that nobody has is nobody, not an error."""
    assert await make_directory(slapd.settings()).find("zoe") is None


FILTERS = (
    "*",
    "a*",
    "alice)(uid=*",
    "*)(|(uid=*",
    "alice\\2a",
    "alice\\00",
    "alice\x00",
    "alice*",
    "(",
    "\\",
)
NAMES = (
    "(",
    "alice,ou=admins",
    "alice+cn=x",
    "alice\\",
    "#616c696365",
    "uid=alice",
    "",
    "alice\n",
    "a" * 300,
)
PLACES = ("../x", "-rf", "$(id)", "\ud800", "padding:1:2\nattacker:0:65536")


@pytest.mark.parametrize("typed", [*FILTERS, *NAMES, *PLACES])
async def test_injection_finds_nobody(slapd: Slapd, make_directory: MakeDirectory, typed: str) -> None:
    """LDP-02, LDP-03, IDN-05: what means something to a filter, a DN, a shell or a path is nobody's name."""
    assert await make_directory(slapd.settings()).find(typed) is None


async def test_spellings_are_one_account(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """However a name is typed, it is the same account under the directory's spelling, or nobody."""
    directory = make_directory(slapd.settings())
    alice = await directory.find("alice")
    assert alice is not None
    for typed in ("ALICE", " alice", "alice ", "ａｌｉｃｅ", "alice\u00a0", "al\u00adice", "AlIcE"):  # noqa: RUF001 - that is the point
        found = await directory.find(typed)
        assert found is None or (found.id, found.name) == (alice.id, "alice"), typed
    upper = await directory.find("ALICE")
    assert upper == alice


@pytest.mark.parametrize("others", [1, 3])
async def test_two_entries_deny(
    slapd: Slapd, make_directory: MakeDirectory, directory_log: LogCapture, others: int
) -> None:
    """LDP-04: two people of one name are an error for both, and the log says so; none is picked."""
    for number in range(others):
        slapd.add("alice", rdn=f"cn=alice{number}")
    directory = make_directory(slapd.settings())
    with pytest.raises(Unavailable, match="two entries"):
        await directory.find("alice")
    assert [entry["event"] for entry in directory_log.entries] == ["directory.ambiguous"]
    assert await directory.find("bob") is not None


async def test_nothing_outside_the_base(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """LDP-04: an entry of another subtree is not found, and its DN is not bound to."""
    dn = slapd.add("mallory", under=f"ou=elsewhere,{SUFFIX}")
    directory = make_directory(slapd.settings())
    assert await directory.find("mallory") is None
    with pytest.raises(Unavailable):
        await directory.check_password(
            Account("corp", "some-id", "mallory", dn), Secret(password_of("mallory"))
        )


async def test_accounts_of_others(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """IDN-03: an account of another directory, or without a DN, is never checked here."""
    directory = make_directory(slapd.settings())
    for stranger in (Account("local", "alice", "alice", person_dn("alice")), Account("corp", "x", "alice")):
        with pytest.raises(Unavailable):
            await directory.check_password(stranger, Secret(password_of("alice")))


async def test_a_person_made_anew_is_another(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """IDN-04: who gets a name and a DN that somebody had before is another account."""
    directory = make_directory(slapd.settings())
    before = await directory.find("carol")
    slapd.remove(person_dn("carol"))
    assert await directory.find("carol") is None
    slapd.add("carol")
    after = await directory.find("carol")
    assert before is not None
    assert after is not None
    assert (before.handle, before.name) == (after.handle, after.name)
    assert before.stable_id != after.stable_id


async def test_object_class_is_required(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """Only entries of the configured object class are people."""
    assert await make_directory(slapd.settings(user_object_class="device")).find("alice") is None


async def test_no_stable_id_denies(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """An entry without the id attribute is an outage that says which setting to look at, never an account."""
    directory = make_directory(slapd.settings(id_attribute="employeeNumber"))
    with pytest.raises(Unavailable, match="employeeNumber"):
        await directory.find("alice")


async def test_missing_base_says_so(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A base that does not exist is a configuration error in the log, not an unknown person."""
    directory = make_directory(slapd.settings(base=f"ou=poeple,{SUFFIX}"))
    with pytest.raises(Unavailable, match="has no entry ou=poeple"):
        await directory.find("alice")


async def test_wrong_service_password(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """A service account that is refused is an outage, never a person's wrong password."""
    slapd.service_password_file.write_text("wrong")
    directory = make_directory(slapd.settings())
    with pytest.raises(Unavailable, match="refused the service account"):
        await directory.find("alice")
    with pytest.raises(Unavailable, match="refused the service account"):
        await directory.health()


async def test_64_checks_at_once(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """PPW-04: of 64 parallel checks half are wrong, and every result is that of its own question."""
    directory = make_directory(slapd.settings())
    names = ("alice", "bob", "carol", "dave")
    accounts = [await directory.find(name) for name in names]

    async def check(number: int) -> bool:
        account, name = accounts[number % 4], names[number % 4]
        assert account is not None
        right = number % 8 < 4
        password = password_of(name if right else names[(number + 1) % 4])
        try:
            await directory.check_password(account, Secret(password))
        except Refused:
            return not right
        return right

    assert all(await asyncio.gather(*(check(number) for number in range(64))))


async def test_connections_are_kept(slapd: Slapd, make_directory: MakeDirectory) -> None:
    """After the first login, the next twenty make no connection."""
    directory = make_directory(slapd.settings())

    async def login() -> None:
        bob = await directory.find("bob")
        assert bob is not None
        await directory.check_password(bob, Secret(password_of("bob")))

    await login()
    before = slapd.log().count(" ACCEPT ")
    for _ in range(20):
        await login()
    assert slapd.log().count(" ACCEPT ") == before
