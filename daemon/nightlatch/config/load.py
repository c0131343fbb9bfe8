"""Reads the configuration file.

MUST 1: a file that others may write, or that belongs to somebody else, is not read (STO-05, PAM-07).
MUST 2: what is checked is what is read: the open descriptor, not the name.
MUST 3: a problem never ends the search for the others.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from nightlatch.config.explain import problems_of
from nightlatch.config.locate import lines_in
from nightlatch.config.opened import open_regular
from nightlatch.config.problem import Problem, about_the_file, in_the_file
from nightlatch.config.schema import Config
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

    from nightlatch.config.locate import Place

LARGEST_FILE = 1 << 20
"""Bytes. A configuration has a few thousand."""

_POSITION = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """The file as it was read."""

    path: Path
    data: dict[str, object]
    lines: dict[Place, int]


def load_config(path: Path) -> Config:
    """The checked settings of a file; raises ConfigError with every problem of the text.

    What the settings name (files, folders, plugins) is checked by `nightlatch.config.check_config`.
    """
    source = read(path)
    config, problems = parse(source)
    if config is None:
        raise ConfigError(in_the_file(path, source.lines, problems))
    return config


def read(path: Path) -> Source:
    """Read a file and take it apart; raises ConfigError when it may not be trusted or is not TOML."""
    text = _trusted_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError((_syntax(path, text, str(error)),)) from None
    except RecursionError:
        raise ConfigError((about_the_file(path, "lists or tables are nested too deeply."),)) from None
    return Source(path, data, lines_in(text))


def parse(source: Source) -> tuple[Config | None, tuple[Problem, ...]]:
    """The settings, or all that is wrong with them."""
    try:
        return Config.model_validate_json(as_json(source.data), strict=True), ()
    except ValidationError as error:
        return None, tuple(problems_of(error, Config, source.data))


def as_json(value: object) -> str:
    """TOML's values for a strict check: from Python it would want tuples and paths, from JSON it does not."""
    return json.dumps(value, default=lambda date: {"date": str(date)})


def _trusted_text(path: Path) -> str:
    try:
        file, status = open_regular(path)
    except OSError as error:
        raise ConfigError((about_the_file(path, f"can not be opened: {error.strerror}."),)) from None
    with file:
        problems = _distrust(path, status)
        if problems:
            raise ConfigError(tuple(about_the_file(path, problem) for problem in problems))
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ConfigError((about_the_file(path, f"is larger than {LARGEST_FILE} bytes."),))
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError((about_the_file(path, "this line is not UTF-8.", f":{line}"),)) from None


def _distrust(path: Path, status: os.stat_result) -> list[str]:
    """Why the file may not be trusted."""
    problems = []
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        mode = stat.S_IMODE(status.st_mode)
        problems.append(
            f"others may write this file (mode {mode:04o}), so it is not read.\nRun: chmod go-w {path}"
        )
    if status.st_uid not in {0, os.geteuid()}:
        problems.append(
            f"the file belongs to uid {status.st_uid}, so it is not read.\nRun: chown root {path}"
        )
    return problems


def _syntax(path: Path, text: str, message: str) -> str:
    found = _POSITION.search(message)
    words = message[: found.start()] if found else message
    if found and found["line"]:
        position = f":{found['line']}:{found['column']}"
    else:
        position = f":{max(1, len(text.splitlines()))}"
    return about_the_file(path, f"this is not TOML: {words[:1].lower()}{words[1:]}.", position)
