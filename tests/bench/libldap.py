"""libldap itself, the C library that every other LDAP client of Debian uses: what our binds stand beside.

Called without anything between: python-ldap and bonsai bring no wheels, and would only add to its time.
"""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_void_p
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("libldap.so.2", "libldap-2.5.so.0")
_VERSION, _CA_FILE, _REQUIRE_CERTIFICATE, _NEW_CONTEXT = 0x11, 0x6002, 0x6006, 0x600F  # ldap.h
_DEMAND = 2


class _Bytes(ctypes.Structure):
    """struct berval."""

    _fields_ = (("length", c_long), ("value", c_char_p))


class Libldap:
    """The library, loaded."""

    def __init__(self) -> None:
        self.calls = _load()
        self.calls.ldap_initialize.argtypes = (POINTER(c_void_p), c_char_p)
        self.calls.ldap_set_option.argtypes = (c_void_p, c_int, c_void_p)
        self.calls.ldap_sasl_bind_s.argtypes = (
            *(c_void_p, c_char_p, c_char_p, POINTER(_Bytes)),
            *(c_void_p, c_void_p, c_void_p),
        )
        self.calls.ldap_unbind_ext_s.argtypes = (c_void_p, c_void_p, c_void_p)
        self.calls.ldap_err2string.restype = c_char_p


class Connection:
    """One connection over TLS, with the certificate checked. For one thread at a time."""

    def __init__(self, library: Libldap, url: str, ca_file: Path) -> None:
        self._calls = library.calls
        self._handle = c_void_p()
        self._require(self._calls.ldap_initialize(byref(self._handle), url.encode()))
        for option, value in ((_VERSION, 3), (_REQUIRE_CERTIFICATE, _DEMAND)):
            self._require(self._calls.ldap_set_option(self._handle, option, byref(c_int(value))))
        self._require(self._calls.ldap_set_option(self._handle, _CA_FILE, str(ca_file).encode()))
        self._require(self._calls.ldap_set_option(self._handle, _NEW_CONTEXT, byref(c_int(0))))

    def bind(self, dn: str, password: str) -> None:
        """A simple bind; raises where it fails."""
        text = password.encode()
        secret = _Bytes(len(text), text)
        self._require(
            self._calls.ldap_sasl_bind_s(self._handle, dn.encode(), None, byref(secret), None, None, None)
        )

    def close(self) -> None:
        """Say goodbye."""
        self._calls.ldap_unbind_ext_s(self._handle, None, None)

    def _require(self, code: int) -> None:
        if code != 0:
            raise AssertionError(f"libldap: {self._calls.ldap_err2string(code).decode()}")


def _load() -> ctypes.CDLL:
    for name in _NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise AssertionError(f"none of {', '.join(_NAMES)} is installed; slapd brings one")
