"""The PAM services that ask nightlatch, and whether anybody can get past it.

A line is judged with all lines before it: `sufficient`, `done` and jumps are ways around. What is included is
read in its place; a `substack` ends by itself, and so hides nothing that comes after it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.doctor.finding import fail, ok, warn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nightlatch.doctor.finding import Finding

MODULE = "pam_nightlatch.so"
PAM_DIR = Path("/etc/pam.d")
_DEEPEST = 16
_HARMLESS = frozenset({"pam_rootok.so"})
"""Modules that may go past: root needs nobody's word to become somebody (su)."""
_USE = 'Use "requisite" or "required".'
_ACTION = re.compile(r"(\w+)=(\w+)")
_JUMP = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of an auth stack, in the order in which libpam goes through them."""

    file: str
    number: int
    control: str
    module: str
    inside: tuple[str, ...]
    """The substacks that it is in, outermost first."""

    @property
    def place(self) -> str:
        """Where it is, for the report."""
        return f"{self.file} line {self.number}"

    def action(self, result: str) -> str:
        """What libpam does on a result."""
        if not self.control.startswith("["):
            return _WORDS.get(self.control, {}).get(result, "bad")
        actions = dict(_ACTION.findall(self.control.lower()))
        return str(actions.get(result, actions.get("default", "bad")))


_WORDS = {
    "required": {"success": "ok"},
    "requisite": {"success": "ok"},
    "sufficient": {"success": "done", "auth_err": "ignore", "authinfo_unavail": "ignore"},
    "optional": {"success": "ok", "auth_err": "ignore", "authinfo_unavail": "ignore"},
}


def stacks(folder: Path, modules: tuple[Path, ...]) -> list[Finding]:
    """Every service that asks nightlatch; `modules` are the folders that libpam has its modules in."""
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        return [warn("pam", f"{folder} can not be read: {error.strerror}", "Run this as root.")]
    found: list[Finding] = []
    for file in files:
        rules = list(auth_rules(file, folder))
        if any(_asks(rule) for rule in rules):
            found += judged(file.name, rules, modules)
    missing = "Put pam_nightlatch.so into the services that shall ask for a second step: man pam_nightlatch"
    return found or [warn("pam", f"no service in {folder} asks nightlatch", missing)]


def asks(service: str, folder: Path) -> bool:
    """Whether a service asks nightlatch."""
    return any(_asks(rule) for rule in auth_rules(folder / service, folder))


def judged(service: str, rules: list[Rule], modules: tuple[Path, ...]) -> list[Finding]:
    """What is wrong with one service."""
    part = f"pam {service}"
    found: list[Finding] = []
    for index, rule in enumerate(rules):
        if _asks(rule):
            found += _itself(part, rule, modules)
            found += [_past(part, one) for one in _ways_past(rules, index)]
    return found or [ok(part, "nobody gets past the second step")]


def _asks(rule: Rule) -> bool:
    return rule.module.rpartition("/")[2] == MODULE


def _itself(part: str, rule: Rule, modules: tuple[Path, ...]) -> Iterator[Finding]:
    refused, away = rule.action("auth_err"), rule.action("authinfo_unavail")
    if refused not in {"bad", "die"}:
        text = f'{rule.place}: "{rule.control}" lets people go on who were refused'
        yield fail(part, text, _USE)
    elif away not in {"bad", "die"}:
        text = f'{rule.place}: "{rule.control}" opens the door when the daemon is away'
        yield warn(part, text, f"If that is not meant: {_USE[0].lower()}{_USE[1:]}")
    module = Path(rule.module)
    candidates = [module] if module.is_absolute() else [folder / module for folder in modules]
    if not any(path.is_file() for path in candidates):
        text = f"{rule.place}: {rule.module} is nowhere in {', '.join(map(str, modules))}: nobody gets in"
        yield fail(part, text, "Install nightlatch's PAM module, or take the line out.")


def _ways_past(rules: list[Rule], own: int) -> Iterator[Rule]:
    """The lines before nightlatch's whose success ends the stack, or jumps over it."""
    for index, rule in enumerate(rules[:own]):
        if (
            rule.module.rpartition("/")[2] in _HARMLESS
            or rules[own].inside[: len(rule.inside)] != rule.inside
        ):
            continue
        action = rule.action("success")
        if action == "done" or (_JUMP.fullmatch(action) and index + int(action) >= own):
            yield rule


def _past(part: str, rule: Rule) -> Finding:
    module = rule.module.rpartition("/")[2]
    return fail(part, f'{rule.place}: "{rule.control} {module}" before it skips the second step', _USE)


def auth_rules(
    file: Path, folder: Path, above: tuple[Path, ...] = (), inside: tuple[str, ...] = ()
) -> Iterator[Rule]:
    """The auth lines of a file and of what it includes; what can not be read has none."""
    if file in above or len(above) >= _DEEPEST:
        return
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return
    for number, line in _lines(text):
        kind, _, rest = line.partition(" ")
        control, _, target = _control(rest.strip())
        if kind == "@include":
            yield from auth_rules(folder / rest.strip(), folder, (*above, file), inside)
        elif kind.removeprefix("-").lower() != "auth":
            continue
        elif control == "include":
            yield from auth_rules(folder / target, folder, (*above, file), inside)
        elif control == "substack":
            deeper = (*inside, f"{file.name}:{number}")
            yield from auth_rules(folder / target, folder, (*above, file), deeper)
        else:
            yield Rule(file.name, number, control, target.split(" ")[0], inside)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers, without comments; a backslash at the end goes on (pam.d(5))."""
    whole, begun = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].rstrip()
        begun = begun or number
        if line.endswith("\\"):
            whole += f"{line[:-1]} "
            continue
        words = " ".join(f"{whole}{line}".split())
        if words:
            yield begun, words
        whole, begun = "", 0


def _control(rest: str) -> tuple[str, str, str]:
    if rest.startswith("["):
        control, end, target = rest.partition("]")
        return f"{control}{end}", " ", target.strip()
    control, blank, target = rest.partition(" ")
    return control.lower(), blank, target.strip()
