"""TLS to the mail server and to the token endpoint.

MUST 1: the certificate and the host name are always checked; there is no switch.
MUST 2: nothing below TLS 1.2.
"""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts `ca_file` alone, or the system's authorities where there is none; raises OSError."""
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = True
    context.verify_mode = ssl.CERT_REQUIRED
    return context
