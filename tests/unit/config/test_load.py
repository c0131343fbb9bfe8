"""Reading the file: whom it may belong to, and what is said when it is no TOML."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nightlatch.config import check_config, load_config
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from testbed.configuration import Folder

NOBODY = 65534


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666, 0o777])
def test_a_file_that_others_may_write_is_refused(folder: Folder, mode: int) -> None:
    """STO-05, PAM-07, MUST 1: whoever writes the configuration decides who gets in."""
    folder.file.chmod(mode)
    (problem,) = check_config(folder.file)
    assert f"others may write this file (mode {mode:04o})" in problem
    assert f"Run: chmod go-w {folder.file}" in problem
    with pytest.raises(ConfigError):
        load_config(folder.file)


def test_a_file_of_another_user_is_refused(folder: Folder) -> None:
    """PAM-07, MUST 1: its owner could write it at any time."""
    os.chown(folder.file, NOBODY, NOBODY)
    (problem,) = check_config(folder.file)
    assert f"belongs to uid {NOBODY}" in problem


def test_a_missing_file_is_told(folder: Folder) -> None:
    """With the path and the reason."""
    folder.file.unlink()
    assert check_config(folder.file) == (f"{folder.file}  can not be opened: No such file or directory.",)


def test_what_is_no_file_is_told(folder: Folder) -> None:
    """A folder, and a pipe, on which nothing waits."""
    pipe = folder.root / "pipe"
    os.mkfifo(pipe)
    assert check_config(pipe) == (f"{pipe}  can not be opened: it is not a regular file.",)
    assert check_config(folder.root) == (f"{folder.root}  can not be opened: it is not a regular file.",)


def test_syntax_errors_have_line_and_column(folder: Folder) -> None:
    """In the form that editors understand."""
    folder.file.write_text("[store]\nurl = sqlite\n")
    (problem,) = check_config(folder.file)
    assert problem == f"{folder.file}:2:7  this is not TOML: invalid value."


def test_a_text_that_ends_too_early(folder: Folder) -> None:
    """The end of the file is a place too."""
    folder.file.write_text('a = 1\nb = ["x",\n')
    (problem,) = check_config(folder.file)
    assert problem.startswith(f"{folder.file}:2  this is not TOML: ")


def test_a_line_that_is_not_utf_8(folder: Folder) -> None:
    """The line is named."""
    folder.file.write_bytes(b'a = 1\nb = "\xff"\n')
    assert check_config(folder.file) == (f"{folder.file}:2  this line is not UTF-8.",)


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "#" * ((1 << 20) + 1)])
def test_what_is_too_much(folder: Folder, text: str) -> None:
    """Neither depth nor size ends the program."""
    folder.file.write_text(text)
    assert len(check_config(folder.file)) == 1


@pytest.mark.parametrize("value", ["2001-01-01", "inf", "nan", "{}", "[]", "1", "true", '""'])
def test_any_value_in_any_place_is_told(folder: Folder, value: str) -> None:
    """A value of another type is a problem of its setting, never a crash, and dates are no texts."""
    folder.replace('level = "info"', f"level = {value}")
    folder.replace('enabled = ["totp"]', f"enabled = {value}")
    folder.replace(f'state_dir = "{folder.root}/state"', f"state_dir = {value}")
    places = {problem.split()[1].rstrip(":") for problem in folder.problems()}
    assert places == {"log.level", "plugins.enabled", "daemon.state_dir"}
