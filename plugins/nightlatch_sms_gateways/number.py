"""Telephone numbers, as every gateway gets them.

MUST 1: nothing but E.164 reaches a gateway: a plus sign and 7 to 15 ASCII digits (OOB-05).
"""

from __future__ import annotations

import re

from nightlatch.channel import NotSent

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def checked_number(address: str) -> str:
    """`address`, when it is a number in E.164 (ITU-T E.164, section 6); raises NotSent."""
    if _E164.fullmatch(address) is None:
        raise NotSent("this is no number in E.164, such as +14155550100", permanent=True)
    return address


def masked(address: str) -> str:
    """A number for people and logs: nothing of it but the last two digits."""
    return f"•••{address[-2:]}"
