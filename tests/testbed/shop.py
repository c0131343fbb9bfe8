"""A shop: an application with its own certificate that verifies its customers' codes by nightlatch.client."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nightlatch.client import AsyncClient, Client
from testbed.applications import Installation
from testbed.authority import Order
from testbed.front_door import directory_table, enroll

if TYPE_CHECKING:
    from testbed.codes import App
    from testbed.pki import Pair
    from testbed.slapd import Slapd

SAN = "dns:shop.example.com"
SHOP = f"""
[[clients]]
name = "shop"
san = "{SAN}"
methods = ["login", "verification", "keys", "reflection", "health"]
"""


class Shop:
    """One daemon with a TLS listener, and the shop's certificate. Started by its fixture."""

    def __init__(self, folder: Path, slapd: Slapd, *, store: str = "", like: Shop | None = None) -> None:
        """`store` is the table of a database; `like` is a shop whose certificates this daemon uses too."""
        self.folder = Path(tempfile.mkdtemp(prefix="shop-", dir=folder))
        self.folder.chmod(0o755)
        made = Installation(self.folder, directories=store + directory_table(slapd), clients=SHOP)
        self.installation = made
        self.daemon = made.daemon
        if like is not None:
            made.authority, made.server_authority = (
                like.installation.authority,
                like.installation.server_authority,
            )
            made.server = like.installation.server
            made.rewrite(SHOP)
        self.ca = self.installation.server_authority.file
        self.pair: Pair = self.installation.authority.sign("shop", Order((SAN,)))

    @property
    def target(self) -> str:
        """The daemon's address."""
        return f"localhost:{self.installation.port}"

    def client(self, *targets: str, pair: Pair | None = None, timeout: float = 10) -> Client:
        """A blocking client; of the shop, unless it shows another certificate."""
        shown = pair or self.pair
        return Client(
            *(targets or (self.target,)), cert=shown.certificate, key=shown.key, ca=self.ca, timeout=timeout
        )

    def async_client(self, *targets: str, timeout: float = 10) -> AsyncClient:
        """An async client of the shop."""
        pair = self.pair
        return AsyncClient(
            *(targets or (self.target,)), cert=pair.certificate, key=pair.key, ca=self.ca, timeout=timeout
        )

    def environment(self) -> dict[str, str]:
        """What the examples read."""
        return {
            "NIGHTLATCH_TARGETS": self.target,
            "NIGHTLATCH_CERT": str(self.pair.certificate),
            "NIGHTLATCH_KEY": str(self.pair.key),
            "NIGHTLATCH_CA": str(self.ca),
        }

    def enroll(self, user: str = "alice") -> App:
        """Give somebody an authenticator app."""
        with self.daemon.channel(admin=True) as channel:
            return enroll(channel, user)
