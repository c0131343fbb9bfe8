"""Whether sshd really asks PAM, and nobody gets in beside it: `sshd -T` says what counts.

What counts for everybody is asked first, then what counts where a ``Match`` block says something else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nightlatch.doctor.finding import Finding, Level, ok, warn
from nightlatch.doctor.programs import asked
from nightlatch.doctor.sshd_matches import ANYBODY, CONFIG, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PART = "sshd"
_PAM_METHOD = "keyboard-interactive"


def sshd(ask: Callable[..., str | None] = asked, config: Path = CONFIG) -> list[Finding]:
    """What its settings mean for the second step. Asked only where its PAM service asks nightlatch."""
    shown = ask("sshd", "-T") or ask("sshd", "-T", "-C", ANYBODY)
    if shown is None:
        return [warn(PART, "its settings can not be asked for", "Run this as root; see: sshd -t")]
    usual = _judged(shown)
    found = [*usual, *_in_blocks(usual, ask, config)]
    return found or [ok(PART, "every login is asked for a second step, in every Match block too")]


def _judged(shown: str) -> list[Finding]:
    """What the settings of one connection mean."""
    settings = {line.partition(" ")[0]: line.partition(" ")[2].strip() for line in shown.splitlines()}
    methods = settings.get("authenticationmethods", "any").split()
    found = []
    if settings.get("usepam") != "yes":
        found.append(
            Finding(Level.FAIL, PART, "it does not ask PAM at all", "Set UsePAM yes in sshd_config.")
        )
    interactive = settings.get(
        "kbdinteractiveauthentication", settings.get("challengeresponseauthentication")
    )
    if interactive != "yes" and any(method == "any" or _PAM_METHOD in method for method in methods):
        remedy = "Set KbdInteractiveAuthentication yes in sshd_config."
        found.append(Finding(Level.FAIL, PART, "it can not ask for a code", remedy))
    keys = settings.get("pubkeyauthentication") == "yes"
    if keys and any(method == "any" or _PAM_METHOD not in method for method in methods):
        remedy = f"Set AuthenticationMethods publickey,{_PAM_METHOD}, or {_PAM_METHOD} alone, in sshd_config."
        found.append(warn(PART, "a public key alone lets people in, without a second step", remedy))
    return found


def _in_blocks(usual: list[Finding], ask: Callable[..., str | None], config: Path) -> Iterator[Finding]:
    """What is wrong where a block counts, and not wrong everywhere else."""
    try:
        blocks = matches(config)
    except OSError as error:
        text = f"{config} can not be read ({error.strerror}): what its Match blocks change is not known"
        yield warn(PART, text, "Run this as root.")
        return
    for block in blocks:
        where = f'{block.place}, "Match {block.criteria}"'
        shown = ask("sshd", "-T", "-C", block.connection) if block.connection else None
        if shown is None:
            text = f"{where}: what counts there is not known"
            yield warn(
                PART, text, "Ask for somebody whom it is meant for: sshd -T -C user=NAME,host=…,addr=…"
            )
            continue
        for one in _judged(shown):
            if one not in usual:
                remedy = one.remedy.replace("in sshd_config", "there")
                yield Finding(one.level, PART, f"{where}: {one.text}", remedy)
