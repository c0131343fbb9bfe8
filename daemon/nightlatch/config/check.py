"""Checks a configuration with everything it names, offline: settings, plugins, files and folders."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter, ValidationError

from nightlatch.config.files import FileChecker
from nightlatch.config.load import as_json, parse, read
from nightlatch.config.problem import Problem, in_the_file
from nightlatch.config.schema import Config, DaemonSettings, StoreSettings
from nightlatch.directories.settings import DirectorySettings
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nightlatch.config.locate import Place

KEY_NAME = "master.key"
"""The key's name in `daemon.state_dir`, where no `store.key_file` is set."""

_TABLES = ("daemon", "listeners", "store", "plugins")


def check_config(path: Path) -> tuple[str, ...]:
    """Every problem of a configuration, each as text with its place and what to do; none when it is right."""
    try:
        source = read(path)
    except ConfigError as error:
        return error.problems
    _, problems = parse(source)
    parts = _right_parts(source.data)
    found = [*problems, *_plugins(parts, source.data), *_files(parts)]
    return in_the_file(path, source.lines, found)


def _right_parts(data: dict[str, object]) -> dict[Place, BaseModel]:
    """The tables that are right by themselves, so that a wrong one does not hide what the others name."""
    candidates: list[tuple[Place, object, object]] = [
        ((name,), Config.model_fields[name].annotation, data.get(name, {})) for name in _TABLES
    ]
    directories = data.get("directories")
    for index, table in enumerate(directories if isinstance(directories, list) else []):
        candidates.append((("directories", index), DirectorySettings, table))
    parts: dict[Place, BaseModel] = {}
    for place, model, table in candidates:
        with suppress(ValidationError):
            parts[place] = TypeAdapter[BaseModel](model).validate_json(as_json(table), strict=True)
    return parts


def _files(parts: dict[Place, BaseModel]) -> Iterator[Problem]:
    checker = FileChecker(_owners(parts))
    for place, table in parts.items():
        for inner, value in _paths(place, table):
            check = _check_of(inner, checker)
            wrong = check(value) if check else ""
            if wrong:
                yield Problem(inner, wrong)
    yield from _own_key(parts, checker)


def _paths(place: Place, table: BaseModel) -> Iterator[tuple[Place, Path]]:
    """All paths in a table and in the tables below it."""
    for name, value in table:
        if isinstance(value, BaseModel):
            yield from _paths((*place, name), value)
        elif isinstance(value, Path):
            yield (*place, name), value


def _check_of(place: Place, checker: FileChecker) -> Callable[[Path], str] | None:
    """What a path's setting says about the path. Settings that several tables may have end alike."""
    name = str(place[-1])
    if name.endswith("password_file"):
        return checker.secret
    if name.endswith("ca_file"):
        return checker.certificates
    if name == "key_file":
        return checker.key
    if name.endswith("_dir"):
        return checker.folder
    return checker.folder_of if place[0] == "listeners" else None


def _own_key(parts: dict[Place, BaseModel], checker: FileChecker) -> Iterator[Problem]:
    """The key that the daemon keeps itself, where no other is set."""
    store, daemon = parts.get(("store",)), parts.get(("daemon",))
    if not (isinstance(store, StoreSettings) and isinstance(daemon, DaemonSettings)) or store.key_file:
        return
    path = daemon.state_dir / KEY_NAME
    place: Place = ("store", "key_file")
    if path.is_symlink() or path.exists():
        wrong = checker.key(path)
        if wrong:
            yield Problem(place, wrong)
    elif store.url != "sqlite":
        yield Problem(
            place,
            "daemons that share a store share its key, so none is made by itself.\n"
            "Make one with: nightlatch key create FILE, bring it to every host, and name it here.",
        )


def _owners(parts: dict[Place, BaseModel]) -> frozenset[int]:
    """Root, the caller, and the daemon's user, to whom the state belongs."""
    owners = {0, os.geteuid()}
    daemon = parts.get(("daemon",))
    if isinstance(daemon, DaemonSettings):
        with suppress(OSError):
            owners.add(daemon.state_dir.stat().st_uid)
    return frozenset(owners)
