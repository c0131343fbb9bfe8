"""The tables [metrics] and [tracing]."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from nightlatch.app.watching import services_named
from nightlatch.config import load_config
from nightlatch.config import telemetry as tables
from testbed.configuration import Folder

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A configuration that is right."""
    return Folder(tmp_path)


def test_both_are_off_unless_an_address_is_there(folder: Folder) -> None:
    """Nothing listens and nothing is sent by default."""
    config = load_config(folder.file)
    assert (config.metrics.address, config.tracing.endpoint) == (None, None)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('[metrics]\naddress = "localhost:9464"', "no IP address with a port"),
        ('[metrics]\naddress = "127.0.0.1:0"', "no IP address with a port"),
        ("[metrics]\nport = 9464", "port"),
        ('[tracing]\nendpoint = "127.0.0.1:4318"', "no URL of a collector"),
        ('[tracing]\nendpoint = "https://me:secret@collector.example.com/v1/traces"', "a password"),
        ('[tracing]\nendpoint = "http://[::1/v1/traces"', "no URL of a collector"),
        ("[tracing]\nsampled = 1.5", "less than or equal to 1"),
    ],
)
def test_what_is_wrong_is_told(folder: Folder, table: str, words: str) -> None:
    """Each problem with its place, before the daemon starts; a password in a URL is not repeated (LEK-01)."""
    folder.append(f"\n{table}\n")
    (problem,) = folder.problems()
    assert words in problem
    assert "secret" not in problem


def test_traces_without_their_packages_are_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check says what to install; with the packages there is nothing to say."""
    folder.append('\n[tracing]\nendpoint = "http://127.0.0.1:4318/v1/traces"\n')
    assert folder.problems() == []
    monkeypatch.setattr(tables, "NEEDED_FOR_TRACES", ("no_such_package.sdk", "os"))
    (problem,) = folder.problems()
    assert problem.endswith(f"Run: {sys.prefix}/bin/pip install 'nightlatch[tracing]'")


def test_each_worker_has_a_port(folder: Folder) -> None:
    """The last worker's port is one too."""
    folder.append('\n[metrics]\naddress = "127.0.0.1:65534"\n')
    folder.replace("[daemon]\n", "[daemon]\nworkers = 2\n")
    assert folder.problems() == []
    folder.replace("workers = 2", "workers = 3")
    (problem,) = folder.problems()
    assert "3 workers need as many ports" in problem


def test_services_with_a_name_of_their_own(folder: Folder) -> None:
    """Those of rules, also the ones left out, and those that metrics.services adds."""
    folder.append(
        '\n[metrics]\nservices = ["login"]\n'
        '[[policies]]\nname = "r"\nmatch = { services = ["sshd", "!sudo"] }\nsecond_factor = "required"\n'
    )
    assert services_named(load_config(folder.file)) == {"login", "sshd", "sudo"}
