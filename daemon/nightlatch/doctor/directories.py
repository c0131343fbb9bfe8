"""Each server of each directory by itself: reached, trusted, for how long, and whether the base is found.

Failover hides a server that is away from people, and from the daemon's own status; here it does not.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING

import structlog

from nightlatch.app.system import SystemClock, SystemRandomness
from nightlatch.directories.bounded import Call
from nightlatch.directories.build import build_directory
from nightlatch.directories.ldap_errors import ServerFailed
from nightlatch.directories.ldap_link import LdapLink, Route
from nightlatch.directories.ldap_tls import trust
from nightlatch.directories.pam_service import problems
from nightlatch.directories.settings import PamSettings
from nightlatch.doctor.finding import fail, ok, warn
from nightlatch.errors import ConfigError, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.directories.active_directory_settings import ActiveDirectorySettings
    from nightlatch.directories.settings import DirectorySettings, LdapSettings
    from nightlatch.doctor.finding import Finding

    Networked = LdapSettings | ActiveDirectorySettings

SOON_DAYS = 14
"""A certificate that ends within so many days is a warning."""
_DAY = 86_400
_REMEDY = "Look at the server, and at [[directories]] of the configuration."


def directory(settings: DirectorySettings, now: float, pam_dir: Path) -> list[Finding]:
    """All servers of one directory; `now` is Unix seconds."""
    part = f"directory {settings.name}"
    if isinstance(settings, PamSettings):
        wrong = [fail(part, problem, "See: docs/directories.md, PAM") for problem in problems((pam_dir,))]
        return [*wrong, _answers(part, settings, "")]
    if not settings.urls:
        return [_answers(part, settings, "")]
    found: list[Finding] = []
    for url in settings.urls:
        alone = settings.model_copy(update={"urls": (url,)})
        found.append(_answers(part, alone, f"{url}: "))
        ends = _certificate_ends(alone)
        if ends is not None:
            found += _ending(part, url, ends, now)
    return found


def _answers(part: str, settings: DirectorySettings, where: str) -> Finding:
    """Connect, bind as the service account, search the base."""

    async def look() -> str:
        silent: structlog.stdlib.BoundLogger = structlog.wrap_logger(structlog.ReturnLogger(), processors=[])
        made = build_directory(settings, silent, SystemClock(), SystemRandomness())
        try:
            return await made.health()
        finally:
            await made.close()

    try:
        return ok(part, asyncio.run(look()))
    except Unavailable as error:
        return fail(
            part, error.reason if error.reason.startswith("ldap") else f"{where}{error.reason}", _REMEDY
        )
    except ConfigError as error:
        return fail(part, " ".join(error.problems), "Run this as root, or as the daemon's user.")


def _certificate_ends(settings: Networked) -> float | None:
    """When the server's certificate ends; None where there is none, or the server was not reached."""
    call = Call(time.monotonic() + settings.connect_timeout + settings.operation_timeout)
    try:
        context = trust(settings.ca_file)
        link = LdapLink(
            Route(settings.urls[0], context, settings.connect_timeout, settings.operation_timeout), call
        )
    except (ConfigError, ServerFailed):
        return None
    try:
        connected = link.socket()
        shown = connected.getpeercert() if isinstance(connected, ssl.SSLSocket) else None
    finally:
        link.close()
    ends = (shown or {}).get("notAfter")
    return float(ssl.cert_time_to_seconds(ends)) if isinstance(ends, str) else None


def _ending(part: str, url: str, ends: float, now: float) -> list[Finding]:
    days = int((ends - now) // _DAY)
    if days > SOON_DAYS:
        return []
    when = "1 day" if days == 1 else f"{days} days"
    return [warn(part, f"{url}: its certificate ends in {when}", "Renew the server's certificate.")]
