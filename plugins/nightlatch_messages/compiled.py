"""Compiles a template once for all languages: their words differ, their program does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import BytecodeCache

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class CompiledOnce(BytecodeCache):
    """Holds compiled templates in memory while the environments of all languages are built."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give a template's program if the same text was compiled before."""
        held = self._held.get((bucket.key, bucket.checksum))
        if held is not None:
            bucket.bytecode_from_string(held)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template's program."""
        self._held[bucket.key, bucket.checksum] = bucket.bytecode_to_string()
