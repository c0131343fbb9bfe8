"""The tables of the applications' listener and its clients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nightlatch.config.applications import split_address
from testbed.authority import Authority, Order

if TYPE_CHECKING:
    from testbed.configuration import Folder

CLIENT = """
[[clients]]
name = "{name}"
san = "{san}"
methods = {methods}
"""


def client(name: str = "vpn", san: str = "dns:vpn.example.com", methods: str = '["login"]') -> str:
    """A client's table."""
    return CLIENT.format(name=name, san=san, methods=methods)


def told(folder: Folder, text: str) -> list[str]:
    """The first lines of what is wrong with a configuration that has this at its end, without numbers."""
    folder.append(text)
    return [problem.splitlines()[0].partition("  ")[2] for problem in folder.problems()]


def with_listener(folder: Folder) -> Authority:
    """A right listener, with the files that it names."""
    authority = Authority(folder.root / "tls", "clients")
    server = authority.sign("server", Order(("dns:localhost",), usages=()))
    folder.append(
        f"""
[listeners.applications]
address = "0.0.0.0:7443"
certificate_file = "{server.certificate}"
key_file = "{server.key}"
client_ca_file = "{authority.file}"
crl_file = "{authority.crl_file}"
"""
    )
    return authority


def test_a_right_listener_and_client_have_no_problems(folder: Folder) -> None:
    """Certificates, keys and lists are looked at, and found right."""
    with_listener(folder)
    assert told(folder, client(methods='["login", "nightlatch.v1.AdminService/GetStatus"]')) == []


@pytest.mark.parametrize(
    "san",
    [
        "vpn.example.com",
        "cn:vpn",
        "ip:192.0.2.1",
        "dns:*.example.com",
        "dns:VPN.example.com",
        "dns:",
        "uri:",
        "uri:x",
    ],
)
def test_a_name_that_no_certificate_has_is_told(folder: Folder, san: str) -> None:
    """Exact DNS names and URIs of a subjectAltName, nothing else (API-01)."""
    (wrong,) = told(folder, client(san=san))
    assert wrong.startswith(f'clients[0].san: "{san}" is no name')


def test_two_clients_share_nothing(folder: Folder) -> None:
    """A name or a SAN that is there twice is told at the second, with its line."""
    text = client() + client("other") + client("vpn", "dns:else.example.com")
    assert told(folder, text) == [
        "clients[1].san: the client before has this san already.",
        "clients[2].name: the client before has this name already.",
    ]


@pytest.mark.parametrize(
    "right", ["logins", "LoginService", "nightlatch.v1.LoginService", "*", "login/BeginLogin"]
)
def test_a_right_to_nothing_is_told(folder: Folder, right: str) -> None:
    """Rights are words and full names of methods; there is no pattern (API-02)."""
    (wrong,) = told(folder, client(methods=f'["{right}"]'))
    assert wrong == f'clients[0].methods[0]: there is no method or service "{right}".'


def test_an_unknown_directory_is_told(folder: Folder) -> None:
    """A misspelt directory would leave the client without people."""
    assert told(folder, client() + 'directories = ["corp", "crop"]\n') == [
        "clients[0].directories[1]: there is no such directory."
    ]


def test_files_that_do_not_fit_together_are_told(folder: Folder) -> None:
    """Another certificate's key, a list of another CA's, a key that others may read: each by its setting."""
    authority = with_listener(folder)
    authority.sign("server", Order(("dns:localhost",), usages=()))
    other = Authority(folder.root / "other", "others")
    key = folder.root / "tls" / "server.key"
    authority.crl_file.write_bytes(other.crl_file.read_bytes())
    key.write_bytes(other.sign("x", Order()).key.read_bytes())
    assert [wrong.partition(" /")[0] for wrong in told(folder, "")] == [
        "listeners.applications.key_file:",
        "listeners.applications.crl_file:",
    ]
    key.chmod(0o644)
    (wrong,) = told(folder, "")
    assert wrong.startswith("listeners.applications.key_file: others may read")


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1:7443", ("192.0.2.1", 7443)),
        ("[::]:1", ("::", 1)),
        ("[2001:db8::1]:65535", ("2001:db8::1", 65535)),
    ],
)
def test_an_address_is_an_ip_address_and_a_port(text: str, address: tuple[str, int]) -> None:
    """Both families, IPv6 in brackets."""
    assert split_address(text) == address


@pytest.mark.parametrize(
    "text", ["", "7443", "localhost:7443", "::1:7443", "192.0.2.1", "192.0.2.1:0", "192.0.2.1:65536", "[::]"]
)
def test_what_is_no_address_is_told(text: str) -> None:
    """Names are not looked up: what is listened on must not depend on DNS."""
    with pytest.raises(ValueError):  # noqa: PT011, the setting's own words are made by its caller
        split_address(text)


@pytest.mark.parametrize("name", ["pam", "admin", "account"])
def test_no_client_is_called_like_the_callers_of_a_socket(folder: Folder, name: str) -> None:
    """API-02: a rule for "pam" is for this host's logins, and for no application's."""
    with_listener(folder)
    assert told(folder, client(name)) == [
        f'clients[0].name: "{name}" is what rules call the callers of a unix socket.'
    ]
