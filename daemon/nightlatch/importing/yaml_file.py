"""Reads YAML from other systems, by the reader that makes nothing but plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from nightlatch.importing.found import SourceFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def mappings_in(text: str, source: Path, name: str = "") -> list[Mapping[str, object]] | None:
    """The mappings of the list that the file is, or that it has under `name`; None where it has no such list.

    Raises SourceFault. YAML's aliases are refused: a small file could stand for a huge one.
    """
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, Loader=yaml.SafeLoader)):
            raise SourceFault(f"{source} has YAML aliases, which no export has.")
        value = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        raise SourceFault(f"{source} is no YAML.") from None
    if name:
        value = value.get(name) if isinstance(value, dict) else None
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else None
