"""The words of the dialogue. What matters stands in prompts: OpenSSH shows nothing else in time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nightlatch.qr import half_blocks, module_pairs

if TYPE_CHECKING:
    from nightlatch.factor import Enrollment
    from nightlatch.policy.grace import Grace

COLUMNS = 80
MOST_BYTES = 11_500
"""Of what stands above a question: the PAM module shows 12 KiB in all."""
NEEDED = "Your account needs a second step."
ANEW = "You are in by an emergency code. Set up a new second step now? [Y/n] "
INVITE = f"{NEEDED} Type the invite that you got from your administrator: "
NO_INVITE = "That invite is not good. Ask your administrator for a new one."
WRONG_INVITE = "That invite was not right."
MEANWHILE = "A second step was set up for your account meanwhile. Sign in again with it."
NOTHING_STORED = "That code was not right, and nothing was set up. Sign in again for another try."
NO_ANSWER = "That can not be used."
TOO_MANY = "Your account can have no further credential. Ask your administrator to remove one."
_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_DIGITS = "0123456789"


def grace(left: Grace, *, can_enrol: bool) -> str:
    """Whether to set something up now; how long it can be put off."""
    times = "" if left.logins is None else f"{left.logins} more time{'' if left.logins == 1 else 's'}"
    end = "" if left.until is None else f"until {_time(left.until)}"
    both = " and ".join(filter(None, (times, end)))
    if can_enrol:
        return f"{NEEDED} Set it up now? You can put it off {both}. [Y/n] "
    return (
        f"{NEEDED} Ask your administrator to set one up for you. You can sign in without it {both}. "
        "Sign in without it now? [y/N] "
    )


def ways(titles: list[str], before: str = "") -> str:
    """Which factor to set up; an empty answer takes the first."""
    lines = [before] if before else []
    lines.append("How do you want to confirm your sign-ins from now on?")
    lines += [f"  {number}  {title}" for number, title in enumerate(titles, 1)]
    return "\n".join([*lines, "Number [1]: "])


def address(title: str, what: str, offered: list[str], before: str = "") -> str:
    """Where codes shall go: an address of the directory by its number, or one that is typed."""
    lines = [before] if before else []
    if not offered:
        return "\n".join([*lines, f"{title}: type {what} that codes shall go to: "])
    lines.append(f"{title}: where shall codes go?")
    lines += [f"  {number}  {one} (from your directory)" for number, one in enumerate(offered, 1)]
    return "\n".join([*lines, f"Number [1], or type {what}: "])


def shown(made: Enrollment) -> str:
    """What is shown once, above the question for the first code; empty where there is nothing."""
    listed = "".join(f"{line}\n" for line in _listed(made))
    if not made.qr_payload:
        return listed
    pairs = module_pairs(made.qr_payload, COLUMNS) or []
    code = "".join(f"{half_blocks(line)}\n" for line in pairs)
    if not code or len((code + listed).encode()) > MOST_BYTES:
        return f"Type this into an authenticator app (it is too long for a QR code here):\n{listed}"
    return f"Scan this with an authenticator app, or type it in:\n{code}{listed}"


def kept(title: str, made: Enrollment, *, listed: bool) -> str:
    """What is shown once and proven later, such as printed codes."""
    lines = [f"Done. One thing more, for when that is not at hand: {title}. Write it down now:"]
    if _is_a_series(made):
        count = len(made.details)
        number = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
        lines = [f"Done. Here are {number} {title.lower()}s; each works once. Write them down now:"]
    lines += _listed(made) if listed else []
    return "\n".join([*lines, "Press Enter when you have done so: "])


def _listed(made: Enrollment) -> list[str]:
    numbered = _is_a_series(made)
    names = [str(number) if numbered else name for number, (name, _) in enumerate(made.details, 1)]
    width = max(map(len, names), default=0)
    values = (value for _, value in made.details)
    pairs = zip(names, values, strict=True)
    return [f"  {name.rjust(width) if numbered else name.ljust(width)}  {value}" for name, value in pairs]


def _is_a_series(made: Enrollment) -> bool:
    """Whether the names say no more than a number does: "code 1", "code 2"."""
    names = [name for name, _ in made.details]
    return len(names) > 1 and len({name.rstrip(_DIGITS) for name in names}) == 1


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
