"""The web examples, started as their pages say, in front of a real daemon; httpx plays the browser."""

from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from argon2 import PasswordHasher

from testbed.ports import free_port
from testbed.process import Child, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from testbed.shop import Shop

EXAMPLES = Path(__file__).parents[3] / "examples"
PASSWORD = "the shop's own"
PREPARE = """
from django.contrib.auth import get_user_model
from django.core.management import call_command
call_command("check", fail_level="WARNING")
call_command("migrate", verbosity=0)
get_user_model().objects.create_user("alice", password="the shop's own")
"""


class Site:
    """A running example, and a browser with its cookies."""

    def __init__(self, server: Child, port: int) -> None:
        self.server = server
        self.browser = httpx.Client(base_url=f"http://localhost:{port}", timeout=20, trust_env=False)

    def send(self, path: str, **fields: str) -> httpx.Response:
        """Fill in the form of a page, and send it, with what is hidden in it."""
        form = self.browser.get(path)
        hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form.text))
        return self.browser.post(form.url, data=hidden | fields)

    def password(self, password: str = PASSWORD) -> httpx.Response:
        """The first step."""
        return self.send("/login", username="alice", user="alice", password=password)

    def where(self, path: str = "/") -> str:
        """Where a request ends up."""
        return self.browser.get(path, follow_redirects=True).url.path


@pytest.fixture(params=["fastapi", "django"])
def site(request: pytest.FixtureRequest, shop: Shop, tmp_path: Path) -> Iterator[Site]:
    """One of the examples, with alice among its people."""
    port = free_port()
    (tmp_path / "session.key").write_text("for this test alone, and long enough for everybody")
    (tmp_path / "passwords").write_text(f"alice:{PasswordHasher().hash(PASSWORD)}\n")
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SHOP_SESSION_KEY_FILE": str(tmp_path / "session.key"),
        "SHOP_PASSWORD_FILE": str(tmp_path / "passwords"),
        "SHOP_DATABASE": str(tmp_path / "shop.db"),
        "SHOP_PLAIN_HTTP": "1",
        **shop.environment(),
    }
    folder = EXAMPLES / request.param
    if request.param == "django":
        manage = [sys.executable, folder / "manage.py"]
        prepare = [*manage, "shell", "-c", PREPARE]
        subprocess.run(prepare, env=environment, check=True, capture_output=True, timeout=60)
        command = [*manage, "runserver", "--noreload", f"localhost:{port}"]
    else:
        command = [sys.executable, "-m", "uvicorn", "--app-dir", folder, "--port", str(port), "app:app"]
        command[5:5] = ["--host", "localhost"]
    made = Site(Child(command, tmp_path / "site.log", environment), port)

    def answers() -> bool:
        try:
            return made.browser.get("/login").status_code == 200
        except httpx.TransportError:
            return False

    try:
        wait_until(answers, "the example", made.server)
        yield made
    finally:
        made.browser.close()
        made.server.stop()


def test_password_and_code_sign_in(site: Site, shop: Shop) -> None:
    """Neither of them alone does, nor a code that was used; another browser is asked for both."""
    app = shop.enroll()
    assert site.where() == "/login"
    assert site.where("/code") == "/login", "the second step is for those who have passed the first"
    assert site.password("wrong").headers.get("location") is None
    assert site.where("/code") == "/login"
    assert site.password().headers["location"] == "/code"
    assert site.where() == "/login", "a password alone signs nobody in"
    code = app.fresh()
    assert site.send("/code", code=app.wrong()).status_code == 401
    before = dict(site.browser.cookies)
    assert site.send("/code", code=code).status_code in {302, 303}
    assert "Welcome, alice" in site.browser.get("/").text
    assert dict(site.browser.cookies) != before, "the session is another one behind the sign-in"
    assert site.where("/code") == "/login"
    site.browser.cookies.clear()
    site.password()
    assert site.send("/code", code=code).status_code == 401
    assert site.where() == "/login"


def test_a_locked_person_reads_when_to_come_back(site: Site, shop: Shop) -> None:
    """After too many wrong codes the right one is not looked at either, and the page says so."""
    app = shop.enroll()
    site.password()
    for _ in range(5):
        answer = site.send("/code", code="000000")
    assert answer.status_code in {401, 429}
    answer = site.send("/code", code=app.fresh())
    assert answer.status_code == 429
    assert re.search(r"Too many attempts. No code is looked at until \d\d:\d\d UTC", answer.text)
    assert site.where() == "/login"


def test_an_outage_is_told_as_one_and_the_same_code_works_later(site: Site, shop: Shop) -> None:
    """The daemon is gone: 503, nobody is signed in, nobody starts anew; it is back: the code is right."""
    app = shop.enroll()
    site.password()
    shop.daemon.stop()
    code = app.fresh(earliest=1)
    answer = site.send("/code", code=code)
    assert answer.status_code == 503
    assert "try again in a moment" in html.unescape(answer.text)
    assert site.where() == "/login"
    shop.daemon.start()
    assert site.send("/code", code=code).status_code in {302, 303}
    assert "Welcome, alice" in site.browser.get("/").text
    said = site.server.output()
    assert "nightlatch: Unavailable" in said
    assert code not in said
    assert PASSWORD not in said
