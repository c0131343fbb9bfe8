"""What an application may do: its methods, services, directories and shares, and nothing else (API-02)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from nightlatch.rpc.rights import SERVICES, methods_named, methods_of
from nightlatch.v1 import (
    admin_pb2,
    admin_pb2_grpc,
    enrollment_pb2,
    enrollment_pb2_grpc,
    login_pb2,
    login_pb2_grpc,
)
from testbed.applications import Installation, begin, short_folder
from testbed.authority import Order
from testbed.front_door import Person, directory_table, enroll
from testbed.process import wait_until
from testbed.slapd import PEOPLE
from testbed.slapd import SERVICES as NO_PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.applications import Application
    from testbed.slapd import Slapd

LOGIN = "/nightlatch.v1.LoginService/"
OTHERS = """
[[clients]]
name = "beginner"
san = "dns:beginner.example.com"
methods = ["nightlatch.v1.LoginService/BeginLogin"]
[[clients]]
name = "annexe"
san = "dns:annexe.example.com"
methods = ["login", "enrollment", "admin"]
directories = ["annexe"]
[[clients]]
name = "hasty"
san = "dns:hasty.example.com"
methods = ["login"]
requests_per_second = 5
[[clients]]
name = "patient"
san = "dns:patient.example.com"
methods = ["login", "reflection"]
concurrent = 2
"""


@pytest.fixture(scope="module")
def peopled(open_folder: Path, common_slapd: Slapd) -> Iterator[Installation]:
    """Two directories, of which only the first has people, and clients with different rights."""
    corp = directory_table(common_slapd)
    annexe = corp.replace('name = "corp"', 'name = "annexe"').replace(f'"{PEOPLE}"', f'"{NO_PEOPLE}"')
    made = Installation(short_folder(open_folder), directories=corp + annexe)
    made.rewrite(made.clients + OTHERS)
    made.daemon.start()
    yield made
    made.daemon.stop()


def named(installation: Installation, name: str) -> Application:
    """One of the other clients."""
    return installation.client(name, Order((f"dns:{name}.example.com",)))


def end_of_login(installation: Installation, outcome: login_pb2.Outcome) -> dict[str, object]:
    """What the log says of a login, which it knows by the reference that its person reads."""

    def ended() -> list[dict[str, object]]:
        return [one for one in installation.said("login.ended") if one["ref"] == outcome.reference]

    wait_until(lambda: len(ended()) == 1, "the login's end in the log")
    return ended()[0]


def code_of(application: Application, method: str, request: bytes = b"") -> grpc.StatusCode:
    """How a raw call of a method ends."""
    with application.channel() as channel:
        try:
            call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
            call(request, timeout=10)
        except grpc.RpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def test_every_method_without_a_right_is_denied(peopled: Installation) -> None:
    """API-02: no method of any service but those in the client's list gets as far as its handler."""
    vpn = peopled.vpn()
    allowed = methods_named("login") | methods_named("health")
    denied = {method for service in SERVICES.values() for method in methods_of(service)} - allowed
    assert len(denied) > 10
    for method in sorted(denied):
        assert code_of(vpn, method) is grpc.StatusCode.PERMISSION_DENIED, method
    nobody = login_pb2.BeginLoginRequest(service="vpn").SerializeToString()
    assert code_of(vpn, f"{LOGIN}BeginLogin", nobody) is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("method", "right"),
    [
        ("KeyService/GetKeys", "keys"),
        ("AdminService/GetStatus", "nightlatch.v1.AdminService/GetStatus"),
    ],
)
def test_a_denial_names_what_is_missing(peopled: Installation, method: str, right: str) -> None:
    """Whoever reads it in an application's log knows what to ask for, and for no more."""
    with peopled.vpn().channel() as channel:
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/nightlatch.v1.{method}")
        with pytest.raises(grpc.RpcError) as refused:
            call(b"", timeout=10)
    assert f'by "{right}" in methods of its [[clients]] table' in str(refused.value.details())


def test_what_is_not_served_here_is_not_there(peopled: Installation) -> None:
    """A method that no service has is UNIMPLEMENTED for everybody."""
    assert code_of(peopled.vpn(), f"{LOGIN}NoSuchMethod") is grpc.StatusCode.UNIMPLEMENTED


def test_a_right_to_one_method_is_a_right_to_one_method(peopled: Installation) -> None:
    """The right to BeginLogin alone lets nobody answer (API-02)."""
    beginner = named(peopled, "beginner")
    assert beginner.begin("beginner").prompt.text == "Password: "
    assert code_of(beginner, f"{LOGIN}AnswerLogin") is grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize("service", ["sshd", "vpn-adm", "VPN", "vpn ", "portal"])
def test_another_s_service_is_denied(peopled: Installation, service: str) -> None:
    """A client logs people in to its own services, by their exact names (API-02)."""
    with pytest.raises(grpc.RpcError) as error:
        peopled.vpn().begin(service)
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_without_a_list_the_service_is_the_client_s_name(peopled: Installation) -> None:
    """The portal acts for the portal."""
    portal = peopled.portal()
    assert portal.begin("portal").prompt.text == "Password: "
    with pytest.raises(grpc.RpcError) as error:
        portal.begin("vpn")
    assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_people_of_other_directories_do_not_exist(peopled: Installation, newcomer: str) -> None:
    """A client with directories finds nobody outside them, whatever it calls (API-02)."""
    with named(peopled, "annexe").channel() as channel, peopled.portal().channel() as other:
        outcome = Person(channel, newcomer, "annexe").password().outcome
        assert outcome.verdict == login_pb2.VERDICT_REFUSED
        assert outcome.message == Person(other, "nobody", "portal").password().outcome.message
        request = enrollment_pb2.BeginEnrollmentRequest(user=newcomer, factor="totp")
        with pytest.raises(grpc.RpcError) as error:
            enrollment_pb2_grpc.EnrollmentServiceStub(channel).BeginEnrollment(request, timeout=10)
        assert error.value.code() is grpc.StatusCode.NOT_FOUND
        with pytest.raises(grpc.RpcError) as error:
            admin_pb2_grpc.AdminServiceStub(channel).ListCredentials(
                admin_pb2.ListCredentialsRequest(user=newcomer), timeout=10
            )
        assert error.value.code() is grpc.StatusCode.NOT_FOUND
        enroll(other, newcomer)


def test_a_ticket_is_its_client_s(peopled: Installation, newcomer: str) -> None:
    """SES-03: neither another certificate nor a PAM module goes on with a client's login."""
    with peopled.vpn().channel() as channel, peopled.portal().channel() as other:
        step = Person(channel, newcomer, "vpn").begin()
        with peopled.daemon.channel() as pam:
            for thief in (other, pam):
                with pytest.raises(grpc.RpcError) as error:
                    Person(thief).answer(step, "secret")
                assert error.value.code() is grpc.StatusCode.FAILED_PRECONDITION
        Person(channel).answer(step, "secret")


def test_a_login_over_tls_from_password_to_grant(peopled: Installation, newcomer: str) -> None:
    """An application lets a person in with password and code; the log names the client and the source."""
    with peopled.portal().channel() as portal, peopled.vpn().channel() as vpn:
        app = enroll(portal, newcomer)
        outcome = Person(vpn, newcomer, "vpn").sign_in(app.fresh())
    assert outcome.verdict == login_pb2.VERDICT_GRANTED
    ended = end_of_login(peopled, outcome)
    assert (ended["caller"], ended["service"], ended["source"]) == ("client vpn", "vpn", "192.0.2.7")


@pytest.mark.parametrize("claimed", ["10.0.0.1", "::ffff:10.0.0.1", " 10.0.0.1", "trusted.example.com", ""])
def test_a_source_is_the_connection_s_own(peopled: Installation, newcomer: str, claimed: str) -> None:
    """POL-04: without the right to set it, what a client says of the source counts for nothing."""
    with peopled.portal().channel() as channel:
        stub = login_pb2_grpc.LoginServiceStub(channel)
        spoken = (("x-real-ip", "10.0.0.1"), ("x-forwarded-for", "10.0.0.1"))
        request = begin("portal", newcomer, claimed)
        step = stub.BeginLogin(request, timeout=10, metadata=spoken).step
        outcome = Person(channel).answer(step, "wrong").outcome
    ended = end_of_login(peopled, outcome)
    assert ended["source"] == "127.0.0.1"


@pytest.mark.parametrize("claimed", ["10.0.0.1", "::ffff:10.0.0.1", " 10.0.0.1"])
def test_a_trusted_client_s_source_stays_as_it_was_said(
    peopled: Installation, newcomer: str, claimed: str
) -> None:
    """POL-04: with the right to set it, the text is kept; only an exact address is one to the rules."""
    with peopled.vpn().channel() as channel:
        stub = login_pb2_grpc.LoginServiceStub(channel)
        step = stub.BeginLogin(begin(user=newcomer, source=claimed), timeout=10).step
        outcome = Person(channel).answer(step, "wrong").outcome
    ended = end_of_login(peopled, outcome)
    assert ended["source"] == claimed


def test_a_client_has_its_share_of_calls(peopled: Installation) -> None:
    """Above its calls a second a client is told so, and the others are not (API-03)."""
    with named(peopled, "hasty").channel() as channel, peopled.portal().channel() as other:
        hasty, portal = (login_pb2_grpc.LoginServiceStub(one) for one in (channel, other))
        calls = [hasty.BeginLogin.future(begin("hasty"), timeout=10) for _ in range(40)]
        codes = [call.code() for call in calls]
        assert codes.count(grpc.StatusCode.OK) in range(5, 25)
        assert set(codes) == {grpc.StatusCode.OK, grpc.StatusCode.RESOURCE_EXHAUSTED}
        portal.BeginLogin(begin("portal"), timeout=10)

        def again() -> bool:
            try:
                hasty.BeginLogin(begin("hasty"), timeout=10)
            except grpc.RpcError:
                return False
            return True

        wait_until(again, "the next second's calls")


def test_a_client_has_so_many_calls_under_way(peopled: Installation, newcomer: str) -> None:
    """The third of two is refused at once; a negative answer takes its 250 ms (API-03)."""
    with named(peopled, "patient").channel() as channel, ThreadPoolExecutor(6) as pool:
        people = [Person(channel, newcomer, "patient") for _ in range(6)]
        steps = [person.begin() for person in people]

        def answer(number: int) -> grpc.StatusCode:
            try:
                people[number].answer(steps[number], "wrong")
            except grpc.RpcError as error:
                return error.code()
            return grpc.StatusCode.OK

        codes = list(pool.map(answer, range(6)))
    assert grpc.StatusCode.RESOURCE_EXHAUSTED in codes
    assert codes.count(grpc.StatusCode.OK) >= 2


def test_health_and_reflection_need_their_rights(peopled: Installation) -> None:
    """Who has the right reads that each service works, and what there is; who has not is denied."""
    with peopled.vpn().channel() as vpn, named(peopled, "patient").channel() as patient:
        health = health_pb2_grpc.HealthStub(vpn)
        for name in ("", "nightlatch.v1.LoginService", "nightlatch.v1.AdminService"):
            answer = health.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        answers = reflection_pb2_grpc.ServerReflectionStub(patient).ServerReflectionInfo(
            iter([ask]), timeout=10
        )
        listed = {one.name for answer in answers for one in answer.list_services_response.service}
        assert {"nightlatch.v1.LoginService", "grpc.health.v1.Health"} <= listed
        with pytest.raises(grpc.RpcError) as error:
            list(reflection_pb2_grpc.ServerReflectionStub(vpn).ServerReflectionInfo(iter([ask]), timeout=10))
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
        watched = health_pb2_grpc.HealthStub(patient).Watch(health_pb2.HealthCheckRequest(), timeout=10)
        with pytest.raises(grpc.RpcError) as error:
            list(watched)
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
