"""Telephone numbers that a code may be sent to.

MUST 1: what leaves `read` is E.164, of a region on the list, and of a kind that takes text messages. Others
        are refused, and with them what costs extra: premium rate, shared cost, personal numbers (OOB-05).
MUST 2: only ASCII digits are digits, and nothing but digits and the usual separators passes: no letters, no
        extension, no line break.
"""

from __future__ import annotations

import re

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, PhoneNumberType

_TYPED = re.compile(r"\+?[0-9(][0-9 ()./-]{2,30}")
_TAKES_TEXTS = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE})
"""In North America fixed and mobile numbers look alike."""
_SHOWN = 2


def read(typed: str, countries: tuple[str, ...], default_region: str | None) -> str:
    """The number in E.164 ("+14155550100"); raises ValueError with words for the person."""
    text = typed.strip(" ")
    if not text:
        raise ValueError("Give the mobile number that codes shall go to, with its country code: +…")
    if _TYPED.fullmatch(text) is None:
        raise ValueError("A number is written with digits, blanks and dashes, such as +1 415 555 0100.")
    try:
        number = phonenumbers.parse(text, default_region)
    except NumberParseException:
        raise ValueError("That is no telephone number. Write it with its country code: +…") from None
    if not phonenumbers.is_possible_number(number) or not phonenumbers.is_valid_number(number):
        raise ValueError("There is no such telephone number. Look at its length and its country code.")
    if phonenumbers.region_code_for_number(number) not in countries:
        raise ValueError("No text messages are sent to numbers of that country here. Ask your administrator.")
    if phonenumbers.number_type(number) not in _TAKES_TEXTS:
        raise ValueError("That number can not get codes by text message. Give a mobile number.")
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def masked(number: str) -> str:
    """What a person needs to know which number it is: "•••• 42"."""
    return f"•••• {number[-_SHOWN:]}"
