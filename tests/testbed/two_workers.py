"""A real daemon with two workers, and an application of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from testbed.applications import Installation
from testbed.authority import Order
from testbed.front_door import directory_table

if TYPE_CHECKING:
    from pathlib import Path

    from testbed.applications import Application
    from testbed.slapd import Slapd

SHOP = """
[[clients]]
name = "shop"
san = "dns:shop.example.com"
methods = ["verification", "login"]
requests_per_second = 10000
concurrent = 1000
"""


class TwoWorkers:
    """A daemon with two workers, and an application of it."""

    def __init__(self, folder: Path, slapd: Slapd, store: str = "") -> None:
        self.made = Installation(folder, directories=store + directory_table(slapd), clients=SHOP)
        self.daemon = self.made.daemon
        self.client: Application = self.made.client("shop", Order(("dns:shop.example.com",)))
        self.set("[daemon]\n", "[daemon]\nworkers = 2\n")
        account = f'[listeners.account]\nsocket = "{self.daemon.admin_socket.with_name("account.sock")}"\n'
        self.set("[log]\n", account + "[log]\n")

    def set(self, before: str, after: str) -> None:
        """Change the configuration's text."""
        text = self.daemon.config.read_text()
        assert before in text
        self.daemon.config.write_text(text.replace(before, after, 1))

    def status(self) -> dict[str, Any]:
        """What `nightlatch status` tells."""
        told: dict[str, Any] = json.loads(self.daemon.command("status", "--json").stdout)
        return told

    def workers(self) -> dict[str, dict[str, Any]]:
        """What `nightlatch status` tells of the workers, by their numbers."""
        return {part["name"]: part for part in self.status()["parts"] if part["kind"] == "worker"}

    def pid(self, number: int) -> int:
        """The pid of the worker that was started last at this place."""
        started = [one for one in self.made.said("worker.started") if one["worker"] == number]
        return int(str(started[-1]["pid"]))

    def ready(self, number: int) -> int:
        """How often that worker became ready."""
        return sum(one["worker"] == number for one in self.made.said("worker.ready"))
