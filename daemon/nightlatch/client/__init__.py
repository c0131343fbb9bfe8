"""The client of nightlatch, for applications.

    from nightlatch.client import Client

    with Client("mfa.example.com:7443", cert="app.pem", key="app.key", ca="ca.pem") as mfa:
        result = mfa.verify_code("alice", "492039")
        if result.verified: ...
        elif result.locked_until: ...

`Client` blocks, `AsyncClient` is awaited. This package imports nothing of the daemon but the generated API.
"""

from nightlatch.client.asynchronous import AsyncClient
from nightlatch.client.blocking import Client
from nightlatch.client.errors import (
    BadCertificate,
    ClientError,
    Denied,
    Expired,
    InvalidReceipt,
    InvalidRequest,
    NotFound,
    TooMany,
    Unavailable,
)
from nightlatch.client.receipts import Keys
from nightlatch.client.results import (
    CodeResult,
    DeviceResult,
    LoginResult,
    Prompt,
    PromptKind,
    Receipt,
    SentCode,
    Step,
    Verdict,
    Verification,
    Wait,
)

__all__ = [
    "AsyncClient",
    "BadCertificate",
    "Client",
    "ClientError",
    "CodeResult",
    "Denied",
    "DeviceResult",
    "Expired",
    "InvalidReceipt",
    "InvalidRequest",
    "Keys",
    "LoginResult",
    "NotFound",
    "Prompt",
    "PromptKind",
    "Receipt",
    "SentCode",
    "Step",
    "TooMany",
    "Unavailable",
    "Verdict",
    "Verification",
    "Wait",
]
