"""Whether a plugin's code can be changed by others, asked before it is imported.

MUST 1: nothing of the package is executed here.
MUST 2: a package counts with everything in it, and with the folder that holds it: who may write there
        may put another package in its place.
"""

from __future__ import annotations

import importlib.util
import stat
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

_GROUP_OR_OTHERS = stat.S_IWGRP | stat.S_IWOTH


def find_code(module: str) -> tuple[Path, ...]:
    """Folders and files that hold the top-level package of `module`; empty when it can not be found."""
    try:
        spec = importlib.util.find_spec(module.partition(".")[0])
    except ValueError:  # a module that was put into sys.modules by hand
        return ()
    return _places(spec) if spec is not None else ()


def writable_by_others(places: tuple[Path, ...]) -> tuple[Path, ...]:
    """Everything below `places`, and their own folders, that group or others may write."""
    found = []
    for place in places:
        inside = sorted(place.rglob("*")) if place.is_dir() else []
        found += [path for path in (place.parent, place, *inside) if path.stat().st_mode & _GROUP_OR_OTHERS]
    return tuple(dict.fromkeys(found))


def _places(spec: ModuleSpec) -> tuple[Path, ...]:
    if spec.submodule_search_locations is not None:
        return tuple(Path(location) for location in spec.submodule_search_locations)
    return (Path(spec.origin),) if spec.has_location and spec.origin is not None else ()
