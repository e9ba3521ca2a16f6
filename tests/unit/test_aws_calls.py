"""One way to call AWS: what is tried again, what it costs, and what a caller gets to see in the end."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from controller.aws.calls import THROTTLED_FOR, Caller
from controller.aws.limiter import Limiter
from controller.aws.ports import AccessDenied, AwsError, NotFound, SdkTooOld, Throttled, Unreachable
from tests.support.aws import Answers, Reply, Step, Turned, caller, offline, refused

BODY: dict[str, Any] = {"family": "app", "containerDefinitions": [{"name": "app", "image": "i"}]}
REGISTERED = Reply(body={"taskDefinition": {"taskDefinitionArn": "arn:app:1"}})
LISTED = Reply(body={"clusterArns": ["arn:c"]})
THROTTLED = refused("ThrottlingException", message="Rate exceeded")
TIMED_OUT = ReadTimeoutError(endpoint_url="https://ecs.example")


class Heard:
    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str]] = []

    def aws_call(self, service: str, operation: str, code: str) -> None:
        self.calls.append((service, operation, code))


@pytest.fixture
def ecs() -> Any:
    return offline("ecs")


def list_clusters(ecs: Any, *steps: Step) -> tuple[Any, Answers]:
    answers = Answers(ecs, *steps)
    return caller(ecs)("ListClusters", "clusters", expects="clusterArns")["clusterArns"], answers


@pytest.mark.parametrize("code", ["ThrottlingException", "Throttling", "RequestLimitExceeded", "SlowDown"])
def test_a_throttled_call_is_tried_again(ecs: Any, code: str) -> None:
    found, answers = list_clusters(ecs, refused(code), refused(code), LISTED)
    assert found == ["arn:c"]
    assert len(answers.asked) == 3


def test_too_many_requests_is_a_throttle_by_its_status_alone(ecs: Any) -> None:
    assert list_clusters(ecs, Reply(429), LISTED)[0] == ["arn:c"]


def test_each_attempt_takes_a_token(ecs: Any) -> None:
    taken: list[str] = []
    turned = Turned()
    limiter = Limiter(1.0, lambda family, _: taken.append(family), turned.now, turned.sleep)
    Answers(ecs, THROTTLED, THROTTLED, LISTED)
    Caller(ecs, limiter, sleep=turned.sleep)("ListClusters", "clusters", expects="clusterArns")
    assert taken == ["ecs:cluster-read"] * 3


def test_a_throttle_slows_its_family_down(ecs: Any) -> None:
    turned = Turned()
    limiter = Limiter(1.0, now=turned.now, sleep=turned.sleep)
    Answers(ecs, THROTTLED, always=LISTED)
    call = Caller(ecs, limiter, sleep=turned.sleep)
    moments = []
    for _ in range(20):
        call("ListClusters", "clusters", expects="clusterArns")
        moments.append(turned.at)
    assert moments[19] - moments[9] == pytest.approx(1, rel=0.05)  # at 10 a second instead of at once


def test_waits_between_attempts_grow_and_stay_bounded(ecs: Any) -> None:
    turned = Turned()
    Answers(ecs, always=EndpointConnectionError(endpoint_url="x"))
    with pytest.raises(Unreachable):
        caller(ecs, turned)("ListClusters", "clusters", expects="clusterArns")
    assert len(turned.slept) == 5
    assert all(0 <= slept <= 0.2 * 2**number for number, slept in enumerate(turned.slept))


def test_a_throttled_register_did_not_happen_and_is_tried_again(ecs: Any) -> None:
    answers = Answers(ecs, THROTTLED, REGISTERED)
    call = caller(ecs)
    answer = call("RegisterTaskDefinition", "family app", expects="taskDefinition", repeatable=False, **BODY)
    assert answer["taskDefinition"]["taskDefinitionArn"] == "arn:app:1"
    assert len(answers.asked) == 2


@pytest.mark.parametrize(
    "answer",
    [TIMED_OUT, refused("ServerException", 500), Reply(502, b"<html>bad gateway</html>"), Reply(200, b"{oops")],
)
def test_a_register_that_may_have_happened_is_sent_once(ecs: Any, answer: Step) -> None:
    answers = Answers(ecs, answer, always=REGISTERED)
    with pytest.raises(Unreachable):
        caller(ecs)("RegisterTaskDefinition", "family app", expects="taskDefinition", repeatable=False, **BODY)
    assert answers.asked == ["RegisterTaskDefinition"]


@pytest.mark.parametrize(
    "answer",
    [
        TIMED_OUT,
        ConnectTimeoutError(endpoint_url="x"),
        EndpointConnectionError(endpoint_url="x"),
        refused("ServerException", 500),
        Reply(503),
        Reply(200, b"{oops"),
        Reply(200, b"<html>please log in</html>"),
        Reply(200),
    ],
)
def test_a_read_without_an_answer_is_tried_again(ecs: Any, answer: Step) -> None:
    assert list_clusters(ecs, answer, answer, LISTED)[0] == ["arn:c"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused("AccessDeniedException"), AccessDenied),
        (refused("ExpiredTokenException"), AccessDenied),
        (refused("ClusterNotFoundException"), NotFound),
        (refused("InvalidParameterException"), AwsError),
    ],
)
def test_a_clear_no_is_believed_at_once(ecs: Any, answer: Reply, error: type[AwsError]) -> None:
    answers = Answers(ecs, answer, always=LISTED)
    with pytest.raises(AwsError) as caught:
        caller(ecs)("ListClusters", "clusters", expects="clusterArns")
    assert type(caught.value) is error
    assert len(answers.asked) == 1


def test_codes_that_are_final_are_believed_at_once(ecs: Any) -> None:
    answers = Answers(ecs, always=Reply(500, b"<!doctype html><p>no such thing"))
    with pytest.raises(Unreachable):
        caller(ecs)("ListClusters", "clusters", expects="clusterArns", final={"500"})
    assert len(answers.asked) == 1


def test_in_the_end_the_last_error_is_told(ecs: Any) -> None:
    answers = Answers(ecs, always=TIMED_OUT)
    with pytest.raises(Unreachable):
        caller(ecs)("ListClusters", "clusters", expects="clusterArns")
    assert len(answers.asked) == 6


def test_a_throttled_call_is_tried_again_for_a_minute_and_not_much_longer(ecs: Any) -> None:
    """A CI that empties the bucket for half a minute fails no pass."""
    turned, begun = Turned(), Turned().at
    answers = Answers(ecs, always=THROTTLED)
    with pytest.raises(Throttled):
        caller(ecs, turned)("ListClusters", "clusters", expects="clusterArns")
    assert THROTTLED_FOR <= turned.at - begun < 2 * THROTTLED_FOR
    assert len(answers.asked) < THROTTLED_FOR


def test_one_attempt_is_one_though_it_is_throttled(ecs: Any) -> None:
    turned = Turned()
    answers = Answers(ecs, always=THROTTLED)
    limiter = Limiter(1.0, now=turned.now, sleep=turned.sleep)
    with pytest.raises(Throttled):
        Caller(ecs, limiter, sleep=turned.sleep, attempts=1)("ListClusters", "clusters", expects="clusterArns")
    assert len(answers.asked) == 1


def test_the_error_says_what_failed_on_what_in_aws_s_words_and_what_to_do(ecs: Any) -> None:
    Answers(ecs, refused("AccessDeniedException", message="User x is not authorized"))
    with pytest.raises(AccessDenied) as caught:
        caller(ecs)("DescribeServices", "cluster web", expects="services", cluster="web", services=["a"])
    error = caught.value
    assert (error.operation, error.resource) == ("ecs:DescribeServices", "cluster web")
    assert (error.code, error.detail) == ("AccessDeniedException", "User x is not authorized")
    assert str(error) == (
        "ecs:DescribeServices on cluster web failed: AccessDeniedException: User x is not authorized. "
        "Allow ecs:DescribeServices on cluster web to the controller's role"
    )
    assert type(error.__cause__).__name__ == "AccessDeniedException"


def test_what_nobody_expected_of_botocore_is_an_aws_error_too() -> None:
    """Its parser of XML protocols raises KeyError on a page of somebody else's."""
    sts = offline("sts")
    Answers(sts, always=Reply(200, b"<html><body>please log in</body></html>"))
    with pytest.raises(Unreachable) as caught:
        caller(sts)("GetCallerIdentity", "account", expects="Account")
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_mistake_of_our_own_is_no_lost_answer(ecs: Any) -> None:
    """It is not tried again, and says what is wrong."""
    turned = Turned()
    with pytest.raises(AwsError, match=r"ParamValidationError: [^$]*colour") as caught:
        caller(ecs, turned)("ListClusters", "clusters", expects="clusterArns", colour="red")
    assert type(caught.value) is AwsError
    assert turned.slept == []


def test_every_attempt_is_counted_with_its_code(ecs: Any) -> None:
    heard = Heard()
    Answers(ecs, THROTTLED, TIMED_OUT, Reply(200, b"<html>"), LISTED)
    caller(ecs, observer=heard)("ListClusters", "clusters", expects="clusterArns")
    codes = ["ThrottlingException", "ReadTimeoutError", "ResponseParserError", ""]
    assert heard.calls == [("ecs", "ListClusters", code) for code in codes]


def test_an_error_of_ours_from_within_passes_as_it_is(ecs: Any) -> None:
    """A role that cannot be assumed says so itself; it is counted as a failure all the same."""
    heard = Heard()
    Answers(ecs, AccessDenied("sts:AssumeRole", "arn:role", "AccessDenied", "not you"))
    with pytest.raises(AccessDenied, match="sts:AssumeRole on arn:role"):
        caller(ecs, observer=heard)("ListClusters", "clusters", expects="clusterArns")
    assert heard.calls == [("ecs", "ListClusters", "AccessDenied")]


def test_what_is_taken_from_an_answer_is_part_of_the_attempt(ecs: Any) -> None:
    def take(answer: dict[str, Any]) -> list[str]:
        if answer["clusterArns"] == ["torn"]:
            raise TIMED_OUT
        found: list[str] = answer["clusterArns"]
        return found

    Answers(ecs, Reply(body={"clusterArns": ["torn"]}), LISTED)
    assert caller(ecs)("ListClusters", "clusters", expects="clusterArns", take=take) == ["arn:c"]


def test_a_stop_is_never_taken_for_an_error_of_aws(ecs: Any) -> None:
    def take(_: Any) -> None:
        raise KeyboardInterrupt

    Answers(ecs, LISTED)
    with pytest.raises(KeyboardInterrupt):
        caller(ecs)("ListClusters", "clusters", expects="clusterArns", take=take)


def test_all_our_errors_are_told_as_they_are() -> None:
    for kind in (AccessDenied, NotFound, SdkTooOld, Throttled, Unreachable):
        assert issubclass(kind, AwsError)
        assert str(kind("s3:GetObject", "s3://b/k", "Code", "words")) == "s3:GetObject on s3://b/k failed: Code: words"
