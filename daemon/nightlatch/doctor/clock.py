"""Whether the clock is right: time-based codes live by it.

Three witnesses: what keeps the clock (chrony, or systemd), time servers that the configuration names, and the
codes that people typed. When everybody's codes are off by the same, it is this host's clock; when one
person's are, the phone.
"""

from __future__ import annotations

from collections import defaultdict
from statistics import mean, median
from typing import TYPE_CHECKING

import ntplib

from nightlatch.doctor.finding import fail, ok, warn
from nightlatch.doctor.programs import asked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nightlatch.doctor.finding import Finding

    Ask = Callable[..., str | None]

PART = "clock"
SET_IT = "Switch time synchronisation on: timedatectl set-ntp true, or install chrony."
TOLERATED = 5.0
"""Seconds that the clock may be off without a warning; half a step is 15."""
WRONG = 15.0
STEP = 30
"""Seconds of one step, as factors with time-based codes say them in their facts."""
FEW_CODES = 3
"""Fewer codes of one person, or fewer people, say nothing: somebody types slowly."""
OFF = 0.5
"""Steps. Who types at the end of a step is one behind now and then; half of the time is a clock."""
_CHRONY_FIELDS = 14
_UNSYNCHRONISED = 3
_SECONDS = 3.0


def kept(ask: Ask = asked) -> Finding:
    """What keeps the clock says how far it is off."""
    tracking = (ask("chronyc", "-c", "tracking") or "").strip().split(",")
    if len(tracking) >= _CHRONY_FIELDS:
        return _chrony(tracking)
    shown = ask("timedatectl", "show") or ""
    facts = dict(line.partition("=")[::2] for line in shown.splitlines())
    if facts.get("NTPSynchronized") == "yes":
        return ok(PART, "synchronised, says systemd")
    if not facts:
        return warn(PART, "neither chrony nor systemd can be asked", f"{SET_IT} Or name [clock] servers.")
    return warn(PART, "not synchronised, says systemd", SET_IT)


def _chrony(tracking: Sequence[str]) -> Finding:
    name, offset, leap = tracking[1], tracking[4], tracking[13]
    if leap == "Not synchronised":
        return warn(PART, "chrony has no server to go by", "See: chronyc sources")
    try:
        seconds = abs(float(offset))
    except ValueError:
        return warn(PART, "chrony's answer can not be read", "See: chronyc tracking")
    return _off(f"by chrony ({name})", seconds)


def served(servers: Iterable[str], ask: Callable[..., ntplib.NTPStats] | None = None) -> list[Finding]:
    """What each time server says (SNTP, RFC 4330)."""
    return [_server(name, ask or ntplib.NTPClient().request) for name in servers]


def _server(name: str, ask: Callable[..., ntplib.NTPStats]) -> Finding:
    host, port = name, 123
    if name.count(":") == 1:
        host, _, written = name.partition(":")
        port = int(written)
    try:
        answer = ask(host, version=4, port=port, timeout=_SECONDS)
    except (ntplib.NTPException, OSError) as error:
        return warn(PART, f"{name} gives no time: {error}", "Name a reachable server in [clock] servers.")
    if answer.leap == _UNSYNCHRONISED or answer.stratum == 0:
        return warn(PART, f"{name} does not know the time itself", "Name another server in [clock] servers.")
    return _off(f"by {name}", abs(answer.offset))


def _off(witness: str, seconds: float) -> Finding:
    shown = f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
    text = f"{shown} off {witness}"
    if seconds >= WRONG:
        return fail(PART, text, f"{SET_IT} Codes of people with right phones are refused.")
    return warn(PART, text, SET_IT) if seconds >= TOLERATED else ok(PART, text)


def typed(offsets: Iterable[tuple[str, int]]) -> list[Finding]:
    """What codes say: each person, and the step of a code of theirs less the step of the time it came."""
    by_person = defaultdict[str, list[int]](list)
    for person, steps in offsets:
        by_person[person].append(steps)
    means = {person: mean(steps) for person, steps in by_person.items() if len(steps) >= FEW_CODES}
    if not means:
        return [ok(PART, "too few codes were typed lately to tell anything by them")]
    common = median(means.values())
    if len(means) >= FEW_CODES and abs(common) >= OFF:
        return [_host(common)]
    off = {person: steps for person, steps in means.items() if abs(steps) >= OFF}
    return [_phone(person, steps) for person, steps in sorted(off.items())] or [
        ok(PART, "accepted codes centred on the present")
    ]


def _host(steps: float) -> Finding:
    way = "fast" if steps < 0 else "slow"
    about = abs(steps) * STEP
    return fail(PART, f"everybody's codes say that this host is about {about:.0f} s {way}", SET_IT)


def _phone(person: str, steps: float) -> Finding:
    way = "slow" if steps < 0 else "fast"
    text = f"{person}'s phone is about {abs(steps) * STEP:.0f} s {way}; everybody else's codes are right"
    return warn(PART, text, "Have them set the phone's time automatically.")
