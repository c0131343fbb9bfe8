"""The ``Match`` blocks of sshd_config, and for each a connection that it is meant for: for ``sshd -T -C``.

sshd says what counts for a connection, but not for which ones something else counts; so the file is read for
the blocks alone, and never for what is set in them.
"""

from __future__ import annotations

import grp
import ipaddress
import pwd
import re
import shlex
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIG = Path("/etc/ssh/sshd_config")
_DEEPEST = 16
_USUAL = {
    "user": "nobody",
    "host": "host.invalid",
    "addr": "192.0.2.1",
    "laddr": "192.0.2.2",
    "lport": "22",
    "rdomain": "",
}
"""A connection that nothing is said of; the addresses are those of RFC 5737."""
ANYBODY = ",".join(f"{name}={value}" for name, value in _USUAL.items() if value)
"""The same for `sshd -T -C`: where a block asks for a local address, sshd tells nothing without one."""
_ASKED_BY = {"user": "user", "host": "host", "address": "addr", "localaddress": "laddr"}
_ASKED_BY |= {"localport": "lport", "rdomain": "rdomain"}
_KEYWORD = re.compile(r"\s*(\w+)\s*[=\s]\s*(.*)")


@dataclass(frozen=True, slots=True)
class Match:
    """One block."""

    place: str
    """Where it is, for the report: "sshd_config line 12"."""
    criteria: str
    """As they are written: "User git"."""
    connection: str
    """What `sshd -T -C` asks about; empty where no connection is found that it is meant for."""


def matches(config: Path, member_of: Callable[[str], str | None] | None = None) -> list[Match]:
    """Every block, in order; raises OSError for a file that can not be read.

    `member_of` names somebody of the group that a pattern stands for.
    """
    found = []
    for place, criteria in _blocks(config, ()):
        if criteria.lower() != "all":
            found.append(Match(place, criteria, _connection(criteria, member_of or _somebody_of)))
    return found


def _blocks(file: Path, above: tuple[Path, ...]) -> Iterator[tuple[str, str]]:
    if file in above or len(above) >= _DEEPEST:
        return
    for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
        keyword = _KEYWORD.fullmatch(line.partition("#")[0].rstrip())
        if keyword is None:
            continue
        if keyword[1].lower() == "match":
            yield f"{file.name} line {number}", keyword[2]
        elif keyword[1].lower() == "include":
            for pattern in _words(keyword[2]):
                for included in sorted(CONFIG.parent.glob(pattern) if pattern[:1] != "/" else _glob(pattern)):
                    yield from _blocks(included, (*above, file))


def _glob(pattern: str) -> Iterator[Path]:
    return Path("/").glob(pattern.lstrip("/"))


def _connection(criteria: str, member_of: Callable[[str], str | None]) -> str:
    words = _words(criteria.replace("=", " "))
    asked = dict(_USUAL)
    if not words or len(words) % 2:
        return ""
    for name, value in zip(words[::2], words[1::2], strict=True):
        what = name.lower()
        if what == "group":
            sample = _sample("group", value, member_of)
            what = "user"
        elif what in _ASKED_BY:
            sample = _sample(what, value, member_of)
        else:
            return ""
        if not sample or "," in sample:
            return ""
        asked[_ASKED_BY[what]] = sample
    return ",".join(f"{name}={value}" for name, value in asked.items() if value)


def _sample(what: str, value: str, member_of: Callable[[str], str | None]) -> str:
    """Something that a list of patterns is for (ssh_config(5), PATTERNS); empty where none is found."""
    patterns = value.split(",")
    refused = [one[1:] for one in patterns if one.startswith("!")]
    for pattern in patterns:
        if pattern.startswith("!"):
            continue
        if what == "group":
            sample = member_of(pattern) or ""
            if refused:
                return ""  # what other groups somebody is in is not looked at
        elif "address" in what:
            sample = _address(pattern)
        else:
            sample = pattern.replace("*", "" if pattern.strip("*?") else _USUAL.get(_ASKED_BY[what], "x"))
            sample = sample.replace("?", "x")
        if sample and not any(_covers(one, sample) for one in refused):
            return sample
    return ""


def _covers(pattern: str, sample: str) -> bool:
    try:
        return ipaddress.ip_address(sample) in ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return fnmatchcase(sample, pattern)


def _address(pattern: str) -> str:
    if not pattern.strip("*"):
        return _USUAL["addr"]
    try:
        network = ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        parts = pattern.replace("*", "1").replace("?", "1").split(".")
        text = ".".join([*parts, "1", "1", "1"][: max(4, len(parts))])
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return ""
    return str(network[1] if network.num_addresses > 1 else network[0])


def _somebody_of(pattern: str) -> str | None:
    """Somebody who is in a group that the pattern names, by the machine's own database."""
    for group in grp.getgrall() if set(pattern) & {"*", "?"} else _named(pattern):
        if fnmatchcase(group.gr_name, pattern):
            members = [*group.gr_mem, *(one.pw_name for one in pwd.getpwall() if one.pw_gid == group.gr_gid)]
            if members:
                return members[0]
    return None


def _named(name: str) -> list[grp.struct_group]:
    try:
        return [grp.getgrnam(name)]
    except KeyError:
        return []


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return []
