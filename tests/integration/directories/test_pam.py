"""Local accounts through the real helper, PAM and pam_unix, on a machine that exists only for the test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import pytest
import structlog

from nightlatch.app.system import SystemClock
from nightlatch.directories.pam import PamDirectory
from nightlatch.directories.settings import PamSettings
from nightlatch.errors import Refused, Restricted, Unavailable
from nightlatch.model import Account, Secret
from testbed.pamcheck import PLAIN, PamCheckProcess, PrivateUsers

if TYPE_CHECKING:
    from nightlatch.ports import Directory
    from testbed.fixtures_directories import MakeDirectory


@pytest.fixture
def local(pamcheck: PamCheckProcess, make_directory: MakeDirectory) -> Directory:
    """The directory in front of the helper."""
    return make_directory({"name": "local", "kind": "pam", "socket": str(pamcheck.socket)})


def _account(name: str) -> Account:
    return Account("local", name, name)


async def _check(directory: Directory, name: str, password: str) -> str:
    """How a check ended: "" for right, else why not."""
    try:
        await directory.check_password(_account(name), Secret(password))
    except Restricted as error:
        return f"restricted: {error.reason}"
    except Refused as error:
        return f"refused: {error.reason}"
    except Unavailable as error:
        return f"unavailable: {error.reason}"
    return ""


async def test_right_and_wrong_passwords(local: Directory) -> None:
    """The right password passes, a wrong one, an empty one and that of somebody else are refused."""
    assert await _check(local, "alice", "Pw-alice-x") == ""
    for wrong in ("nope", "", "Pw-bob-x", "Pw-alice-x ", "pw-alice-x", "Pw-alice-", "*", "!"):
        assert (await _check(local, "alice", wrong)).startswith("refused"), wrong
    assert "listens" in await local.health()


async def test_unknown_and_locked_accounts(local: Directory) -> None:
    """Somebody without a password, or without an account, is refused whatever is typed."""
    assert (await _check(local, "root", "*")).startswith("refused")
    assert (await _check(local, "zoe", "Pw-alice-x")).startswith("refused")


async def test_names_keep_their_case(local: Directory) -> None:
    """IDN-03: Bob and bob are two people with two passwords."""
    assert await _check(local, "Bob", "Pw-Bob-x") == ""
    assert await _check(local, "bob", "Pw-bob-x") == ""
    assert (await _check(local, "Bob", "Pw-bob-x")).startswith("refused")
    assert (await _check(local, "bob", "Pw-Bob-x")).startswith("refused")


async def test_accounts_of_others(local: Directory) -> None:
    """IDN-03: the LDAP account alice is not the local one."""
    with pytest.raises(Unavailable):
        await local.check_password(Account("corp", "alice", "alice"), Secret("Pw-alice-x"))


_FIND = """
import asyncio, json, sys, structlog
from nightlatch.app.system import SystemClock
from nightlatch.directories.pam import PamDirectory
from nightlatch.directories.settings import PamSettings
async def main():
    directory = PamDirectory(PamSettings(name="local", kind="pam"), structlog.get_logger(), SystemClock())
    found = [await directory.find(name) for name in json.load(sys.stdin)]
    await directory.close()
    print(json.dumps([account and (account.id, account.name) for account in found]))
asyncio.run(main())
"""


_ASK = 'import json, pwd; print(json.dumps([pwd.getpwnam("asmith").pw_name]))'


def _find(machine: PrivateUsers, *names: str, source: str = "", program: str = _FIND) -> list[object]:
    """Whom a directory on the machine finds; `source` is what NSS has besides the files (nss_source.c)."""
    (machine.folder / "nsswitch.conf").write_text(f"passwd: files {'trouble' if source else ''}\n")
    find = (sys.executable, "-c", program)
    done = subprocess.run(
        machine.command(
            "sh", "-ec", 'mount --bind "$D/nsswitch.conf" /etc/nsswitch.conf; exec "$@"', "x", *find
        ),
        input=json.dumps(names),
        capture_output=True,
        text=True,
        check=True,
        env={**machine.environment, "LD_LIBRARY_PATH": str(machine.folder), "NSS_SOURCE": source},
    )
    return list(json.loads(done.stdout))


def test_two_names_of_one_number_are_two_accounts(pam_users: PrivateUsers) -> None:
    """IDN-03: nothing of one line of passwd(5) is the other's, though both are one user to the kernel."""
    passwd = pam_users.folder / "passwd"
    passwd.write_text(passwd.read_text() + "asmith:x:21001:21001::/:/bin/sh\n")
    assert _find(pam_users, "alice", "asmith") == [["local:alice", "alice"], ["local:asmith", "asmith"]]


def test_another_name_that_nss_answers_with_the_own_one_is_nobody(pam_users: PrivateUsers) -> None:
    """IDN-03: sssd says "alice" when it is asked for her other name; nobody is found by that."""
    source = Path(__file__).parents[2] / "testbed" / "nss_source.c"
    library = pam_users.folder / "libnss_trouble.so.2"
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, source], check=True)
    assert _find(pam_users, source="aliases", program=_ASK) == ["alice"]
    found = _find(pam_users, "alice", "asmith", "zoe", source="aliases")
    assert found == [["local:alice", "alice"], None, None]


def test_find_by_exact_name(pam_users: PrivateUsers) -> None:
    """A name is found as passwd(5) spells it, its id is the name, and what is no Unix name is nobody's."""
    names = ["alice", "Bob", "bob", "ALICE", " alice", "alice ", "zoe", "ａlice"]  # noqa: RUF001 - that is the point
    names += [
        "",
        "../x",
        "-rf",
        "$(id)",
        "a" * 300,
        "21001",
        "alice:x",
        "alice\n",
        "alice\x00",
        "\udc80",
        "0",
    ]
    found = _find(pam_users, *names)
    assert found[:3] == [["local:alice", "alice"], ["local:Bob", "Bob"], ["local:bob", "bob"]]
    assert found[3:] == [None] * (len(names) - 3)


async def test_limits_of_passwords(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-02: 64 characters of any kind pass whole; NUL, no text and 1 MiB are refused before the helper."""
    long = "🔑" * 64
    pam_users.set_password("alice", long)
    assert await _check(local, "alice", long) == ""
    assert (await _check(local, "alice", long[:-1])).startswith("refused: wrong")
    for never in ("Pw\x00-alice-x", "\ud800", "x" * 2**20):
        assert "wrong password" not in await _check(local, "alice", never)


def _code_service(users: PrivateUsers, options: str = "", *, first: bool = False) -> str:
    """A stack with a second hidden prompt, or with a prompt before the password's."""
    secret = users.folder / "second-factor"
    secret.write_text('JBSWY3DPEHPK3PXPJBSWY3DPEH\n" TOTP_AUTH\n')
    secret.chmod(0o400)
    lines = [
        "auth required pam_unix.so nodelay\n",
        f"auth required pam_google_authenticator.so secret={secret} user=root {options}\n",
    ]
    return "".join(reversed(lines) if first else lines) + "account required pam_unix.so\n"


async def test_second_prompt_aborts(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: a stack that asks for a second hidden thing gets nothing, and a guess costs as any other."""
    pam_users.write_service(_code_service(pam_users))
    more = "refused: the PAM service nightlatch-primary asked for more than the password"
    assert await _check(local, "alice", "Pw-alice-x") == more
    assert (await _check(local, "alice", "nope")).startswith("refused")


async def test_open_prompt_aborts(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: a stack that first asks something with echo is no password check; that is nobody's fault."""
    pam_users.write_service(_code_service(pam_users, "echo_verification_code", first=True))
    assert (await _check(local, "alice", "Pw-alice-x")).startswith("unavailable")


async def test_must_change_and_expired(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: who shows the right password is told that it, or the account, has expired; nobody else is."""
    pam_users.age("alice", "0:0:99999:7:::")
    pam_users.age("carol", "20000:0:99999:7::1:")
    assert await _check(local, "alice", "Pw-alice-x") == "restricted: the password must be changed first"
    assert await _check(local, "carol", "Pw-carol-x") == "restricted: the account has expired"
    for name in ("alice", "carol"):
        assert await _check(local, name, "nope") == "refused: wrong password"
    with pytest.raises(Restricted) as told:
        await local.check_password(_account("carol"), Secret("Pw-carol-x"))
    assert told.value.words == "Your account has expired. Ask your administrator."


CLOSED = "restricted: PAM's account rules do not let the account in now"
UNPROVEN = "refused: PAM refuses the account, whatever the password"


async def test_closed_by_account_rules(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: what pam_nologin, pam_succeed_if and pam_deny forbid is told after the right password alone."""
    for rule in ("pam_succeed_if.so user = bob", "pam_deny.so"):
        pam_users.write_service(PLAIN.replace("account ", f"account required {rule}\naccount "))
        assert await _check(local, "alice", "Pw-alice-x") == CLOSED, rule
        assert await _check(local, "alice", "nope") == "refused: wrong password"


async def test_refused_before_the_password_was_right(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: a module that says "expired" while it authenticates says nothing of the password: refused."""
    pam_users.age("alice", "20000:0:99999:7::1:")
    for code in ("acct_expired", "new_authtok_reqd", "authtok_expired"):
        pam_users.write_service(f"auth requisite pam_debug.so auth={code}\naccount required pam_permit.so\n")
        for password in ("Pw-alice-x", "nope"):
            assert await _check(local, "alice", password) == UNPROVEN, code


async def test_account_rules_without_a_password(pam_users: PrivateUsers, local: Directory) -> None:
    """PPW-03: where PAM asked for no password, an expired account is not a right password either."""
    pam_users.age("alice", "20000:0:99999:7::1:")
    pam_users.write_service("auth required pam_permit.so\naccount required pam_unix.so\n")
    assert await _check(local, "alice", "nope") == UNPROVEN


async def test_a_broken_service_is_no_ones_fault(pam_users: PrivateUsers, local: Directory) -> None:
    """A service that vanished, lost its lines, or names a module that is not there is unavailable."""
    for text in ("# empty\n", "auth required pam_not_there.so\naccount required pam_unix.so\n", "rubbish\n"):
        pam_users.write_service(text)
        assert (await _check(local, "alice", "Pw-alice-x")).startswith("unavailable")
    (pam_users.services / "nightlatch-primary").unlink()
    assert (await _check(local, "alice", "Pw-alice-x")).startswith("unavailable")
    pam_users.write_service(PLAIN)
    assert await _check(local, "alice", "Pw-alice-x") == ""


async def test_64_checks_at_once(pamcheck: PamCheckProcess, make_directory: MakeDirectory) -> None:
    """PPW-04: of 64 parallel checks half are wrong: each result is its own, no wrong one delays a right."""
    local = make_directory({"name": "local", "kind": "pam", "socket": str(pamcheck.socket), "timeout": 14})
    pamcheck.users.write_service(
        "auth required pam_faildelay.so delay=3000000\n" + PLAIN.replace(" nodelay", "")
    )
    names = ("alice", "bob", "Bob", "carol")
    took: dict[bool, list[float]] = {True: [], False: []}

    async def check(number: int) -> bool:
        right = number % 8 < 4
        name = names[number % 4]
        start = time.monotonic()
        answer = await _check(local, name, f"Pw-{name if right else names[(number + 1) % 4]}-x")
        took[right].append(time.monotonic() - start)
        return answer == ("" if right else "refused: wrong password")

    assert all(await asyncio.gather(*(check(number) for number in range(64))))
    # Half of them, not each: the last of 64 processes may start late on a busy machine.
    assert median(took[True]) < min(took[False])


async def test_helper_away_and_back(pamcheck: PamCheckProcess, local: Directory) -> None:
    """Without its helper the directory is unavailable at once, and works again by itself."""
    pamcheck.stop()
    assert "Does it run?" in await _check(local, "alice", "Pw-alice-x")
    with pytest.raises(Unavailable):
        await local.health()
    pamcheck.start()
    assert await _check(local, "alice", "Pw-alice-x") == ""


async def test_hanging_helper(pamcheck: PamCheckProcess, make_directory: MakeDirectory) -> None:
    """A helper that accepts and never answers costs the deadline, and is unavailable."""
    table = {"name": "local", "kind": "pam", "socket": str(pamcheck.socket), "timeout": 0.3}
    directory = make_directory(table)
    pamcheck.hang()
    start = time.monotonic()
    assert "did not answer in 0.3 s" in await _check(directory, "alice", "Pw-alice-x")
    assert time.monotonic() - start < 5
    pamcheck.go_on()


ODD_ANSWERS = (b"", b"\x01", b"\x01\x59\x00", b"\x02\x59", b"\x01\x00", b"\x01\x01", b"\x00" * 99)


@pytest.mark.parametrize("answer", ODD_ANSWERS)
async def test_odd_answers_are_no_grant(tmp_path: Path, make_directory: MakeDirectory, answer: bytes) -> None:
    """Only a complete answer of this version grants; anything cut short, longer, or unknown is an outage."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(answer)
        writer.close()

    path = tmp_path / "false.sock"
    async with await asyncio.start_unix_server(talk, path):
        directory = make_directory({"name": "local", "kind": "pam", "socket": str(path)})
        assert (await _check(directory, "alice", "Pw-alice-x")).startswith("unavailable")


async def test_false_helper_gets_no_password(tmp_path: Path) -> None:
    """PRV-04: whoever else listens at the path is told nothing."""
    heard = bytearray()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(4096))
        writer.close()

    path = tmp_path / "false.sock"
    async with await asyncio.start_unix_server(talk, path):
        settings = PamSettings(name="local", kind="pam", socket=path)
        directory = PamDirectory(settings, structlog.get_logger(), SystemClock(), helper_uid=os.geteuid() + 1)
        assert "not nightlatch-pamcheck" in await _check(directory, "alice", "Pw-alice-x")
        await asyncio.sleep(0)
        await directory.close()
    assert heard == b""
