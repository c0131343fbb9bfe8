"""The words that people read. No word tells more than the person may know at that point."""

from __future__ import annotations

from datetime import UTC, datetime

PASSWORD_PROMPT = "Password: "  # noqa: S105, a prompt, not a password
REFUSED = "Sign-in refused."
WRONG_CODE = "That code was not right."
NO_SUCH_NUMBER = "That is not one of the numbers."
NOT_SENT = "The message could not be sent just now."
ENROL_ANEW = "You are in by an emergency code. Set up a new second step now, or ask your administrator to."
PENDING = "Waiting for your confirmation…"
PROVE_FIRST = (
    "Signing in here needs a second step that you have not set up yet. Confirm first that it is you.\n"
)
NO_CREDENTIAL = (
    "Your account needs a second step, and none is set up yet. Ask your administrator to set one up for you."
)


def unavailable(reference: str) -> str:
    """An outage: not the person's fault, with the reference that the log has too."""
    return f"Sign-in is not possible at the moment. Nothing is wrong with your password. (ref {reference})"


def own_name(name: str) -> str:
    """The first factor was right, but another name of the person was typed than this one."""
    return f'Sign in as "{name}", please.'


def locked(retry_after: float) -> str:
    """A pause, or a lock that only an administrator ends (`retry_after` 0). The same for right and wrong."""
    if retry_after <= 0:
        return "Too many attempts. Ask your administrator to unlock your account."
    return f"Too many attempts. Try again in {duration(retry_after)}, or ask your administrator."


def too_many_messages(retry_after: float) -> str:
    """Nothing was sent, and there is no other way to sign in."""
    return f"Too many messages were sent. Try again in {duration(retry_after)}."


def another_message(retry_after: float) -> str:
    """Nothing was sent; before the list of other ways."""
    return f"Too many messages were sent; another one can be sent in {duration(retry_after)}."


def duration(seconds: float) -> str:
    """`seconds` for people, rounded up: "45 seconds", "2 minutes", "1 hour"."""
    whole = max(1, int(-(-seconds // 1)))
    for size, unit in ((3600, "hour"), (60, "minute")):
        if whole >= size:
            count = -(-whole // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{whole} second{'s' if whole > 1 else ''}"


def time(seconds: float) -> str:
    """A Unix time for people, rounded up to the minute: "2026-03-01 14:02 UTC"."""
    return datetime.fromtimestamp(-(-seconds // 60) * 60, UTC).strftime("%Y-%m-%d %H:%M UTC")


def on_hold(label: str, until: float, *, others: bool) -> str:
    """Why something added after a rescue is not asked for; `others`: whether an older one is, instead."""
    remedy = "Use an older one" if others else "Wait until then"
    return (
        f'"{label}" was added after a recovery code or an emergency code was used. Until {time(until)} it '
        f"signs you in, but changes nothing. {remedy}, or ask your administrator."
    )


def replaces_nothing(until: float) -> str:
    """Something new would take the place of what the person signs in with, after a rescue."""
    return (
        "A recovery code or an emergency code was used. What is added now takes the place of nothing before "
        f"{time(until)}. Wait until then, or ask your administrator."
    )


def named(prompt: str, label: str) -> str:
    """A factor's words with the credential's name behind them, where it has one to be told by."""
    return f'{prompt} "{label}"' if label else prompt


def question(prompt: str, label: str, *, others: bool) -> str:
    """A factor's question with the credential's name: 'Code from your authenticator app "phone": '."""
    way_out = " (or ? for another way)" if others else ""
    return f"{named(prompt, label)}{way_out}: "


def choices(titles: list[str], default: int, before: str = "") -> str:
    """The list of ways to confirm; an empty answer takes number `default`."""
    lines = [before] if before else []
    lines.append("How do you want to confirm it is you?")
    lines += [f"  {number}  {title}" for number, title in enumerate(titles, 1)]
    lines.append(f"Number [{default}]: ")
    return "\n".join(lines)


def last_resort(label: str) -> str:
    """Before a message to somebody who has nothing else at hand."""
    return (
        f"We can send an emergency code to your security email {label}. You will set up a new second step "
        "afterwards, and every other address of yours is told. Send it? [y/N] "
    )
