"""The addresses of gateways, as settings name them.

MUST 1: what leaves this host is encrypted: plain HTTP goes to this host only.
MUST 2: an address holds no password.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

_AUTHORITY = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")


def gateway_url(url: str) -> str:
    """An address with https, or with http on this host; raises ValueError with what to write instead."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in {"https", "http"}:
        raise ValueError('an address begins with "https://".\nWrite https://HOST/PATH.')
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority:
        raise ValueError("a password in an address is seen in logs.\nUse password_file, or secrets.")
    if "{" in authority or _AUTHORITY.fullmatch(authority) is None:
        raise ValueError("the host must be a name or an address, as it stands.\nWrite https://HOST/PATH.")
    if not url.isascii() or not url.isprintable() or " " in url or "#" in rest:
        raise ValueError("blanks, control characters, umlauts and # are no part of it.\nWrite them as %XX.")
    host = _host(url)
    if scheme == "http" and not is_this_host(host):
        raise ValueError(f'"{host}" is another host, and http is not encrypted.\nWrite https://{authority}….')
    return url


def is_this_host(host: str) -> bool:
    """Whether what is sent to a host stays on this one."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("its port is no number up to 65535.\nWrite https://HOST:PORT/PATH.") from None
    return parts.hostname or ""


GatewayUrl = Annotated[str, AfterValidator(gateway_url)]
