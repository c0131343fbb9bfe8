"""Checks a configuration with everything it names, offline: settings, plugins, files and folders."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.config.applications import client_problems
from nightlatch.config.explain import KIND, kinds_of, models_in
from nightlatch.config.files import FileChecker
from nightlatch.config.load import parse, read
from nightlatch.config.locate import place_of, value_at
from nightlatch.config.problem import Problem, in_the_file
from nightlatch.config.roles import role_problems
from nightlatch.config.rule_checks import rule_problems
from nightlatch.config.schema import Config, DaemonSettings
from nightlatch.config.telemetry import telemetry_problems
from nightlatch.directories.settings import DirectorySettings
from nightlatch.errors import ConfigError, SettingsProblems
from nightlatch.plugins.loader import load_plugins
from nightlatch.rpc.trust import TlsFiles, open_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from nightlatch.config.locate import Place

KEY_NAME = "master.key"
"""The key's name in `daemon.state_dir`, where no `store.key_file` is set."""


def check_config(path: Path, passed: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Every problem of a configuration, each as text with its place and what to do; none when it is right.

    `passed` names the listeners whose sockets are open already: where they are is not the daemon's concern.
    """
    try:
        source = read(path)
    except ConfigError as error:
        return error.problems
    _, problems = parse(source)
    wrong = {problem.place for problem in problems}
    found = [*_plugins(source.data), *client_problems(source.data), *_files(source.data, passed)]
    found += [*rule_problems(source.data), *telemetry_problems(source.data), *role_problems(source.data)]
    wrong_files = wrong | {problem.place for problem in found}
    found += _tls(source.data, wrong_files)
    return in_the_file(
        path, source.lines, (*problems, *(problem for problem in found if problem.place not in wrong))
    )


def _plugins(data: dict[str, object]) -> Iterator[Problem]:
    """What the plugins say about their names and their tables, wherever these can be read."""
    enabled = value_at(("plugins", "enabled"), data)
    factors, channels = data.get("factors", {}), data.get("channels", {})
    if not (isinstance(enabled, list) and isinstance(factors, dict) and isinstance(channels, dict)):
        return
    names = [name for name in enabled if isinstance(name, str)]
    try:
        plugins = load_plugins(names, _tables(factors), _tables(channels))
        yield from _policies(data.get("policies"), sorted(plugins.factors))
    except SettingsProblems as error:
        yield from (Problem(place_of(place), message) for place, message in error.located)


def _policies(policies: object, known: list[str]) -> Iterator[Problem]:
    """Rules that name factors which no plugin brings."""
    for index, rule in enumerate(policies if isinstance(policies, list) else ()):
        factors = rule.get("factors") if isinstance(rule, dict) else None
        for place, factor in enumerate(factors if isinstance(factors, list) else ()):
            if factor not in known:
                wrong = f'no enabled plugin brings a factor "{factor}".\nKnown: {", ".join(known)}.'
                yield Problem(("policies", index, "factors", place), wrong)


def _tables(named: dict[str, object]) -> dict[str, dict[str, object]]:
    return {name: table for name, table in named.items() if isinstance(table, dict)}


def _files(data: dict[str, object], passed: frozenset[str]) -> Iterator[Problem]:
    """What is wrong with the files and folders. Asks no other setting, so that a wrong one hides nothing."""
    checker = FileChecker(_owners(data))
    for place, path in _paths(data):
        if place[0] == "listeners" and place[-1] == "socket" and place[1] in passed:
            continue
        wrong = _wrong(place, path, checker)
        if wrong:
            yield Problem(place, wrong)
    yield from _own_key(data, checker)


def _paths(data: dict[str, object]) -> Iterator[tuple[Place, Path]]:
    for name, field in Config.model_fields.items():
        for model in models_in(field.annotation):
            if name != "directories":
                yield from _paths_in((name,), model, data.get(name, {}))
    directories = data.get("directories")
    for index, table in enumerate(directories if isinstance(directories, list) else ()):
        for model in models_in(DirectorySettings):
            if isinstance(table, dict) and table.get(KIND) in kinds_of(model):
                yield from _paths_in(("directories", index), model, table)


def _paths_in(place: Place, model: type[BaseModel], table: object) -> Iterator[tuple[Place, Path]]:
    """The paths of a table and of the tables in it, as they are set or by default."""
    if not isinstance(table, dict):
        return
    for name, field in model.model_fields.items():
        value = table.get(name, field.default)
        inner = next(models_in(field.annotation), None)
        if inner is not None:
            yield from _paths_in((*place, name), inner, table.get(name, {}))
        elif name.endswith(("_file", "_dir", "socket")) and isinstance(value, str | Path):
            yield (*place, name), Path(value)


def _wrong(place: Place, path: Path, checker: FileChecker) -> str:
    """What is wrong with the path of a setting. Settings that several tables may have end alike."""
    if not path.is_absolute():
        return f'"{path}" depends on where it is read from.\nWrite the whole path, from "/" on.'
    checks = {
        "password_file": checker.secret,
        "secret_file": checker.secret,
        "key_file": checker.tls_key if place[0] == "listeners" else checker.key,
        "ca_file": checker.certificates,
        "certificate_file": checker.certificates,
        "client_ca_file": checker.certificates,
        "crl_file": checker.public,
        "state_dir": checker.folder,
        "runtime_dir": checker.folder,
        "socket": checker.folder_of if place[0] == "listeners" else None,
    }
    check = checks.get(str(place[-1]).removeprefix("bind_"))
    return check(path) if check else ""


def _tls(data: dict[str, object], wrong: set[Place]) -> Iterator[Problem]:
    """What TLS says about the applications' files, once each of them can be read."""
    place: Place = ("listeners", "applications")
    table = value_at(place, data)
    if not isinstance(table, dict):
        return
    names = ("certificate_file", "key_file", "client_ca_file", "crl_file")
    paths = {name: Path(table[name]) for name in names if isinstance(table.get(name), str)}
    if any((*place, name) in wrong for name in names) or not paths.keys() >= set(names[:3]):
        return
    certificate, key, client_ca = (paths[name] for name in names[:3])
    files = TlsFiles(certificate, key, client_ca, paths.get("crl_file"))
    try:
        open_trust(files)
    except SettingsProblems as error:
        yield from (Problem((*place, setting), message) for setting, message in error.located)


def _own_key(data: dict[str, object], checker: FileChecker) -> Iterator[Problem]:
    """The key that the daemon keeps itself, where no other is set."""
    place: Place = ("store", "key_file")
    if value_at(place, data) is not None:
        return
    path = _state_dir(data) / KEY_NAME
    if path.is_symlink() or path.exists():
        wrong = checker.key(path)
        if wrong:
            yield Problem(place, wrong)
    elif str(value_at(("store", "url"), data)).startswith("postgresql"):
        yield Problem(
            place,
            "daemons that share a store share its key, so none is made by itself.\n"
            "Make one with: nightlatch key create FILE, bring it to every host, and name it here.",
        )


def _owners(data: dict[str, object]) -> frozenset[int]:
    """Root, the caller, and the daemon's user, to whom the state belongs."""
    owners = {0, os.geteuid()}
    with suppress(OSError):
        owners.add(_state_dir(data).stat().st_uid)
    return frozenset(owners)


def _state_dir(data: dict[str, object]) -> Path:
    value = value_at(("daemon", "state_dir"), data)
    return Path(value) if isinstance(value, str) else DaemonSettings().state_dir
