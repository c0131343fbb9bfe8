"""The daemon's own folders, its key, and where its store is."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit, urlunsplit

from nightlatch.config import KEY_NAME
from nightlatch.errors import ConfigError
from nightlatch.keys import MasterKey, create_key_file, load_key_file
from nightlatch.store.opening import store_is_empty

if TYPE_CHECKING:
    from pathlib import Path

    import structlog

    from nightlatch.config import Config
    from nightlatch.ports import Randomness

STORE_NAME = "nightlatch.db"


def private_folder(path: Path, setting: str) -> None:
    """Make sure that a folder is there, is the daemon's and nobody else's; raises ConfigError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except OSError as error:
        raise ConfigError((f"{setting}: {path} can not be made: {error.strerror}.",)) from error
    if status.st_uid != os.geteuid():
        raise ConfigError((f"{setting}: {path} belongs to uid {status.st_uid}, not to the daemon's user.",))
    if stat.S_IMODE(status.st_mode) != 0o700:  # noqa: PLR2004, the mode is the message
        path.chmod(0o700)


def store_url(config: Config) -> str:
    """The store's URL, with its password: never log it. The embedded store is a file in the state folder."""
    if config.store.url == "sqlite":
        return f"sqlite:///{config.daemon.state_dir / STORE_NAME}"
    if config.store.password_file is None:
        return config.store.url
    password = quote(config.store.password_file.read_text().split("\n", 1)[0], safe="")
    parts = urlsplit(config.store.url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))


def master_key(config: Config, randomness: Randomness, log: structlog.stdlib.BoundLogger) -> MasterKey:
    """The master key; raises ConfigError.

    A new one is made only for an embedded store that holds nothing yet: never over data that another key
    has sealed, and never where the configuration names a key file.
    """
    if config.store.key_file is not None:
        return load_key_file(config.store.key_file)
    path = config.daemon.state_dir / KEY_NAME
    embedded = config.store.url == "sqlite"
    if path.exists() or path.is_symlink() or not embedded or not store_is_empty(store_url(config)):
        return load_key_file(path)
    key = create_key_file(path, randomness)
    log.warning(
        "key.created", path=str(path), advice="copy it to a safe place: without it nothing enrolled opens"
    )
    return key
