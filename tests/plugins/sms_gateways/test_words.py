"""The plugin as the daemon loads it, with its real words; and what is done to a text on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightlatch.channel import Delivery, DeliveryState, Medium, Message, NotSent
from nightlatch_sms_gateways import nightlatch_channels
from nightlatch_sms_gateways.smpp_receipts import receipt_in
from nightlatch_sms_gateways.smpp_text import encoded
from nightlatch_sms_gateways.wording import Private
from testbed import smsc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TO = "+14155550142"
KINDS = {plugin.kind: plugin for plugin in nightlatch_channels()}


def test_the_plugin_brings_three_kinds() -> None:
    """All of them take numbers."""
    assert set(KINDS) == {"twilio", "http_sms", "smpp"}
    assert {plugin.medium for plugin in KINDS.values()} == {Medium.PHONE}


async def test_a_built_channel_sends_the_real_words(secret_file: Callable[[str], Path]) -> None:
    """From the table to the phone: the shipped template, in one message."""
    async with smsc.smsc() as server:
        table = {
            "url": f"smpp://127.0.0.1:{server.port}",
            "system_id": "nl",
            "password_file": secret_file("pw"),
            "sender": "+14155550100",
        }
        channel = KINDS["smpp"].build(KINDS["smpp"].settings.model_validate(table))
        message = Message("login_code", {"code": "837465", "minutes": "5"})
        await channel.send(TO, message, 5)
        with pytest.raises(NotSent, match="there is no message") as caught:
            await channel.send(TO, Message("nonsense", {}), 5)
        assert caught.value.permanent
        await channel.close()
    assert b"837465" in server.submitted[0].short_message


@pytest.mark.parametrize(
    ("text", "alphabet", "coding", "octets"),
    [
        ("@£$¥\n", "gsm7", 0, b"\x00\x01\x02\x03\x0a"),
        ("[€]", "gsm7", 0, b"\x1b\x3c\x1b\x65\x1b\x3e"),
        ("§¿à", "gsm7", 0, b"\x5f\x60\x7f"),
        ("`", "gsm7", 8, b"\x00`"),
        ("ç", "gsm7", 8, b"\x00\xe7"),
        ("\x1b", "gsm7", 8, b"\x00\x1b"),
        ("ç", "latin1", 3, b"\xe7"),
        ("€", "latin1", 8, b"\x20\xac"),
        ("a", "ucs2", 8, b"\x00a"),
    ],
)
def test_alphabets(text: str, alphabet: object, coding: int, octets: bytes) -> None:
    """No letter is sent as another one: what an alphabet lacks goes out in UCS-2."""
    got = encoded(text, alphabet, 7)  # type: ignore[arg-type]  # the names are in the table above
    assert (got.data_coding, got.parts) == (coding, (octets,))


@given(st.text(alphabet="a€[😀é", min_size=1, max_size=400))
def test_parts_end_between_letters(text: str) -> None:
    """However long the text, each part fits, can be read alone, and nothing is lost."""
    got = encoded(text, "gsm7", 7)
    bodies = [part[6:] if got.has_header else part for part in got.parts]
    assert all(len(part) <= (160 if got.data_coding == 0 else 140) for part in got.parts)
    if got.data_coding == 8:
        assert "".join(body.decode("utf-16-be") for body in bodies) == text
    else:
        assert all(body[-1] != 0x1B for body in bodies)
        assert b"".join(bodies) == b"".join(encoded(letter, "gsm7", 0).parts[0] for letter in text)


@pytest.mark.parametrize(
    ("message_id", "state", "text", "expected"),
    [
        (b"m1\0", 2, b"", Delivery("m1", DeliveryState.DELIVERED)),
        (
            None,
            None,
            b"id:m1 sub:001 stat:EXPIRED err:044 text:id:x",
            Delivery("m1", DeliveryState.EXPIRED, "044"),
        ),
        (None, None, b"id:m1 stat:WHAT err:000", Delivery("m1", DeliveryState.UNKNOWN)),
        (b"m1", 99, b"stat:REJECTD", Delivery("m1", DeliveryState.REJECTED)),
        (None, None, b"hello", None),
        (b"a b", 2, b"", None),
        (b"\xff\xfe", 2, b"\xff", None),
    ],
)
def test_receipts(
    message_id: bytes | None, state: int | None, text: bytes, expected: Delivery | None
) -> None:
    """A receipt is read from its parameters or its text; one without an id is none."""
    assert receipt_in(message_id, state, text) == expected


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("to +1 (415) 555-0142 failed", "to •••42 failed"),
        ("to 4155550142, 0142", "to •••42, 0142"),
        ("+44 20 7946 0958 is no number", "••• is no number"),
        ("code 837 465!", "code •••!"),
        ("code 837-465", "code •••"),
        ("ABCD EFGH and abcd-efgh", "••• and •••"),
        ("error 502", "error 502"),
        ("a\r\nb\x1b[31m", "a b [31m"),
        ("t%2Fk+n", "•••"),
        ("x" * 500, "x" * 199 + "…"),
    ],
)
def test_a_provider_s_words_are_cleaned(said: str, left: str) -> None:
    """LEK-01: numbers, codes and credentials are taken out, however written; it is one short line."""
    assert Private(TO, ("837465", "ABCD-EFGH", "t/k n", "5")).clean(said) == left


@given(st.text(alphabet="837465+ -.%Aa", max_size=60))
def test_a_code_is_never_left(said: str) -> None:
    """Whatever stands around it, the code is taken out."""
    assert "837465" not in Private(TO, ("837465",)).clean(f"{said}837465{said}")
