"""What can be a password."""

from __future__ import annotations

import pytest

from nightlatch.directories.passwords import password_bytes
from nightlatch.errors import Refused
from nightlatch.model import Secret


@pytest.mark.parametrize("text", ["x", " ", "\u00ad", "ü" * 512, "🔑" * 64, "🔑" * 256, "x" * 1024, "a\nb"])
def test_passes_unchanged(text: str) -> None:
    """PPW-02: text of any kind passes as it is, 64 characters and more."""
    assert password_bytes(Secret(text)) == text.encode()


@pytest.mark.parametrize("text", ["", "\x00", "a\x00b", "\ud800", "x" * 1025, "🔑" * 257, "x" * 2**20])
def test_refused_without_being_told(text: str) -> None:
    """PPW-02: empty, NUL, no text and overlong are refused, and the refusal does not repeat them."""
    with pytest.raises(Refused) as refused:
        password_bytes(Secret(text))
    assert len(refused.value.reason) < 40
    assert not text or text not in refused.value.reason
