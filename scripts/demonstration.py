"""The demo behind scripts/demo: private servers, an enrolment, four logins over SSH."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import pexpect  # noqa: E402, the test bed is found by the line above

from testbed.codes import App  # noqa: E402
from testbed.daemon import BIN, Nightlatchd  # noqa: E402
from testbed.pki import make_pki  # noqa: E402
from testbed.slapd import PEOPLE, SERVICE_DN, Slapd  # noqa: E402
from testbed.ssh_login import CODE, PASSWORD, SshLogin  # noqa: E402
from testbed.sshd import Sshd, SshUser  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = ROOT / "build" / "demo"
PIDS = FOLDER / "pids"
MODULE = ROOT / "build" / "pam_module" / "pam_nightlatch.so"
PERSON, SECRET_WORD = "demo", "correct-horse-battery-staple"
_CSI = re.compile(r"\x1b\[[0-9;]*m")


class Demonstration:
    """Servers in build/demo, and a person who signs in."""

    def __init__(self) -> None:
        shutil.rmtree(FOLDER, ignore_errors=True)
        FOLDER.mkdir(parents=True)
        self.slapd = Slapd(FOLDER / "slapd", make_pki(FOLDER / "pki"), people=("alice", "bob", "carol"))
        self.daemon = Nightlatchd(
            FOLDER,
            f"""
[[directories]]
name = "people"
kind = "ldap"
urls = ["{self.slapd.tls_url}"]
ca_file = "{self.slapd.ca_file}"
bind_dn = "{SERVICE_DN}"
bind_password_file = "{self.slapd.service_password_file}"
base = "{PEOPLE}"
""",
        )
        auth = f"auth required {MODULE} socket={self.daemon.pam_socket}"
        self.sshd = Sshd(FOLDER / "sshd", (SshUser(PERSON, 21000),), auth)
        self.app: App | None = None

    def start(self) -> None:
        """Start the directory, the daemon, and the SSH server."""
        for server in (self.slapd, self.daemon, self.sshd):
            server.start()
            with PIDS.open("a") as pids:
                pids.write(f"{server.pid}\n")
        self.slapd.add(PERSON, password=SECRET_WORD)

    def stop(self) -> None:
        """End them."""
        for server in (self.sshd, self.daemon, self.slapd):
            server.stop()

    def enroll(self) -> None:
        """Enrol the person with the real command, at a real terminal."""
        arguments = ["credential", "enroll", "totp", PERSON, "--label", "phone"]
        command = pexpect.spawn(
            str(BIN / "nightlatch"),
            [*arguments, "--socket", str(self.daemon.admin_socket)],
            timeout=30,
            encoding="utf-8",
            dimensions=(60, 80),
        )
        command.logfile_read = sys.stdout
        command.expect(r"secret\s+[^\n]*\n")
        words = _CSI.sub("", str(command.after))
        secret = re.sub(r"\s", "", words.removeprefix("secret"))
        self.app = App(f"otpauth://totp/x?secret={secret}&algorithm=SHA256")
        command.expect(": $")
        command.sendline(self.app.fresh())
        command.expect(pexpect.EOF)
        command.close()
        if command.exitstatus != 0:
            raise SystemExit("The enrolment failed. See above.")

    def login(self, what: str, password: str, code: str, *, granted: bool) -> None:
        """Sign in once, and say what came of it."""
        print(f"      {what:<40}", end="", flush=True)
        began = time.monotonic()
        attempt = SshLogin(self.sshd.port, PERSON, FOLDER)
        reached = attempt.run({PASSWORD: password, CODE: code})
        seconds = time.monotonic() - began
        word = "granted" if reached else "refused"
        print(f"{word}   {'as it should be' if reached is granted else 'WRONG'}   {seconds:5.2f} s")
        if reached is not granted:
            raise SystemExit(f"This must not happen. The client saw:\n{attempt.transcript}")


def step(number: int, name: str, detail: str, work: Callable[[], None]) -> None:
    """One line of progress around some work."""
    print(f"[{number}/6] {name:<15} {detail:<52} ", end="", flush=True)
    began = time.monotonic()
    work()
    print(f"{'done':<10} {time.monotonic() - began:4.1f} s")


def show(*, keep: bool) -> None:
    """The whole demo."""
    end_kept()
    demonstration = Demonstration()
    try:
        step(4, "servers", "a private slapd, nightlatchd, and an OpenSSH server", demonstration.start)
        print(f"[5/6] {'enrolment':<15} nightlatch credential enroll totp {PERSON}\n")
        demonstration.enroll()
        assert demonstration.app is not None
        right = demonstration.app.fresh()
        wrong = demonstration.app.wrong()
        print("\n[6/6] four logins over SSH")
        demonstration.login("wrong password", "not-this-one", right, granted=False)
        demonstration.login("right password, wrong code", SECRET_WORD, wrong, granted=False)
        demonstration.login("right password, right code", SECRET_WORD, right, granted=True)
        demonstration.login("the same code again", SECRET_WORD, right, granted=False)
    except BaseException:
        demonstration.stop()
        raise
    port, socket = demonstration.sshd.port, demonstration.daemon.admin_socket
    if keep:
        print(f"""
Try it:    ssh -p {port} {PERSON}@127.0.0.1        password: {SECRET_WORD}
           the code comes from your own authenticator app, if you scanned the code above
Look:      {BIN}/nightlatch credential list {PERSON} --socket {socket}
           {BIN}/nightlatch status --socket {socket}
           {demonstration.daemon.log}
Stop:      scripts/demo --stop""")
        return
    demonstration.stop()
    print(f"\nTry it yourself: scripts/demo --keep   (as {PERSON}, password {SECRET_WORD})")


def end_kept() -> None:
    """End what an earlier --keep has left, by its pids, and only if they are still the demo's."""
    for line in PIDS.read_text().split() if PIDS.exists() else ():
        try:
            command = Path(f"/proc/{line}/cmdline").read_bytes().decode(errors="replace")
        except FileNotFoundError:
            continue
        if str(FOLDER) in command:
            os.kill(int(line), signal.SIGTERM)
    PIDS.unlink(missing_ok=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["--stop"]:
        end_kept()
        print("The demo's servers are stopped.")
    else:
        show(keep=sys.argv[1:] == ["--keep"])
