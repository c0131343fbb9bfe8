"""The tables ``[policy]`` and ``[[policies]]``: who must show what.

MUST 1: a list that is empty, or says only whom it leaves out, is an error: it would look like a rule.
MUST 2: what leaves the second factor out says so (`exemption`), says why, and says for whom.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

MOST_DAYS = 3650
MOST_LOGINS = 1000
NOT = "!"
"""In front of what a list leaves out."""
_WINDOW = re.compile(
    r"((?:mon|tue|wed|thu|fri|sat|sun)(?:-(?:mon|tue|wed|thu|fri|sat|sun))?|daily) "
    r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)"
)

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]
GroupName = Annotated[str, StringConstraints(pattern=r"^[^!\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,1023}$")]
Entry = Annotated[str, StringConstraints(pattern=r"^!?[^!\x00-\x1f\x7f][^\x00-\x1f\x7f]{0,1023}$")]


def _says_whom(entries: tuple[str, ...]) -> tuple[str, ...]:
    if not entries:
        raise ValueError("the list is empty, so the rule would concern nobody.\nRemove it, or name someone.")
    if all(entry.startswith(NOT) for entry in entries):
        raise ValueError(
            "the list only says whom the rule leaves out.\n"
            "Say whom it concerns; everybody else is left out anyway."
        )
    return entries


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text.removeprefix(NOT))
    except ValueError as error:
        raise ValueError(f"{error}.\nWrite a network such as 192.0.2.0/24 or 2001:db8::/32.") from None
    return text


def _window(text: str) -> str:
    if not _WINDOW.fullmatch(text):
        raise ValueError(
            f'"{text}" is no time of the week.\nWrite "mon-fri 08:00-18:00" or "daily 22:00-06:00".'
        )
    return text


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'there is no time zone "{name}".\nWrite one of IANA\'s, such as "Europe/Berlin".'
        ) from None
    return name


Entries = Annotated[tuple[Entry, ...], AfterValidator(_says_whom)]
NetworkEntries = Annotated[tuple[Annotated[str, AfterValidator(_network)], ...], AfterValidator(_says_whom)]
Times = Annotated[tuple[Annotated[str, AfterValidator(_window)], ...], Field(min_length=1)]
_LEAVING_OUT = 'an entry with "!" in front is left out'


class PolicyScopes(BaseModel):
    """What the scope words of rules mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    administrators: Annotated[tuple[GroupName, ...], Field(max_length=64)] = Field(
        (), description='The groups that `scope = "administrators"` means, by DN or short name.'
    )


class PolicyMatch(BaseModel):
    """Which logins a rule concerns: one of users, groups and scope, and all of the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    scope: Literal["administrators", "everyone"] | None = Field(
        None, description='"administrators" for the groups in `policy.administrators`, or "everyone".'
    )
    users: Entries | None = Field(
        None, description=f"People, by their own name in the directory; {_LEAVING_OUT}."
    )
    groups: Entries | None = Field(
        None,
        description=f"Members of these groups, nested ones included, by DN or short name; {_LEAVING_OUT}.",
    )
    directories: Entries | None = Field(None, description=f"People of these directories; {_LEAVING_OUT}.")
    services: Entries | None = Field(
        None,
        description='The PAM services or applications, such as "sshd"; where it is not set, all of them; '
        f"{_LEAVING_OUT}.",
    )
    clients: Entries | None = Field(
        None,
        description=f'The callers: "pam", or names of applications from `clients`; {_LEAVING_OUT}.',
    )
    networks: NetworkEntries | None = Field(
        None, description=f"Where the login comes from, such as 192.0.2.0/24; {_LEAVING_OUT}."
    )
    times: Times | None = Field(
        None, description='Times of the week, such as "mon-fri 08:00-18:00", "daily 22:00-06:00".'
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC", description="The time zone of `times`, by IANA's name."
    )


class PolicySettings(BaseModel):
    """One rule. All that match a login apply, and the strictest wins; their order means nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Word = Field(description="The rule's name, for explanations and the audit.")
    match: PolicyMatch = Field(
        PolicyMatch(), description="Which logins it concerns; where it is not set, all of them."
    )
    second_factor: Literal["required", "observe", "skip"] = Field(
        "required",
        description='"required"; "observe" to ask for none and record what would be refused; or "skip" '
        "for an exemption.",
    )
    exemption: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")] | None = Field(
        None, description='With "skip", and only there: why. It is in the audit each time it is used.'
    )
    lifts: Annotated[tuple[Word, ...], Field(min_length=1)] | None = Field(
        None,
        description='With "skip": the rules that do not apply to whom this one exempts. Every other rule '
        "that matches still demands what it demands.",
    )
    factors: Annotated[tuple[Word, ...], Field(min_length=1)] | None = Field(
        None, description="The factors that count; where it is not set, all that are enabled."
    )
    trusted_device_days: int = Field(
        0, ge=0, le=MOST_DAYS, description="For how many days a device may be trusted; 0 for not at all."
    )
    enrollment: Literal["self", "invite", "closed"] = Field(
        "closed",
        description='How a person without a credential comes to one: "self" at the next login, behind the '
        'password alone; "invite" at the next login, with an invite; "closed" by an administrator.',
    )
    grace_days: int = Field(
        0,
        ge=0,
        le=MOST_DAYS,
        description="For how many days, from the first on, a person without a credential may put it off.",
    )
    grace_logins: int = Field(
        0,
        ge=0,
        le=MOST_LOGINS,
        description="The same in logins; with both, what ends first.",
    )

    @model_validator(mode="after")
    def _exemption_says_so(self) -> Self:
        """Refuse exemptions that do not say so, or exempt everybody (POL-02)."""
        if self.second_factor != "skip":
            if self.exemption is not None or self.lifts is not None:
                raise ValueError(
                    'exemption and lifts belong to second_factor = "skip".\nRemove them, or set that.'
                )
            return self
        if self.exemption is None:
            raise ValueError('a rule that skips the second factor says why.\nAdd exemption = "the reason".')
        match = self.match
        narrow = (match.users, match.groups, match.services, match.clients, match.networks)
        if match.scope == "everyone" or not any(narrow):
            raise ValueError(
                "this would exempt everybody.\nName users, groups, services, clients or networks in match."
            )
        demands = {"factors", "trusted_device_days", "enrollment", "grace_days", "grace_logins"}
        useless = sorted(demands & self.model_fields_set)
        if useless:
            raise ValueError(f"{useless[0]} says nothing where no second factor is asked for.\nRemove it.")
        return self
