"""What docs/applications.md shows is run as it stands there, but for names of files and hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from testbed.slapd import password_of

if TYPE_CHECKING:
    import pytest

    from testbed.shop import Shop

GUIDE = (Path(__file__).parents[3] / "docs" / "applications.md").read_text()


def snippet(start: str, shop: Shop, code: str = "") -> str:
    """A piece of Python of the guide, by its first line, for this daemon."""
    [found] = [one for one in re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL) if one.startswith(start)]
    names = {
        "mfa.example.com:7443": shop.target,
        "app.pem": str(shop.pair.certificate),
        "app.key": str(shop.pair.key),
        '"ca.pem"': f'"{shop.ca}"',
        "492039": code,
    }
    for name, here in names.items():
        found = found.replace(name, here)
    return str(found)


def run(program: str, **names: object) -> dict[str, Any]:
    """Run a program; what it has defined."""
    space: dict[str, Any] = dict(names)
    exec(compile(program, "applications.md", "exec"), space)  # noqa: S102, the guide's own lines
    return space


def test_the_five_lines(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A right code, the same again, and one while the person is locked: each takes its branch."""
    app = shop.enroll()
    program = snippet("from nightlatch.client import Client\n", shop, app.fresh())
    run(program)
    run(program)
    for _ in range(5):
        run(snippet("from nightlatch.client import Client\n", shop, app.wrong()))
    said = capsys.readouterr().out.splitlines()
    assert said[:2] == ["in", "wrong code"]
    assert said[-1].startswith("try again at ")


def test_the_twenty_lines(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A whole login at a terminal: granted, refused, and without a daemon."""
    app = shop.enroll()
    program = snippet("from getpass", shop)
    assert len(program.splitlines()) <= 20
    space = run(program)
    answers = [password_of("alice"), app.fresh()]
    asked: list[str] = []

    def typed(text: str) -> str:
        asked.append(text)
        return answers[len(asked) - 1]

    space["input"] = space["getpass"] = typed
    assert space["sign_in"]("alice") is True
    assert asked[0] == "Password: "
    space["input"] = space["getpass"] = lambda _text: "wrong"
    assert space["sign_in"]("alice") is False
    shop.daemon.stop()
    assert space["sign_in"]("alice") is False
    assert "Nobody could decide: localhost:" in capsys.readouterr().out
    space["mfa"].close()


def test_the_lines_for_two_forms(shop: Shop) -> None:
    """Only a grant puts a name into the session; nothing of the login stays there."""
    app = shop.enroll()
    with shop.client() as mfa:
        site = run(snippet("from nightlatch.client import LoginResult", shop), mfa=mfa)
        session: dict[str, object] = {}
        assert site["begin"](session, "alice") == "Password: "
        assert site["answered"](session, "wrong") == "Sign-in refused."
        assert session == {}
        site["begin"](session, "alice")
        assert site["answered"](session, password_of("alice")).startswith("Code from")
        assert site["answered"](session, app.fresh()) == "granted"
    assert session == {"user": "alice"}


def test_the_lines_on_receipts(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Keys once, then no daemon."""
    app = shop.enroll()
    with shop.client() as mfa:
        receipt = mfa.verify_code("alice", app.fresh(), receipt=True).receipt
        run(snippet("keys = ", shop), mfa=mfa, receipt=receipt)
    assert capsys.readouterr().out.startswith("alice totp 20")


def test_reflection_is_enough_to_call(shop: Shop) -> None:
    """What grpcurl does: services, messages and a call, from nothing but what the daemon tells."""
    app = shop.enroll()
    with shop.installation.application(shop.pair).channel() as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        assert {"nightlatch.v1.VerificationService", "grpc.health.v1.Health"} <= set(database.get_services())
        pool = DescriptorPool(database)
        service = pool.FindServiceByName("nightlatch.v1.VerificationService")
        method = service.methods_by_name["VerifyCode"]
        request = GetMessageClass(method.input_type)(user="alice", code=app.fresh())
        call: Any = channel.unary_unary(
            f"/{service.full_name}/{method.name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(method.output_type).FromString,
        )
        answer: Any = call(request, timeout=15)
    assert answer.DESCRIPTOR.fields_by_name["verification"].enum_type.values_by_number[
        answer.verification
    ].name == ("VERIFICATION_VERIFIED")
