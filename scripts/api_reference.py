#!/usr/bin/env python3
"""Writes docs/api.md, the reference of the API, from the comments in proto/. A test holds the page to them.

scripts/api_reference.py            writes the page
scripts/api_reference.py --check    says whether it is as it should be; exit code 1 where not
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from grpc_tools import protoc

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
FIRST = ("verification", "login", "keys")
"""What applications read most; the other files follow by name."""
HEAD = """# API reference

Written by `scripts/api_reference.py` from [proto/](../proto/nightlatch/v1/); change the comments there.
[Applications](applications.md) says how to call it, and what the status codes mean.

"""
# Numbers of the fields in descriptor.proto, as source_code_info counts places.
MESSAGE, ENUM, SERVICE = 4, 5, 6
FIELD_OF_MESSAGE, VALUE_OF_ENUM, METHOD_OF_SERVICE, ONEOF_OF_MESSAGE = 2, 2, 2, 8
_SCALAR = {number: name.removeprefix("TYPE_").lower() for name, number in FieldDescriptorProto.Type.items()}

Comments = dict[tuple[int, ...], str]


def descriptors() -> FileDescriptorSet:
    """What protoc makes of the protos, with their comments; raises RuntimeError when it refuses."""
    protos = sorted(str(path) for path in (ROOT / "proto").rglob("*.proto"))
    with tempfile.NamedTemporaryFile(suffix=".binpb") as made:
        arguments = [
            "protoc",
            f"--proto_path={ROOT / 'proto'}",
            f"--proto_path={files('grpc_tools') / '_proto'}",
            "--include_source_info",
            f"--descriptor_set_out={made.name}",
            *protos,
        ]
        if protoc.main(arguments) != 0:
            raise RuntimeError("protoc does not take proto/: see its message above")
        return FileDescriptorSet.FromString(Path(made.name).read_bytes())


def reference() -> str:
    """The whole page."""
    found = {Path(file.name).stem: file for file in descriptors().file}
    order = [*FIRST, *sorted(set(found) - set(FIRST))]
    contents = "".join(
        f"- [{service.name}](#{service.name.lower()}): {name}.proto\n"
        for name in order
        for service in found[name].service
    )
    return HEAD + contents + "".join(part for name in order for part in _file(found[name])).rstrip() + "\n"


def _file(file: FileDescriptorProto) -> Iterator[str]:
    comments = {tuple(place.path): _prose(place.leading_comments) for place in file.source_code_info.location}
    for number, service in enumerate(file.service):
        yield from _service(service, (SERVICE, number), comments)
    for number, message in enumerate(file.message_type):
        yield from _message(message, (MESSAGE, number), comments)
    for number, enum in enumerate(file.enum_type):
        yield from _enum(enum, (ENUM, number), comments)


def _service(service: ServiceDescriptorProto, place: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield f"\n## {service.name}\n\n{comments.get(place, '')}\n\n"
    yield "| method | request | answer | |\n|---|---|---|---|\n"
    for number, method in enumerate(service.method):
        words = _cell(comments.get((*place, METHOD_OF_SERVICE, number), ""))
        streamed = "stream of " if method.server_streaming else ""
        answer = f"{streamed}{_link(method.output_type)}"
        yield f"| `{method.name}` | {_link(method.input_type)} | {answer} | {words} |\n"


def _message(message: DescriptorProto, place: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield f"\n### {message.name}\n\n{comments.get(place, '')}\n"
    if message.field:
        yield "\n| field | type | |\n|---|---|---|\n"
    for number, field in enumerate(message.field):
        words = _cell(comments.get((*place, FIELD_OF_MESSAGE, number), ""))
        one_of = ""
        if field.HasField("oneof_index") and not field.proto3_optional:
            one_of = f"one of `{message.oneof_decl[field.oneof_index].name}`: "
        yield f"| `{field.name}` = {field.number} | {one_of}{_type(field)} | {words} |\n"


def _enum(enum: EnumDescriptorProto, place: tuple[int, ...], comments: Comments) -> Iterator[str]:
    yield f"\n### {enum.name}\n\n{comments.get(place, '')}\n\n| value | |\n|---|---|\n"
    for number, value in enumerate(enum.value):
        words = _cell(comments.get((*place, VALUE_OF_ENUM, number), ""))
        yield f"| `{value.name}` = {value.number} | {words} |\n"


def _type(field: FieldDescriptorProto) -> str:
    name = _link(field.type_name) if field.type_name else _SCALAR[field.type]
    if field.label == FieldDescriptorProto.LABEL_REPEATED:
        return f"repeated {name}"
    return f"optional {name}" if field.proto3_optional else name


def _link(name: str) -> str:
    short = name.rpartition(".")[2]
    return f"[{short}](#{short.lower()})" if name.startswith(".nightlatch.v1.") else name.removeprefix(".")


def _prose(comment: str) -> str:
    return "\n".join(line.removeprefix(" ") for line in comment.strip("\n").splitlines()).strip()


def _cell(words: str) -> str:
    return " ".join(words.split()).replace("|", "\\|")


def main() -> int:
    """Write or check; the exit code."""
    parser = argparse.ArgumentParser(description="Writes docs/api.md from the comments in proto/.")
    parser.add_argument("--check", action="store_true", help="write nothing; say whether the page is right")
    wanted = reference()
    if not parser.parse_args().check:
        PAGE.write_text(wanted)
        return 0
    if PAGE.exists() and PAGE.read_text() == wanted:
        return 0
    print("docs/api.md does not fit proto/: run scripts/api_reference.py", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
