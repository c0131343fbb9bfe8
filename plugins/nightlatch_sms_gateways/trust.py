"""Whom a gateway's certificate may come from.

MUST 1: a certificate is always asked for, its chain and its host name are checked; TLS 1.2 or newer.
"""

from __future__ import annotations

import os
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Trust the CAs in a PEM file, or the system's; raises ValueError for a file that is of no use."""
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise ValueError(
            f"ca_file: {ca_file} holds no certificate in PEM.\nIt begins with -----BEGIN CERTIFICATE-----."
        ) from None
    except OSError as error:
        raise ValueError(f"ca_file: {ca_file} can not be opened: {error.strerror}.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def trouble(error: BaseException) -> str:
    """Why a connection failed, in words: the certificate's fault, or the system's message."""
    found = ""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not to be trusted: {cause.verify_message}"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'the other side broke off'}"
        if isinstance(cause, OSError) and cause.errno:  # asyncio's own strerror is about its calls
            found = os.strerror(cause.errno) if cause.errno > 0 else cause.strerror or found
        inner = cause.exceptions[0] if isinstance(cause, BaseExceptionGroup) else None
        cause = inner or cause.__cause__ or cause.__context__
    return found or "the connection failed"
