"""A login through libpam and the module, against a daemon that follows a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import pytest

from nightlatch.v1 import login_pb2
from pam_module.scripted_daemon import TICKET, ScriptedDaemon, outcome, password, prompt, wait
from testbed.pam_client import Heard, PamCode, Style

if TYPE_CHECKING:
    from pam_module.host import Host

PAM_SILENT = 0x8000
DUMMY = "\b\n\r\177INCORRECT"  # what sshd sends in place of a password that it will not try


async def test_password_and_code_grant(host: Host) -> None:
    """Password and code are asked for one after the other, sent as typed, and the grant is PAM_SUCCESS."""
    steps = (password(), prompt(echo=True), outcome(message="Welcome"))
    async with ScriptedDaemon(host.socket, *steps) as daemon:
        result = await host.login("pässword", "123456", items={"rhost": "192.0.2.7", "tty": "ssh"})
    assert result.rc == PamCode.SUCCESS
    assert result.messages == (
        Heard(Style.PROMPT_ECHO_OFF, "Password: "),
        Heard(Style.PROMPT_ECHO_ON, "Code: "),
        Heard(Style.TEXT_INFO, "Welcome"),
    )
    assert daemon.begins == [
        login_pb2.BeginLoginRequest(
            user="alice",
            service="nl-test",
            origin=login_pb2.Origin(remote_host="192.0.2.7", terminal="ssh"),
            primary=login_pb2.PRIMARY_PASSWORD,
        )
    ]
    assert [call.answer for call in daemon.answers] == ["pässword".encode(), b"123456"]
    assert {call.ticket for call in daemon.answers} == {TICKET}


async def test_factor_only(host: Host) -> None:
    """mode=factor tells the daemon that the first factor is established; first_pass options do no harm."""
    async with ScriptedDaemon(host.socket, prompt(), outcome()) as daemon:
        result = await host.login("123456", options="mode=factor use_first_pass")
    assert result.rc == PamCode.SUCCESS
    assert daemon.begins[0].primary == login_pb2.PRIMARY_ESTABLISHED


@pytest.mark.parametrize(
    ("verdict", "code"),
    [
        (login_pb2.VERDICT_REFUSED, PamCode.AUTH_ERR),
        (login_pb2.VERDICT_LOCKED, PamCode.MAXTRIES),
        (login_pb2.VERDICT_UNAVAILABLE, PamCode.AUTHINFO_UNAVAIL),
        (login_pb2.VERDICT_UNSPECIFIED, PamCode.AUTHINFO_UNAVAIL),
        (77, PamCode.AUTHINFO_UNAVAIL),
        (-1, PamCode.AUTHINFO_UNAVAIL),
    ],
)
async def test_every_other_verdict_denies(
    host: Host, verdict: login_pb2.Verdict.ValueType, code: PamCode
) -> None:
    """A verdict that is not a grant has its return code and shows its words as an error."""
    async with ScriptedDaemon(host.socket, outcome(verdict, message="No entry")):
        result = await host.login()
    assert result.rc == code
    assert result.messages == (Heard(Style.ERROR_MSG, "No entry"),)


@pytest.mark.parametrize("user", ["bob", "Alice", "alice ", "", "alice\0x", "alic"])
async def test_grant_for_another_name(host: Host, user: str) -> None:
    """PAM-11: a grant that does not name PAM's own user, byte for byte, is denied; PAM_USER stays."""
    async with ScriptedDaemon(host.socket, outcome(user=user, message="Welcome")):
        result = await host.login()
    assert result.rc in (PamCode.AUTH_ERR, PamCode.AUTHINFO_UNAVAIL)
    assert result.messages == ()


async def test_a_step_without_a_kind(host: Host) -> None:
    """A step of which nothing is set is a denial."""
    async with ScriptedDaemon(host.socket, login_pb2.Step(ticket=TICKET)):
        assert (await host.login()).rc == PamCode.AUTHINFO_UNAVAIL


@pytest.mark.parametrize(("ticket", "code"), [(b"", 9), (b"t" * 32769, 9), (b"t" * 32768, 0)])
async def test_tickets_are_there_and_bounded(host: Host, ticket: bytes, code: int) -> None:
    """A prompt needs a ticket of 1 to 32768 bytes; the longest one goes back whole."""
    async with ScriptedDaemon(host.socket, prompt(ticket=ticket), outcome()) as daemon:
        assert (await host.login("123456")).rc == code
    assert [call.ticket for call in daemon.answers] == ([ticket] if code == 0 else [])


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (grpc.StatusCode.UNIMPLEMENTED, PamCode.AUTHINFO_UNAVAIL),
        (grpc.StatusCode.UNAVAILABLE, PamCode.AUTHINFO_UNAVAIL),
        (grpc.StatusCode.INTERNAL, PamCode.AUTHINFO_UNAVAIL),
        (grpc.StatusCode.INVALID_ARGUMENT, PamCode.AUTH_ERR),
        (grpc.StatusCode.NOT_FOUND, PamCode.AUTH_ERR),
        (grpc.StatusCode.PERMISSION_DENIED, PamCode.AUTH_ERR),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, PamCode.MAXTRIES),
        (grpc.StatusCode.FAILED_PRECONDITION, PamCode.AUTH_ERR),
    ],
)
async def test_statuses(host: Host, status: grpc.StatusCode, code: PamCode) -> None:
    """IPC-06: an error status denies; a missing method is logged as a difference of versions."""
    async with ScriptedDaemon(host.socket, status):
        result = await host.login()
    assert result.rc == code
    assert any("different versions" in line for line in result.log) == (
        status is grpc.StatusCode.UNIMPLEMENTED
    )


async def test_wait_is_slept_and_answered_with_nothing(host: Host) -> None:
    """A wait shows its words, lasts its seconds, and is answered with an empty answer."""
    async with ScriptedDaemon(host.socket, wait(1, "Look at your phone"), outcome()) as daemon:
        result = await host.login()
    assert result.rc == PamCode.SUCCESS
    assert result.seconds[0] >= 1
    assert result.messages == (Heard(Style.TEXT_INFO, "Look at your phone"),)
    assert [call.answer for call in daemon.answers] == [b""]


async def test_silent_shows_nothing(host: Host) -> None:
    """PAM_SILENT keeps everything back but the prompts."""
    async with ScriptedDaemon(host.socket, prompt(), outcome(message="Welcome")):
        result = await host.login("123456", flags=PAM_SILENT)
    assert (result.rc, len(result.messages)) == (PamCode.SUCCESS, 1)


async def test_empty_code_is_forwarded(host: Host) -> None:
    """PAM-04: an empty code goes to the daemon, which counts it."""
    async with ScriptedDaemon(host.socket, prompt(), outcome(login_pb2.VERDICT_REFUSED)) as daemon:
        assert (await host.login("")).rc == PamCode.AUTH_ERR
    assert [call.answer for call in daemon.answers] == [b""]


@pytest.mark.parametrize(
    "answer",
    [DUMMY, DUMMY[:9], DUMMY * 3, (DUMMY * 2)[:20], b"\xff\xfe", b"caf\xe9", "x" * 1025, "é" * 513],
)
async def test_answers_that_are_never_forwarded(host: Host, answer: str | bytes) -> None:
    """PAM-05: sshd's dummy password in any length, and what is no answer, is denied here and not logged."""
    async with ScriptedDaemon(host.socket, prompt(), outcome()) as daemon:
        result = await host.login(answer, options="debug")
    assert result.rc == PamCode.AUTH_ERR
    assert daemon.answers == []
    assert not any("INCORRECT" in line or "xxx" in line for line in result.log)


@pytest.mark.parametrize("user", ["", "al\x1b]0;x\x07ice", "a\rb", "x" * 257, b"\xffalice", "a\u0085b"])
async def test_names_that_are_never_forwarded(host: Host, user: str | bytes) -> None:
    """PAM-12: a name that is empty, too long, not UTF-8 or has controls is denied here and not logged."""
    async with ScriptedDaemon(host.socket, outcome(user="x")) as daemon:
        result = await host.login(user=user)
    assert result.rc == PamCode.AUTH_ERR
    assert daemon.begins == []
    assert not any("x" * 99 in line or "\x1b" in line for line in result.log)


@pytest.mark.parametrize("step", [prompt("A\x1b[2J\r" + "é" * 65000), wait(1, "A\x1b[2J\r" + "é" * 65000)])
async def test_reply_is_bounded(host: Host, step: login_pb2.Step) -> None:
    """PAM-12: a reply above 64 KiB is no answer."""
    async with ScriptedDaemon(host.socket, step):
        result = await host.login("123456", options="timeout=5")
    assert result.rc == PamCode.AUTHINFO_UNAVAIL
    assert result.messages == ()


@pytest.mark.parametrize("step", [prompt("A\x1b[2J\r" + "é" * 9000), wait(1, "A\x1b[2J\r" + "é" * 9000)])
async def test_text_is_printable_and_cut(host: Host, step: login_pb2.Step) -> None:
    """PAM-12: an escape, a carriage return and too much text reach no terminal."""
    async with ScriptedDaemon(host.socket, step, outcome(message="\x9bB\x07\nC")):
        result = await host.login("123456")
    assert result.rc == PamCode.SUCCESS
    assert result.messages[0].text == "A?[2J?" + "é" * 6140
    assert result.messages[1].text == "?B?\nC"


async def test_qr_code_passes(host: Host) -> None:
    """PAM-12: the widest QR code of 80 columns, drawn with half blocks, is shown whole with its words."""
    drawn = "\n".join(["Scan this:", *["█▀▄█" * 20] * 40, "  secret  JBSW Y3DP", "Code: "])
    async with ScriptedDaemon(host.socket, prompt(drawn), outcome()):
        assert (await host.login("123456")).prompts == (drawn,)


async def test_origin_is_plain(host: Host) -> None:
    """A remote host's name that is not ASCII cannot make the request unreadable for the daemon."""
    async with ScriptedDaemon(host.socket, outcome()) as daemon:
        result = await host.login(items={"rhost": b"evil\xff\x1b.example" + b"x" * 400, "tty": b""})
    assert result.rc == PamCode.SUCCESS
    assert daemon.begins[0].origin.remote_host == "evil??.example" + "x" * 241


async def test_conversation_that_fails(host: Host) -> None:
    """A program that gives no answer gets PAM_AUTH_ERR: the person brought it about, so it is not 'away'."""
    async with ScriptedDaemon(host.socket, prompt(), outcome()):
        assert (await host.login()).rc == PamCode.AUTH_ERR


@pytest.mark.parametrize(
    ("step", "options", "asked"),
    [
        (prompt(), "", 3),
        (password(), "", 3),
        (prompt(kind=login_pb2.PROMPT_KIND_CHOICE), "", 20),
        (prompt(kind=login_pb2.PROMPT_KIND_ENROLLMENT), "", 20),
        (prompt(kind=login_pb2.PROMPT_KIND_CHOICE), "max_prompts=2", 2),
    ],
)
async def test_asking_ends(host: Host, step: login_pb2.Step, options: str, asked: int) -> None:
    """PAM-10: a daemon that always asks again is asked no more after 3 codes, or the prompts allowed."""
    async with ScriptedDaemon(host.socket, step):
        result = await host.login(*["000000"] * 30, options=options)
    assert result.rc == PamCode.MAXTRIES
    assert len(result.prompts) == asked


async def test_no_content_in_the_log(host: Host) -> None:
    """LEK-01: with debug on, neither name, password, code, ticket nor message is in the log."""
    canaries = ("CANARY-password", "CANARY-code", "CANARY-name")
    steps = (password(), prompt(ticket=b"CANARY-ticket"), outcome(user=canaries[2], message="CANARY-text"))
    async with ScriptedDaemon(host.socket, *steps):
        result = await host.login(*canaries[:2], user=canaries[2], options="debug")
    assert result.rc == PamCode.SUCCESS
    assert result.log
    assert "CANARY" not in "".join(result.log)
    assert any("granted" in line and "7f3a-22c1" in line for line in result.log)
