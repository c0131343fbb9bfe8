"""Whether sshd really asks PAM, and nobody gets in beside it: `sshd -T` says what counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.doctor.finding import fail, ok, warn
from nightlatch.doctor.programs import asked

if TYPE_CHECKING:
    from collections.abc import Callable

    from nightlatch.doctor.finding import Finding

PART = "sshd"
_PAM_METHOD = "keyboard-interactive"


def sshd(ask: Callable[..., str | None] = asked) -> list[Finding]:
    """What its settings mean for the second step. Asked only where its PAM service asks nightlatch."""
    shown = ask("sshd", "-T")
    if shown is None:
        return [warn(PART, "its settings can not be asked for", "Run this as root; see: sshd -t")]
    settings = {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in shown.splitlines()}
    found: list[Finding] = []
    if settings.get("usepam") != "yes":
        found.append(fail(PART, "it does not ask PAM at all", "Set UsePAM yes in sshd_config."))
    interactive = settings.get(
        "kbdinteractiveauthentication", settings.get("challengeresponseauthentication")
    )
    if interactive != "yes":
        text = "it can not ask for a code"
        found.append(fail(PART, text, "Set KbdInteractiveAuthentication yes in sshd_config."))
    methods = settings.get("authenticationmethods", "any").split()
    keys = settings.get("pubkeyauthentication") == "yes"
    if keys and any(method == "any" or _PAM_METHOD not in method for method in methods):
        remedy = f"Set AuthenticationMethods publickey,{_PAM_METHOD}, or {_PAM_METHOD} alone, in sshd_config."
        found.append(warn(PART, "a public key alone lets people in, without a second step", remedy))
    return found or [ok(PART, "every login is asked for a second step")]
