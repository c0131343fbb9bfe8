"""What fits into one text message: 160 characters of GSM 03.38, or 70 of anything else (3GPP TS 23.038)."""

from __future__ import annotations

ONE_MESSAGE = 160
ONE_WIDE_MESSAGE = 70

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Characters that take the room of two."""


def is_gsm7(text: str) -> bool:
    """Whether every character of `text` is in GSM's alphabet."""
    return all(char in _BASIC or char in _EXTENDED for char in text)


def room_left(text: str) -> int:
    """How many characters one message has room for after `text`; negative when it is too long."""
    if is_gsm7(text):
        return ONE_MESSAGE - len(text) - sum(char in _EXTENDED for char in text)
    return ONE_WIDE_MESSAGE - len(text.encode("utf-16-le")) // 2


def cut(text: str) -> str:
    """As much of `text` as one message holds, from its beginning, where the code stands."""
    while room_left(text) < 0:
        text = text[:-1]
    return text
