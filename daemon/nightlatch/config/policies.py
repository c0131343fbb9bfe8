"""The table ``[[policies]]``: who must show what.

MUST 1: a rule can make a login stricter, or let a device be trusted; none can leave the second factor out.
MUST 2: an empty list is an error: it would say nothing and look like everything.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

MOST_DAYS = 3650

Word = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]{1,64}$")]


class PolicyMatch(BaseModel):
    """Which logins a rule concerns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    services: tuple[Word, ...] | None = Field(
        None,
        min_length=1,
        description='The PAM services or applications, such as "sshd"; where it is not set, all of them.',
    )


class PolicySettings(BaseModel):
    """One rule. All that match a login apply, and the strictest wins; their order means nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Word = Field(description="The rule's name, for explanations and the audit.")
    match: PolicyMatch = Field(
        PolicyMatch(), description="Which logins it concerns; where it is not set, all of them."
    )
    second_factor: Literal["required"] = Field("required", description="What a login must show.")
    factors: tuple[Word, ...] | None = Field(
        None, min_length=1, description="The factors that count; where it is not set, all that are enabled."
    )
    trusted_device_days: int = Field(
        0, ge=0, le=MOST_DAYS, description="For how many days a device may be trusted; 0 for not at all."
    )
