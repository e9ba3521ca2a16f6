"""Whatever goes wrong between LogRoute and AWS is an AwsError that says what to do."""

from __future__ import annotations

import inspect
import socket
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import exceptions as boto
from botocore import parsers
from botocore.config import Config
from urllib3.exceptions import ProtocolError

from controller.api.keys import Place
from controller.aws.accounts import AwsAccount, Options, Role, default_region
from controller.aws.failures import translate
from controller.aws.objects import S3Bucket
from controller.aws.ports import AccessDenied, AwsError, NotFound, PreconditionFailed, Throttled, Unreachable
from tests.support.aws import Answers, Reply, Turned, caller, offline, refused, refused_by_s3

OURS = (boto.BotoCoreError, boto.ClientError)
OTHERS = (parsers.ResponseParserError, OSError, KeyError, AttributeError, RuntimeError)
"""What else was seen to come out of a client."""
RAISED = sorted(
    {one for one in vars(boto).values() if inspect.isclass(one) and issubclass(one, OURS)} | set(OTHERS),
    key=lambda one: one.__name__,
)
AGAIN = (Throttled, Unreachable)
NO_ANSWER = {one.__name__ for one in OTHERS} | {
    "HTTPClientError",
    "ConnectionClosedError",
    "ReadTimeoutError",
    "ResponseStreamingError",
    "ConnectionError",
    "EndpointConnectionError",
    "SSLError",
    "ConnectTimeoutError",
    "ProxyConnectionError",
    "IncompleteReadError",
    "ChecksumError",
    "FlexibleChecksumError",
    "CredentialRetrievalError",
    "MetadataRetrievalError",
}


class _Blanks(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


def made(kind: type[Exception]) -> Exception:
    """An exception of `kind`, whatever its message wants to know."""
    if issubclass(kind, boto.ClientError):
        return kind({"Error": {"Code": "Odd", "Message": "odd"}}, "Operation")
    if issubclass(kind, boto.BotoCoreError):
        error = kind.__new__(kind)
        Exception.__init__(error, kind.fmt.format_map(_Blanks(error=OSError("broken"))))
        return error
    return kind("odd")


@pytest.mark.parametrize("kind", RAISED, ids=lambda kind: kind.__name__)
def test_every_exception_of_botocore_becomes_one_of_ours(kind: type[Exception]) -> None:
    error = translate("ecs:ListClusters", "clusters", made(kind))
    assert isinstance(error, AwsError)
    assert (error.operation, error.resource) == ("ecs:ListClusters", "clusters")
    assert error.code
    assert error.detail
    assert isinstance(error, AGAIN) == (kind.__name__ in NO_ANSWER)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("AccessDenied", 403, AccessDenied),
        ("AccessDeniedException", 400, AccessDenied),
        ("SomethingNewThatIsForbidden", 403, AccessDenied),
        ("403", 403, AccessDenied),
        ("", 403, AccessDenied),
        ("ExpiredToken", 400, AccessDenied),
        ("ExpiredTokenException", 400, AccessDenied),
        ("InvalidClientTokenId", 403, AccessDenied),
        ("UnrecognizedClientException", 400, AccessDenied),
        ("InvalidSignatureException", 400, AccessDenied),
        ("RequestTimeTooSkewed", 403, AccessDenied),
        ("ClusterNotFoundException", 400, NotFound),
        ("ServiceNotFoundException", 400, NotFound),
        ("NoSuchKey", 404, NotFound),
        ("NoSuchBucket", 404, NotFound),
        ("ResourceNotFoundException", 400, NotFound),
        ("404", 404, NotFound),
        ("PreconditionFailed", 412, PreconditionFailed),
        ("ConditionalRequestConflict", 409, PreconditionFailed),
        ("ThrottlingException", 400, Throttled),
        ("SlowDown", 503, Throttled),
        ("TooManyRequestsException", 429, Throttled),
        ("ServerException", 500, Unreachable),
        ("InternalError", 500, Unreachable),
        ("ServiceUnavailable", 503, Unreachable),
        ("RequestTimeout", 400, Unreachable),
        ("ClientException", 400, AwsError),
        ("InvalidParameterException", 400, AwsError),
        ("LimitExceededException", 400, AwsError),
    ],
)
def test_a_code_of_aws_decides_what_kind_it_is(code: str, status: int, kind: type[AwsError]) -> None:
    said = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error = translate("x:Y", "z", boto.ClientError(said, "Y"))  # type: ignore[arg-type]
    assert type(error) is kind
    assert error.code == (code or str(status))


def test_expired_credentials_ask_for_new_ones_and_not_for_rights() -> None:
    ecs = offline("ecs")
    Answers(ecs, always=refused("ExpiredTokenException", message="The security token included is expired"))
    with pytest.raises(AccessDenied, match=r"security token included is expired. The credentials are expired"):
        caller(ecs)("ListClusters", "clusters", expects="clusterArns")


def test_a_page_of_somebody_else_s_is_never_read_as_nothing() -> None:
    """A captive portal or a proxy answers 200: "no services" would make us forget them all."""
    ecs, s3, logs = offline("ecs"), offline("s3"), offline("logs")
    for client in (ecs, s3, logs):
        Answers(client, always=Reply(200, b"<html><body>please log in</body></html>"))
    account: list[Callable[[], object]] = [
        lambda: caller(ecs)("ListServices", "cluster c", expects="serviceArns", cluster="c"),
        lambda: list(S3Bucket(caller(s3), "b").list("")),
        lambda: S3Bucket(caller(s3), "b").get("k"),
        lambda: S3Bucket(caller(s3), "b").put("k", b"", content_type="t"),
        lambda: caller(logs)("DescribeLogGroups", "log group g", expects="logGroups"),
    ]
    for ask in account:
        with pytest.raises(Unreachable, match=r"the answer is not AWS's.*Check AWS_ENDPOINT_URL"):
            ask()


@pytest.mark.parametrize("body", [b"{oops", b"", b"[]", b"null", b"<html>"])
def test_malformed_json_is_no_answer(body: bytes) -> None:
    ecs = offline("ecs")
    Answers(ecs, always=Reply(200, body))
    with pytest.raises(Unreachable):
        caller(ecs)("ListClusters", "clusters", expects="clusterArns")


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", [b"", b"<html>bad</html>", b"<!doctype html><p>bad", b"upstream connect error"])
@pytest.mark.parametrize("service", ["ecs", "s3", "sts"])
def test_a_gateway_s_error_page_is_no_answer(service: str, status: int, body: bytes) -> None:
    client = offline(service)
    Answers(client, always=Reply(status, body))
    operation = {"ecs": "ListClusters", "s3": "ListBuckets", "sts": "GetCallerIdentity"}[service]
    with pytest.raises(Unreachable):
        caller(client)(operation, "it", expects="")


class _Torn:
    """A body that breaks off."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def read(self, _amt: int | None = None) -> bytes:
        raise self._error

    def close(self) -> None:
        pass


def test_a_body_that_breaks_off_is_read_again() -> None:
    s3 = offline("s3")
    headers = {"ETag": '"e"', "Content-Length": "4"}
    torn = Reply(headers=headers, raw=_Torn(ProtocolError("Connection broken")))
    answers = Answers(s3, torn, torn, Reply(body=b"body", headers=headers))
    assert S3Bucket(caller(s3), "b").get("k").body == b"body"
    assert len(answers.asked) == 3


def test_a_body_that_always_breaks_off_is_unreachable() -> None:
    s3 = offline("s3")
    torn = Reply(headers={"ETag": '"e"'}, raw=_Torn(ProtocolError("Connection broken")))
    Answers(s3, always=torn)
    with pytest.raises(Unreachable, match="s3:GetObject on s3://b/k failed: ResponseStreamingError"):
        S3Bucket(caller(s3), "b").get("k")


def test_a_body_that_is_too_short_is_no_object() -> None:
    s3 = offline("s3")
    Answers(s3, always=Reply(body=b"bo", headers={"ETag": '"e"', "Content-Length": "4"}))
    with pytest.raises(Unreachable, match="IncompleteReadError"):
        S3Bucket(caller(s3), "b").get("k")


@pytest.fixture
def closed_port() -> Iterator[str]:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_an_endpoint_that_is_down_is_unreachable(closed_port: str) -> None:
    session: Any = boto3.Session("AKIATEST", "secret")
    client = session.client(
        "ecs", region_name="us-east-1", endpoint_url=closed_port, config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(Unreachable, match=r"Could not connect to the endpoint URL.*Check the network") as caught:
        caller(client)("ListClusters", "clusters", expects="clusterArns")
    assert isinstance(caught.value.__cause__, boto.EndpointConnectionError)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> pytest.MonkeyPatch:
    """No credentials, no region, no profiles, no instance metadata."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "DEFAULT_REGION", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


def account(region: str = "us-east-1", role: str | None = None) -> AwsAccount:
    turned = Turned()
    return AwsAccount(Place("main", region), Role(role), Options(1.0, sleep=turned.sleep, monotonic=turned.now))


@pytest.mark.usefixtures("bare")
def test_missing_credentials_are_told_at_the_first_call() -> None:
    ecs = account().ecs
    with pytest.raises(AccessDenied, match=r"ecs:ListClusters on clusters failed: NoCredentialsError.*Give AWS cred"):
        ecs.list_clusters()


@pytest.mark.usefixtures("bare")
def test_a_role_without_credentials_to_assume_it_names_the_role() -> None:
    role = "arn:aws:iam::123456789012:role/logroute"
    with pytest.raises(AccessDenied, match=f"sts:AssumeRole on {role} failed: NoCredentialsError"):
        account(role=role).ecs.list_clusters()


def test_half_of_the_credentials_are_none(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ACCESS_KEY_ID", "AKIATEST")
    with pytest.raises(AccessDenied, match="account main/us-east-1 failed: PartialCredentialsError"):
        account().ecs.list_clusters()


@pytest.mark.usefixtures("bare")
def test_no_region_says_where_to_set_it() -> None:
    with pytest.raises(AwsError, match=r"NoRegionError: You must specify a region. Set AWS_REGION"):
        account("").ecs.list_clusters()


def test_a_profile_that_is_not_there_is_told(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(AwsError, match="ProfileNotFound: The config profile"):
        account().ecs.list_clusters()
    with pytest.raises(AwsError, match="ProfileNotFound"):
        default_region()


def test_an_endpoint_that_is_no_url_is_told(bare: pytest.MonkeyPatch) -> None:
    bare.setenv("AWS_ENDPOINT_URL", "not a url")
    with pytest.raises(AwsError, match="Invalid endpoint"):
        account().ecs.list_clusters()


def test_a_lost_precondition_says_who_looks_again() -> None:
    s3 = offline("s3")
    Answers(s3, always=refused_by_s3("ConditionalRequestConflict", 409))
    with pytest.raises(PreconditionFailed, match="Somebody else wrote first"):
        S3Bucket(caller(s3), "b").put("k", b"x", content_type="t", create=True)
