"""Where somebody comes from, as far as limits tell it apart."""

from __future__ import annotations

import ipaddress


def one_source(source: str) -> str:
    """What counts as one source: of IPv6 a /64, because who has one address of it has them all (RFC 4291)."""
    if ":" not in source:
        return source
    try:
        address = ipaddress.IPv6Address(source.partition("%")[0])
    except ValueError:
        return source  # a display, or a host's name
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((address, 64), strict=False))
