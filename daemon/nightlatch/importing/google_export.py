"""What the app Google Authenticator exports: ``otpauth-migration://offline?data=…``, one QR code a line.

``data`` is a protobuf message in base64. Google publishes no description of it; the fields are those that the
app's exports have, and that other apps read.
"""

from __future__ import annotations

import base64
import binascii
from collections import defaultdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from nightlatch.factor import ImportedSecret
from nightlatch.importing.found import (
    EVENT_BASED,
    NO_OWNER,
    Finding,
    Found,
    Skipped,
    SourceFault,
    read_text,
)

if TYPE_CHECKING:
    from pathlib import Path

    from google.protobuf.message import Message

_HASHES = {0: "SHA1", 1: "SHA1", 2: "SHA256", 3: "SHA512", 4: "MD5"}
_DIGITS = {0: 6, 1: 6, 2: 8}
_COUNTED = 1
_Field = descriptor_pb2.FieldDescriptorProto


def read(source: Path, _key: Path | None = None) -> list[Finding]:
    """Every line, of one export or of several; raises SourceFault, also where a QR code is missing."""
    payload = _payload_class()
    found: list[Finding] = []
    seen = defaultdict[tuple[int, int], set[int]](set)
    for number, line in enumerate(read_text(source).splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        message = _payload(payload, line.strip(), f"{source}, line {number}")
        seen[message.batch_id, message.batch_size or 1].add(message.batch_index)
        found += [_one(each) for each in message.otp_parameters]
    for (_, size), indexes in seen.items():
        if len(indexes) < size:
            raise SourceFault(
                f"{source} has {len(indexes)} of an export's {size} QR codes. Scan all of them, one a line."
            )
    return found


def _payload(payload: type[Message], line: str, where: str) -> Any:  # noqa: ANN401, its class is made when it runs
    data = parse_qs(urlsplit(line).query).get("data", [""])[0].replace(" ", "+")
    if not line.startswith("otpauth-migration://") or not data:
        raise SourceFault(f'{where}: this does not begin with "otpauth-migration://offline?data=".')
    try:
        return payload.FromString(base64.b64decode(data, validate=True))
    except (binascii.Error, DecodeError):
        raise SourceFault(f"{where}: this was cut off, or changed. Scan the QR code again.") from None


def _one(each: Any) -> Finding:  # noqa: ANN401, its class is made when it runs
    issuer, _, account = each.name.rpartition(":")
    owner, label = account.strip(), (each.issuer or issuer).strip()
    if each.type == _COUNTED:
        return Skipped(owner, label, EVENT_BASED)
    if not owner:
        return Skipped("?", label, NO_OWNER)
    hashed = _HASHES.get(each.algorithm, f"hash {each.algorithm}")
    return Found(owner, label, ImportedSecret(each.secret, hashed, _DIGITS.get(each.digits, 0), 30))


def _payload_class() -> type[Message]:
    """The message's class, made here: it is no part of the API."""
    file = descriptor_pb2.FileDescriptorProto(name="google_export.proto", package="export", syntax="proto3")
    one = file.message_type.add(name="One")
    kinds = (
        _Field.TYPE_BYTES,
        _Field.TYPE_STRING,
        _Field.TYPE_STRING,
        *[_Field.TYPE_INT32] * 3,
        _Field.TYPE_INT64,
    )
    names = ("secret", "name", "issuer", "algorithm", "digits", "type", "counter")
    for number, (name, kind) in enumerate(zip(names, kinds, strict=True), 1):
        one.field.add(name=name, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    whole = file.message_type.add(name="Payload")
    whole.field.add(
        name="otp_parameters",
        number=1,
        type=_Field.TYPE_MESSAGE,
        type_name=".export.One",
        label=_Field.LABEL_REPEATED,
    )
    for number, name in enumerate(("version", "batch_size", "batch_index", "batch_id"), 2):
        whole.field.add(name=name, number=number, type=_Field.TYPE_INT32, label=_Field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("export.Payload"))
