"""The PAM service with which the helper checks passwords, and whether it is fit for it.

MUST 1: it exists, with an auth and an account line: libpam takes the service `other` for what is missing.
MUST 2: nothing in it leads to pam_nightlatch, however many files away: the daemon would ask itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SERVICE = "nightlatch-primary"
"""The service's name. No option, no request and no file changes it."""

PLACES = (Path("/etc/pam.d"), Path("/usr/lib/pam.d"))
"""Where libpam looks, in this order."""

_OWN_MODULE = "pam_nightlatch"
_DEEPEST = 16
_INCLUDES = frozenset({"include", "substack"})


class _Rule(NamedTuple):
    kind: str
    control: str
    rest: str


def problems(places: tuple[Path, ...] = PLACES) -> list[str]:
    """What is wrong with the service, each with what to do; empty when it is fit."""
    file = _find(SERVICE, places)
    if file is None:
        return [
            f"there is no PAM service {SERVICE}. Copy systemd/pam.d/{SERVICE} of nightlatch to {places[0]}."
        ]
    found: list[str] = []
    kinds = _walk(file, places, found, ())
    found += [
        f"{file}: it has no {kind} line, and libpam would take the service 'other'. Add one, such as: "
        f"{kind} required pam_unix.so"
        for kind in ("auth", "account")
        if kind not in kinds
    ]
    return found


def _find(name: str, places: tuple[Path, ...]) -> Path | None:
    candidates = [Path(name)] if name.startswith("/") else [place / name for place in places]
    return next((file for file in candidates if file.is_file()), None)


def _walk(file: Path, places: tuple[Path, ...], found: list[str], above: tuple[Path, ...]) -> set[str]:
    """Collect the kinds of the lines in `file` and in all that it includes, and the problems on the way."""
    if file in above or len(above) >= _DEEPEST:
        found.append(f"{file}: it includes itself. Break the loop.")
        return set()
    try:
        text = file.read_text(errors="replace")
    except OSError as error:
        found.append(f"{file}: it can not be read: {error.strerror}.")
        return set()
    kinds: set[str] = set()
    for rule in _rules(text):
        if _OWN_MODULE in rule.rest:
            found.append(
                f"{file}: it contains {_OWN_MODULE}, which would ask the daemon again. Remove that line."
            )
        if rule.control not in _INCLUDES:
            kinds.add(rule.kind)
            continue
        included = _find(rule.rest.split()[0] if rule.rest else "", places)
        if included is None:
            found.append(f"{file}: it includes {rule.rest or 'nothing'}, which does not exist.")
            continue
        inner = _walk(included, places, found, (*above, file))
        kinds |= inner if rule.kind == "@" else inner & {rule.kind}
    return kinds


def _rules(text: str) -> list[_Rule]:
    lines = (raw.partition("#")[0].split() for raw in text.replace("\\\n", " ").splitlines())
    return [_rule(words) for words in lines if words]


def _rule(words: list[str]) -> _Rule:
    """One line of pam.d(5): ``[-]kind control module arguments``, or ``@include name``."""
    rest = " ".join(words[1:])
    if words[0] == "@include":
        return _Rule("@", "include", rest)
    control, _, module = rest.partition("]") if rest.startswith("[") else rest.partition(" ")
    return _Rule(words[0].removeprefix("-").lower(), control.lower(), module.strip())
