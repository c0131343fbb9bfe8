"""VerificationService over TLS, against a real daemon and a real slapd."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import jwt
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from nightlatch.v1 import keys_pb2, keys_pb2_grpc, verification_pb2, verification_pb2_grpc
from testbed.applications import Installation, short_folder
from testbed.authority import Order
from testbed.front_door import Person, directory_table, enroll

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from testbed.slapd import Slapd

VERIFIED = verification_pb2.VERIFICATION_VERIFIED
WRONG = verification_pb2.VERIFICATION_WRONG
SHOP = """
[[clients]]
name = "shop"
san = "dns:shop.example.com"
methods = ["verification", "keys", "login"]
[[clients]]
name = "curious"
san = "dns:curious.example.com"
methods = ["verification"]
may_know_enrollment = true
directories = ["corp"]
"""


@pytest.fixture(scope="module")
def shop(open_folder: Path, common_slapd: Slapd) -> Iterator[Installation]:
    """A daemon with the clients shop and curious."""
    made = Installation(short_folder(open_folder), directories=directory_table(common_slapd), clients=SHOP)
    made.daemon.start()
    yield made
    made.daemon.stop()


def calling(shop: Installation, name: str = "shop") -> grpc.Channel:
    """A channel of one of the clients."""
    return shop.client(name, Order((f"dns:{name}.example.com",))).channel()


def verify(
    channel: grpc.Channel, user: str, code: str, **more: str | bool
) -> verification_pb2.VerifyCodeResponse:
    """One code; raises grpc.RpcError."""
    stub = verification_pb2_grpc.VerificationServiceStub(channel)
    request = verification_pb2.VerifyCodeRequest(user=user, code=code, **more)  # type: ignore[arg-type]
    return stub.VerifyCode(request, timeout=15)


def test_a_code_is_verified_once_and_a_retried_request_is_the_same_one(
    shop: Installation, newcomer: str
) -> None:
    """The same request_id gives the same verdict; the same code by another request is a replay."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, newcomer)
    with calling(shop) as channel:
        code = app.fresh()
        answers = [verify(channel, newcomer, code, request_id="first") for _ in range(3)]
        assert {answer.verification for answer in answers} == {VERIFIED}
        assert {(answer.factor, answer.user) for answer in answers} == {("totp", newcomer)}
        assert verify(channel, newcomer, code, request_id="second").verification == WRONG
        with pytest.raises(grpc.RpcError) as other:
            verify(channel, newcomer, app.fresh(), request_id="first")
        assert other.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_every_spelling_is_one_person_with_one_counter(shop: Installation, newcomer: str) -> None:
    """What slapd takes for alice is locked with alice (IDN, THR-06)."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, newcomer)
    with calling(shop) as channel:
        spellings = [newcomer[:cut].upper() + newcomer[cut:] for cut in range(5)]
        for user in spellings:
            assert verify(channel, user, "000000").verification == WRONG
        locked = verify(channel, newcomer, app.fresh())
        assert locked.verification == verification_pb2.VERIFICATION_LOCKED
        assert locked.retry_after_seconds > 0


def test_who_is_not_enrolled_is_told_only_to_clients_that_may_know(shop: Installation) -> None:
    """For the others, a person without a credential and an unknown name look like a wrong code."""
    with calling(shop) as channel, calling(shop, "curious") as knowing:
        for user in ("bob", "nobody-of-that-name"):
            assert verify(channel, user, "000000").verification == WRONG
            answer = verify(knowing, user, "000000")
            assert answer.verification == verification_pb2.VERIFICATION_NOT_ENROLLED


def test_rights_bound_what_a_client_may_verify(shop: Installation) -> None:
    """API-02: another service, and a method that the client's table does not name, are refused."""
    with calling(shop) as channel, calling(shop, "curious") as knowing:
        with pytest.raises(grpc.RpcError) as foreign:
            verify(channel, "alice", "000000", service="sshd")
        assert foreign.value.code() is grpc.StatusCode.PERMISSION_DENIED
        with pytest.raises(grpc.RpcError) as keys:
            keys_pb2_grpc.KeyServiceStub(knowing).GetKeys(keys_pb2.GetKeysRequest(), timeout=15)
        assert keys.value.code() is grpc.StatusCode.PERMISSION_DENIED


def test_an_outage_says_when_to_try_again(shop: Installation, common_slapd: Slapd) -> None:
    """A standard client reads google.rpc.RetryInfo; nobody was found wrong."""
    common_slapd.stop()
    try:
        with calling(shop) as channel, pytest.raises(grpc.RpcError) as away:
            verify(channel, "alice", "000000")
    finally:
        common_slapd.start()
    assert away.value.code() is grpc.StatusCode.UNAVAILABLE
    metadata = {one.key: one.value for one in away.value.trailing_metadata()}
    details = metadata["grpc-status-details-bin"]
    info, retry = Status.FromString(details).details
    told = ErrorInfo()
    info.Unpack(told)
    assert (told.domain, told.reason) == ("nightlatch", "UNAVAILABLE")
    when = RetryInfo()
    retry.Unpack(when)
    assert when.retry_delay.ToSeconds() == 1


def test_a_receipt_is_checked_with_the_published_keys(shop: Installation, newcomer: str) -> None:
    """The application trusts nobody but the daemon's key, and only receipts for itself."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, newcomer)
    with calling(shop) as channel:
        published = keys_pb2_grpc.KeyServiceStub(channel).GetKeys(keys_pb2.GetKeysRequest(), timeout=15)
        receipt = verify(channel, newcomer, app.fresh(), wants_receipt=True).receipt
    keys = jwt.PyJWKSet.from_json(published.jwks)
    key = keys[jwt.get_unverified_header(receipt)["kid"]]
    claims = jwt.decode(
        receipt, key, algorithms=["EdDSA"], audience="shop", issuer=published.issuer, leeway=5
    )
    assert (claims["name"], claims["factor"], claims["service"]) == (newcomer, "totp", "shop")
    assert claims["sub"].startswith("corp:")


def test_one_code_in_many_requests_at_once_is_verified_by_one(shop: Installation, newcomer: str) -> None:
    """Sixty requests with one code: one is verified."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, newcomer)
    with calling(shop) as channel:
        stub = verification_pb2_grpc.VerificationServiceStub(channel)
        request = verification_pb2.VerifyCodeRequest(user=newcomer, code=app.fresh())
        under_way = [stub.VerifyCode.future(request, timeout=30) for _ in range(60)]
        answers = [one.result().verification for one in under_way]
    assert answers.count(VERIFIED) == 1


def test_the_grant_of_a_whole_login_names_its_factor_and_has_a_receipt(
    shop: Installation, newcomer: str
) -> None:
    """POL-03: the answer states the factor used; the receipt is for this client alone."""
    with shop.daemon.channel(admin=True) as admin:
        app = enroll(admin, newcomer)
    with calling(shop) as channel:
        granted = Person(channel, newcomer, "shop").sign_in(app.fresh())
        published = keys_pb2_grpc.KeyServiceStub(channel).GetKeys(keys_pb2.GetKeysRequest(), timeout=15)
    assert granted.factor == "totp"
    key = jwt.PyJWKSet.from_json(published.jwks)[jwt.get_unverified_header(granted.receipt)["kid"]]
    claims = jwt.decode(granted.receipt, key, algorithms=["EdDSA"], audience="shop", leeway=5)
    assert (claims["name"], claims["factor"]) == (newcomer, "totp")
    with shop.daemon.channel() as pam:
        assert Person(pam, newcomer).sign_in(app.fresh()).receipt == ""
