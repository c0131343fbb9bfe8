"""A daemon that is watched: metrics, traces, and a text message gateway."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from testbed.applications import Installation, short_folder
from testbed.front_door import directory_table
from testbed.ports import free_port
from testbed.telemetry import Posts, Scraper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

CLIENTS = """
[[clients]]
name = "shop"
san = "dns:shop.example.com"
methods = ["login", "verification", "keys", "health"]
services = ["shop", "shop-admin"]
"""


@dataclass
class Watched:
    """The daemon and those who watch it."""

    installation: Installation
    scraper: Scraper
    posts: Posts
    slapd: Slapd


@pytest.fixture
def watched(open_folder: Path, slapd: Slapd) -> Iterator[Watched]:
    """A daemon with metrics, traces, SMS and the client shop, in front of a real slapd."""
    posts, port = Posts(), free_port()
    tables = f"""
[metrics]
address = "127.0.0.1:{port}"
services = ["login"]
[tracing]
endpoint = "{posts.url}/v1/traces"
[channels.gateway]
kind = "http_sms"
url = "{posts.url}/send"
json_body = {{ to = "{{to}}", text = "{{text}}" }}
[factors.sms]
channels = ["gateway"]
countries = ["US"]
[[policies]]
name = "hosts"
match = {{ services = ["sshd", "!sudo"] }}
second_factor = "required"
"""
    made = Installation(
        short_folder(open_folder), directories=directory_table(slapd), clients=CLIENTS + tables
    )
    text = made.daemon.config.read_text().replace('["totp"]', '["totp", "sms", "sms_gateways"]')
    made.daemon.config.write_text(text)
    made.daemon.start()
    yield Watched(made, Scraper(port), posts, slapd)
    made.daemon.stop()
    posts.stop()
