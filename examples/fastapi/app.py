"""A shop that signs people in with a password and, behind it, with a code that nightlatch verifies.

The password is the shop's own affair. Between the two forms the session says who has shown one, and since
when; only a verified code makes them signed in.
"""

from __future__ import annotations

import contextlib
import html
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.middleware.sessions import SessionMiddleware

from nightlatch.client import AsyncClient, ClientError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger("uvicorn.error")
PATIENCE = 300
"""Seconds between the password and the code."""
HASHER = PasswordHasher()
NOBODY = HASHER.hash("nobody has this password")
"""Compared with for unknown names, so that they take as long as known ones."""


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for the whole application, in the worker's own event loop."""
    async with AsyncClient(
        *os.environ["NIGHTLATCH_TARGETS"].split(),
        cert=os.environ["NIGHTLATCH_CERT"],
        key=os.environ["NIGHTLATCH_KEY"],
        ca=os.environ["NIGHTLATCH_CA"],
    ) as mfa:
        app.state.mfa = mfa
        yield


app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
app.add_middleware(
    SessionMiddleware,
    secret_key=Path(os.environ["SHOP_SESSION_KEY_FILE"]).read_text().strip(),
    same_site="strict",
    https_only=os.environ.get("SHOP_PLAIN_HTTP") != "1",
)


@app.get("/")
async def home(request: Request) -> Response:
    """For those who are signed in."""
    user = request.session.get("user")
    if user is None:
        return RedirectResponse("/login", 303)
    return page(f"<p>Welcome, {html.escape(user)}.</p>")


@app.get("/login")
async def ask_password() -> Response:
    """The first form."""
    return password_form()


@app.post("/login")
def check_password(
    request: Request, user: Annotated[str, Form()] = "", password: Annotated[str, Form()] = ""
) -> Response:
    """The shop's own first factor. It signs nobody in."""
    request.session.clear()
    if not password_is_right(user, password):
        return password_form("Name or password is wrong.", 401)
    request.session.update(pending=user, since=time.time())
    return RedirectResponse("/code", 303)


@app.get("/code")
async def ask_code(request: Request) -> Response:
    """The second form, for those who have shown a password."""
    return code_form() if pending(request) else RedirectResponse("/login", 303)


@app.post("/code")
async def check_code(request: Request, code: Annotated[str, Form()] = "") -> Response:
    """The second factor. The only place that signs anybody in."""
    user = pending(request)
    if user is None:
        return RedirectResponse("/login", 303)
    mfa: AsyncClient = request.app.state.mfa
    try:
        result = await mfa.verify_code(user, code.strip())
    except ClientError as error:
        # Nobody was found wrong: the session stays as it is, and the same code may be typed again.
        log.error("nightlatch: %s: %s", type(error).__name__, error)
        return code_form("This can not be checked right now. Please try again in a moment.", 503)
    if result.verified:
        request.session.clear()
        request.session["user"] = user
        return RedirectResponse("/", 303)
    if result.locked:
        until = f" until {result.locked_until:%H:%M} UTC" if result.locked_until else ""
        return code_form(f"Too many attempts. No code is looked at{until}.", 429)
    return code_form("That code is wrong, or was used before.", 401)


@app.post("/logout")
async def sign_out(request: Request) -> Response:
    """End of the session."""
    request.session.clear()
    return RedirectResponse("/login", 303)


def pending(request: Request) -> str | None:
    """Who has shown a password, and not long ago."""
    fresh = time.time() - request.session.get("since", 0) < PATIENCE
    return request.session.get("pending") if fresh else None


def password_is_right(user: str, password: str) -> bool:
    """Whether the file with lines of NAME:ARGON2-HASH says so."""
    lines = Path(os.environ["SHOP_PASSWORD_FILE"]).read_text().splitlines()
    known = dict(line.split(":", 1) for line in lines)
    try:
        return HASHER.verify(known.get(user, NOBODY), password) and user in known
    except VerificationError:
        return False


def password_form(words: str = "", status: int = 200) -> Response:
    """Asks for name and password."""
    return page(
        f"""<p role="alert">{html.escape(words)}</p><form method="post" action="/login">
        <label>Name <input name="user" autocomplete="username" required autofocus></label>
        <label>Password
          <input name="password" type="password" autocomplete="current-password" required></label>
        <button>Continue</button></form>""",
        status,
    )


def code_form(words: str = "", status: int = 200) -> Response:
    """Asks for the code."""
    return page(
        f"""<p role="alert">{html.escape(words)}</p><form method="post" action="/code">
        <label>Code
          <input name="code" inputmode="numeric" autocomplete="one-time-code" required autofocus></label>
        <button>Sign in</button></form>""",
        status,
    )


def page(body: str, status: int = 200) -> Response:
    """A page that nobody caches."""
    document = f'<!doctype html><html lang="en"><title>Shop</title><main>{body}</main></html>'
    return HTMLResponse(document, status, headers={"Cache-Control": "no-store"})
