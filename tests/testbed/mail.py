"""A real submission server: a private Postfix, with a private Dovecot that knows who may send.

Everything is in one folder, on free ports of 127.0.0.1. Mail for user01@nl.test to user20@nl.test is
delivered to maildirs; everything else is refused. A token is good when the given callable says whose it is.
"""

from __future__ import annotations

import contextlib
import email
import email.policy
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from testbed.mail_configuration import DOVECOT, MAIN, MASTER, OAUTH2
from testbed.ports import free_port
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from testbed.pki import Pki

MAILBOX = "nl@nl.test"
PASSWORD = "Canary-mail-password-7Q"
MECHANISMS = "plain login xoauth2 oauthbearer"
RECIPIENTS = tuple(f"user{number:02}@nl.test" for number in range(1, 21))
_NOBODY = 65534


class Introspection:
    """An OAuth 2.0 introspection endpoint (RFC 7662): says whose a token is."""

    def __init__(self, whose: Callable[[str], str | None]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                name = whose(parse_qs(body).get("token", [""])[0])
                answer = {"active": True, "username": name} if name else {"active": False}
                content = json.dumps(answer).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_args: Any) -> None:  # noqa: ANN401, the signature is http.server's
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/introspect"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class MailServer:
    """Postfix and Dovecot between `start` and `stop`. `folder` must be open to other users."""

    def __init__(
        self,
        folder: Path,
        pki: Pki,
        whose: Callable[[str], str | None],
        mechanisms: str = MECHANISMS,
    ) -> None:
        self._folder = folder
        self._pki = pki
        self._mechanisms = mechanisms
        self._introspection = Introspection(whose)
        self.port, self.tls_port = free_port(), free_port()
        """Submission with STARTTLS, and with TLS from the first byte."""
        self._children: list[Child] = []
        self._configure()

    def start(self) -> None:
        """Start both, and wait until they take mail."""
        self._children.append(
            Child(
                ["/usr/sbin/dovecot", "-F", "-c", self._folder / "dovecot.conf"], self._folder / "dovecot.out"
            )
        )
        wait_until((self._folder / "sasl.sock").exists, "dovecot", self._children[0])
        # master in the foreground of its own session: so it is stopped by its pid, with all that it started.
        self._children.append(
            Child(
                ["/usr/lib/postfix/sbin/master", "-c", self._folder / "etc", "-d"],
                self._folder / "postfix.out",
            )
        )
        wait_until(self._greets, "postfix", self._children[1])

    def stop(self) -> None:
        """Stop both by their pids."""
        if self._children:
            dovecot, *postfix = self._children
            for child in postfix:
                child.stop()
            # Asked to end it takes a second, in which it waits for nothing; its processes end with it.
            dovecot.signal(signal.SIGKILL)
            dovecot.wait()
        self._children.clear()
        self._introspection.stop()

    def received(self, recipient: str, count: int = 1) -> list[EmailMessage]:
        """What was delivered to a recipient, oldest first; waits until there are `count`."""
        folder = self._folder / "mail" / recipient.partition("@")[0] / "new"

        def files() -> list[Path]:
            return (
                sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns) if folder.is_dir() else []
            )

        wait_until(lambda: len(files()) >= count, f"{count} messages for {recipient}")
        return [email.message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in files()]

    def log(self) -> str:
        """What Postfix and Dovecot wrote."""
        files = (self._folder / "maillog", self._folder / "log")
        return "".join(file.read_text(errors="replace") for file in files if file.exists())

    def logged(self, words: str, times: int) -> None:
        """Wait until the log has `words` so many times (its writer is a little late); not more."""
        wait_until(lambda: self.log().count(words) >= times, f'"{words}" in the log')
        assert self.log().count(words) == times

    def _configure(self) -> None:
        folder = self._folder
        for name in ("", "etc", "spool", "data", "mail", "run"):
            (folder / name).mkdir(parents=True, exist_ok=True)
            (folder / name).chmod(0o755)
        shutil.chown(folder / "data", "postfix")
        shutil.chown(folder / "mail", _NOBODY, _NOBODY)
        places = {
            "folder": folder,
            "port": self.port,
            "tls_port": self.tls_port,
            "certificate": self._pki.server.certificate,
            "key": self._pki.server.key,
            "url": self._introspection.url,
            "mechanisms": self._mechanisms,
        }
        (folder / "etc" / "main.cf").write_text(MAIN.format(**places))
        (folder / "etc" / "master.cf").write_text(MASTER.format(**places))
        boxes = "".join(f"{address} {address.partition('@')[0]}/\n" for address in RECIPIENTS)
        (folder / "etc" / "boxes").write_text(boxes)
        for file in (folder / "etc").iterdir():
            os.utime(file, (0, 0))  # Postfix waits for two seconds to see whether a new one still changes
        (folder / "dovecot.conf").write_text(DOVECOT.format(**places))
        (folder / "oauth2.ext").write_text(OAUTH2.format(**places))
        (folder / "users").write_text(f"{MAILBOX}:{{PLAIN}}{PASSWORD}::::::\n")
        check = ["/usr/sbin/postfix", "-c", str(folder / "etc"), "check"]
        done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as probe:
            probe.settimeout(5)
            return probe.recv(4) == b"220 "
        return False


def mail_text(mail: EmailMessage) -> str:
    """Subject and text of a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return f"{mail['Subject']}\n{body.get_content()}"
