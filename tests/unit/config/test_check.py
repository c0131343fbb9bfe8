"""What the check of a whole configuration says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from nightlatch.config import Config, check_config, load_config
from nightlatch.errors import ConfigError

if TYPE_CHECKING:
    from testbed.configuration import Folder

NOBODY = 65534


def test_a_right_configuration_has_no_problems(folder: Folder) -> None:
    """And it loads, with defaults for what it leaves out."""
    assert check_config(folder.file) == ()
    config = load_config(folder.file)
    assert [directory.name for directory in config.directories] == ["corp"]
    assert config.listeners.pam.allow_uids == (0,)
    assert (config.log.format, config.factors) == ("auto", {})


def test_every_problem_is_told_at_once_with_its_line(folder: Folder) -> None:
    """Settings, plugins and files together, in the order of the file, each with what to do."""
    folder.replace('"ldaps://dc2.example.com"', '"ldap://dc2.example.com"')
    folder.replace('level = "info"', 'levle = "info"')
    folder.replace("[plugins]", "[[rulings]]\nname = 'x'\n[plugins]")
    folder.replace('["totp"]', '["totpp"]')
    folder.append('connect_timeout = "3"\n')
    (folder.root / "corp.password").chmod(0o644)
    password = f"directories[0].bind_password_file: others may read {folder.root}/corp.password"
    timeout = 'directories[0].connect_timeout: must be a number, without quotes, not "3".'
    url = 'directories[0].urls[1]: "ldap://dc2.example.com" sends passwords in the clear.'
    problems = [problem.splitlines() for problem in folder.problems()]
    assert [lines[0] for lines in problems] == [
        f'{folder.line("levle")}  log.levle: unknown setting. Did you mean "level"?',
        f"{folder.line('[[rulings')}  rulings: unknown table.",
        f'{folder.line("totpp")}  plugins.enabled[0]: no plugin "totpp" is installed.',
        f"{folder.line('dc2')}  {url}",
        f"{folder.line('bind_password_file')}  {password} (mode 0644).",
        f"{folder.line('connect_timeout')}  {timeout}",
    ]
    remedies = [line for lines in problems for line in lines[1:]]
    assert [remedy.strip() for remedy in remedies] == [
        f"Known here: {', '.join(Config.model_fields)}.",
        'Did you mean "totp"?',
        'Write "ldaps://dc2.example.com", or keep ldap:// and set start_tls = true.',
        f"Run: chmod 600 {folder.root}/corp.password",
    ]
    assert all(remedy.startswith(" " * len(f"{folder.file}:17  ")) for remedy in remedies)


def test_loading_raises_every_problem_of_the_text(folder: Folder) -> None:
    """ConfigError carries them all, each with file and line."""
    folder.replace('level = "info"', 'level = "trace"\nformat = 5')
    with pytest.raises(ConfigError) as caught:
        load_config(folder.file)
    assert caught.value.problems == (
        f'{folder.file}:15  log.level: must be "debug", "info" or "warning", not "trace".',
        f'{folder.file}:16  log.format: must be "auto", "json" or "console", not 5.',
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "corp"', "name = 5", 'directories[0].name: must be a text in quotes, "…", not 5.'),
        ('level = "info"', 'level = "info"\n[[log.x]]\na = 1', "log.x: unknown table."),
        (
            'url = "sqlite"',
            'url = "postgresql://nl:geheim@db/nl"',
            "store.url: a password does not belong in the URL.",
        ),
        (
            'url = "sqlite"',
            'url = "postgresql://db/nl?password=geheim"',
            "store.url: a password does not belong",
        ),
        ('url = "sqlite"', 'url = "mysql://db/nl"', "store.url: this is no database that nightlatch knows."),
        ('url = "sqlite"', 'url = "postgresql://[db/nl"', "store.url: this is no database URL."),
        (
            'url = "sqlite"',
            'password_file = "ROOT/corp.password"',
            "store: the embedded database has no password.",
        ),
        ('enabled = ["totp"]', "enabled = []", "plugins.enabled: must not be empty."),
        ('enabled = ["totp"]', 'enabled = "totp"', 'plugins.enabled: must be a list, […], not "totp".'),
        ('enabled = ["totp"]', 'enabled = ["totp", "totp"]', "plugins.enabled[1]: the plugin"),
        ('enabled = ["totp"]', "", "plugins.enabled: this setting is missing."),
        ('enabled = ["totp"]', 'enabled = ["totp"]\n[factors]\nnone = {}', "factors.none: "),
        (
            'enabled = ["totp"]',
            'enabled = ["totp"]\n[factors]\ntotp = 5',
            "factors.totp: must be a table, not 5.",
        ),
        (
            'enabled = ["totp"]',
            'enabled = ["totp"]\n[factors.totp]\nx = 5',
            "factors.totp.x: unknown setting.",
        ),
        ("[[directories]]", "[directories]", "directories: must be a list of tables."),
        ('kind = "ldap"', 'kind = "ldpa"', 'directories[0].kind: there is no kind "ldpa".'),
        ('kind = "ldap"', "", "directories[0].kind: this setting is missing."),
        ('base = "ou=people,dc=example,dc=com"', "", "directories[0].base: this setting is missing."),
        (
            "bind_dn =",
            'bind_password = "geheim"\nbind_dn =',
            "directories[0].bind_password: secrets are in files",
        ),
        (
            "[listeners.pam]",
            "[listeners.pam]\nallow_uids = [-1]",
            "listeners.pam.allow_uids[0]: must be greater",
        ),
        (
            "[listeners.pam]",
            "[listeners.pam]\nallow_uids = [true]",
            "listeners.pam.allow_uids[0]: must be a whole",
        ),
        (
            "[listeners.pam]",
            "[listeners.pam]\nallow_uids = []",
            "listeners.pam.allow_uids: must not be empty.",
        ),
        ("pam.sock", "admin.sock", "listeners: pam and admin can not share one socket."),
        (
            "sockets/pam.sock",
            f"sockets/{'x' * 108}",
            "listeners.pam.socket: the path of a socket has at most 107",
        ),
        ("/run", f"/{'x' * 90}", "daemon.runtime_dir: sockets are made in here"),
    ],
)
def test_each_mistake_has_its_words(folder: Folder, old: str, new: str, words: str) -> None:
    """One mistake is one problem, at its setting, and no secret is repeated."""
    folder.key()
    folder.replace(old, new.replace("ROOT", str(folder.root)))
    (problem,) = folder.problems()
    assert problem.partition("  ")[2].startswith(words)
    assert "geheim" not in problem


def test_a_shared_store_needs_a_key_that_is_there(folder: Folder) -> None:
    """STO-02: each of several daemons making a key of its own would lose what the others sealed."""
    folder.replace('url = "sqlite"', 'url = "postgresql://nl@db/nl"')
    (problem,) = folder.problems()
    assert "store.key_file: daemons that share a store share its key" in problem
    folder.key()
    assert folder.problems() == []


@pytest.mark.parametrize("relative", ["state", "./state", "/var/../state"])
def test_paths_are_whole(folder: Folder, relative: str) -> None:
    """A path must not depend on where the daemon was started, in the directories' tables neither."""
    folder.replace(f'"{folder.root}/state"', f'"{relative}"')
    folder.replace(f'"{folder.root}/corp.password"', '"corp.password"')
    state, password = folder.problems()
    assert "daemon.state_dir" in state
    assert "directories[0].bind_password_file" in password
    assert all("depends on where it is read from" in problem for problem in (state, password))


def test_two_directories_of_one_name(folder: Folder) -> None:
    """What people enrol belongs to a directory's name, so a name belongs to one directory."""
    folder.append('[[directories]]\nname = "corp"\nkind = "pam"\n')
    (problem,) = folder.problems()
    assert 'directories: two directories have the name "corp".' in problem


def test_no_directory_at_all(folder: Folder) -> None:
    """Without a directory nobody can be found."""
    text = folder.file.read_text()
    folder.file.write_text(text.partition("[[directories]]")[0])
    (problem,) = folder.problems()
    assert "directories: this table is missing." in problem


def test_an_empty_file_says_what_is_needed(folder: Folder) -> None:
    """The tables that must be there are named, at the first line."""
    folder.file.write_text("")
    missing = [problem.partition(":")[0] for problem in folder.problems() if "missing" in problem]
    assert missing == ["1  directories", "1  plugins"]


def test_sockets_that_systemd_opened_are_not_the_daemons_concern(folder: Folder) -> None:
    """The folder of a passed socket may belong to anybody: systemd has made and opened it."""
    folder.replace(f"{folder.root}/sockets/pam.sock", f"{folder.file}/x/pam.sock")
    assert len(folder.problems()) == 1
    assert check_config(folder.file, frozenset({"pam"})) == ()


def test_the_daemons_user_owns_what_is_its_own(folder: Folder) -> None:
    """Root may check a configuration whose state, key and secrets belong to the daemon's user."""
    key = folder.key()
    for path in (key.parent, key, folder.root / "corp.password"):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(0o700 if path.is_dir() else 0o600)
    assert folder.problems() == []
