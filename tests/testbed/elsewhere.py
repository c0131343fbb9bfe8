"""What people have in other systems, made by those systems' own programs where this machine has them."""

from __future__ import annotations

import base64
import subprocess
from typing import TYPE_CHECKING

from testbed.pam_client import PamCode, authenticate, write_service

if TYPE_CHECKING:
    from pathlib import Path

SECRET = bytes(range(1, 21))
"""A secret of 160 bits."""
BASE32 = base64.b32encode(SECRET).decode()


def google_authenticator(folder: Path, *options: str) -> Path:
    """A home with the file that ``google-authenticator`` makes: time-based, unless options say else."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ".google_authenticator"
    kind = () if "-c" in options else ("-t", "-d")
    command = ["google-authenticator", *kind, "-f", "-u", "-C", "-q", "-Q", "NONE", "-W", *options]
    subprocess.run([*command, "-s", str(file)], check=True, capture_output=True, timeout=30)
    return file


def secret_in(file: Path) -> str:
    """The secret that ``google-authenticator`` has written, in base32."""
    return file.read_text().splitlines()[0]


def scratch_codes_in(file: Path) -> list[str]:
    """The scratch codes that are left in it."""
    return [line for line in file.read_text().splitlines() if line.isdigit()]


def oathtool(secret: str, now: float, *options: str) -> str:
    """The code that ``oathtool`` computes of a secret in base32."""
    moment = f"@{int(now)}"
    command = ["oathtool", "--totp", "--base32", f"--now={moment}", *options, secret]
    made = subprocess.run(command, check=True, capture_output=True, text=True, timeout=30, env={"TZ": "UTC"})
    return made.stdout.strip()


def pam_accepts(folder: Path, file: Path, code: str) -> bool:
    """Whether the real pam_google_authenticator takes a code, or a scratch code, of this file."""
    auth = f"auth required pam_google_authenticator.so secret={file} user=root"
    write_service(folder, "elsewhere", auth, "account required pam_permit.so")
    return authenticate(folder, "elsewhere", "root", [code]).rc == PamCode.SUCCESS
