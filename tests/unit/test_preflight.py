"""What IAM's answers mean, and how seldom it is asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from controller.aws.limiter import FAMILIES, Limiter
from controller.aws.ports import AccessDenied, AwsError, NotFound, Simulated, Unreachable
from controller.permissions.destinations import Where, accesses, concrete
from controller.permissions.preflight import (
    Answer,
    Answers,
    Decision,
    Judgement,
    Question,
    Unanswered,
    allows_anyway,
    judge,
    questions,
    told,
)
from controller.permissions.tasks import Need
from controller.reconciling.rights import BELIEVED, LOOK_AGAIN, SILENCE, Rights
from tests.support.aws import Turned

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/web"
OTHER = "arn:aws:iam::210987654321:role/theirs"
OBJECT, BUCKET = "arn:aws:s3:::logs/a.gz", "arn:aws:s3:::logs"
NEED = Need("task", ("s3:PutObject",), ("arn:aws:s3:::logs/*",), "web/httpd", "output archive", asks=(OBJECT,))
QUESTION = Question(ROLE, "s3:PutObject", OBJECT)
ROLES = {"task": ROLE}


def judged(*needs: Need, roles: Mapping[str, str] = ROLES, said: Answer | Unanswered, **more: bool) -> Judgement:
    answers: Answers = dict.fromkeys(questions(needs, roles), said)
    return judge(needs, roles, answers, **more)


ALLOWED, DENIED = Answer(Decision.ALLOWED), Answer(Decision.NOT_ALLOWED)


def test_a_right_that_is_there_is_not_spoken_of() -> None:
    assert judged(NEED, said=ALLOWED) == Judgement(())


def test_a_denial_is_told_with_the_statement_that_mends_it() -> None:
    said = told(judged(NEED, said=DENIED).lacks)
    assert said.startswith("role/web may not s3:PutObject on arn:aws:s3:::logs/* for output archive of web/httpd. ")
    statement = json.loads(said.partition("Add to role/web: ")[2])
    assert statement == {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": "arn:aws:s3:::logs/*"}


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (Answer(Decision.NOT_ALLOWED, missing=("aws:SourceVpce",)), "it depends on aws:SourceVpce"),
        (Answer(Decision.ALLOWED, missing=("aws:SourceIp",)), "it depends on aws:SourceIp"),
        (Unanswered("IAM did not answer"), "IAM did not answer"),
    ],
)
def test_what_is_not_certain_is_unknown_and_no_denial(said: Answer | Unanswered, why: str) -> None:
    found = judged(NEED, said=said)
    assert found.lacks == ()
    assert found.unknown == (f"whether role/web may s3:PutObject for output archive of web/httpd is not known: {why}",)


def test_what_varies_by_record_is_denied_to_nobody_but_allowed_as_a_whole() -> None:
    varies = Need("task", ("logs:PutLogEvents",), ("arn:aws:logs:*:*:log-group:/a/*",), "web/httpd", "output cw")
    assert judged(varies, said=ALLOWED) == Judgement(())
    found = judged(varies, said=DENIED)
    assert (found.lacks, len(found.unknown)) == ((), 1)


def test_what_the_resource_itself_may_allow_is_unknown_unless_it_is_denied() -> None:
    domain = Need(
        "task", ("es:ESHttpPost",), ("arn:aws:es:r:1:domain/d/*",), "a/b", "output os", asks=("arn:aws:es:x",)
    )
    assert judged(domain, said=DENIED).lacks == ()
    assert judged(domain, said=Answer(Decision.DENIED)).lacks


def test_on_instances_their_role_pulls_and_logs_but_fetches_no_secret() -> None:
    log = Need("execution", ("logs:PutLogEvents",), ("arn:aws:logs:r:1:log-group:x:*",), "a/b", "the router's own log")
    secret = Need("execution", ("secretsmanager:GetSecretValue",), ("arn:aws:s",), "a/b", "a secret")
    assert len(judged(log, secret, said=ALLOWED, instance_role=True).lacks) == 1
    assert len(judged(log, secret, said=ALLOWED).lacks) == 2
    assert "Give the task definition an execution role (executionRoleArn) that has: " in told(
        judged(secret, said=ALLOWED).lacks
    )


def test_of_several_forms_of_one_thing_one_is_enough() -> None:
    """IAM sees a log group in one form for some actions, and in another for others."""
    where = Where("aws", ACCOUNT, "eu-west-1")
    options = {"name": "cloudwatch_logs", "log_group_name": "/a", "auto_create_group": "On", "region": "eu-west-1"}
    makes = list(accesses(options, where))[1]
    need = Need("task", makes.actions, makes.resources, "a/b", "output cw", asks=makes.asks)
    one, other = questions([need], ROLES)
    assert judge([need], ROLES, {one: DENIED, other: ALLOWED}) == Judgement(())
    assert judge([need], ROLES, {one: DENIED, other: DENIED}).lacks


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("httpd/%Y/%m/%d/%H_%M_$UUID.gz", "httpd/2026/11/11/11_11_logroute.gz"),
        ("$TAG[0]/$TAG/$INDEX", "logroute/logroute/logroute"),
        ("plain", "plain"),
        ("a/${ENV}/b", ""),
        ("a/$(ecs_cluster)/b", ""),
    ],
)
def test_an_s3_key_is_made_as_the_output_makes_it_or_nobody_can_tell(form: str, key: str) -> None:
    assert concrete(form) == key


def policy(principal: Any, action: str = "s3:PutObject", effect: str = "Allow") -> dict[str, Any]:
    return {"Statement": {"Effect": effect, "Action": action, "Principal": principal}}


@pytest.mark.parametrize(
    ("given", "may"),
    [
        (policy({"AWS": ROLE}), True),
        (policy("*"), True),
        (policy({"AWS": [OTHER, ROLE]}, "s3:*"), True),
        (policy({"AWS": ROLE}, "*"), True),
        (policy({"AWS": f"arn:aws:iam::{ACCOUNT}:root"}), False),
        (policy({"AWS": OTHER}), False),
        (policy({"Service": "logs.amazonaws.com"}), False),
        (policy({"AWS": ROLE}, effect="Deny"), False),
        (policy({"AWS": ROLE}, "sqs:*"), False),
        ({"Statement": ["no statement"]}, False),
        ({}, False),
    ],
)
def test_a_resource_s_own_policy_may_give_it_by_name_or_to_everybody(given: dict[str, Any], *, may: bool) -> None:
    assert allows_anyway(given, ROLE, "s3:PutObject") is may


@dataclass
class FakeIam:
    """Says of all that is asked what `says` makes of it, and counts."""

    says: Callable[[], Sequence[tuple[str, tuple[str, ...]]] | str]
    asked: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    own: dict[str, Any] = field(default_factory=dict)

    def simulate(
        self, role: str, actions: Sequence[str], resources: Sequence[str], _context: Mapping[str, str]
    ) -> list[Simulated]:
        self.asked.append((role, tuple(actions), tuple(resources)))
        decision = self.says()
        assert isinstance(decision, str)
        return [Simulated(action, one, decision) for action in actions for one in resources]

    def trust(self, _role: str) -> dict[str, Any]:
        return self.own

    def bucket_policy(self, _bucket: str) -> dict[str, Any]:
        return self.own


def rights(says: str | AwsError) -> tuple[Rights, FakeIam, Turned]:
    def answer() -> str:
        if isinstance(says, AwsError):
            raise says
        return says

    iam, clock = FakeIam(answer), Turned()
    return Rights(iam, iam, clock.now), iam, clock  # type: ignore[arg-type]


def failed(kind: type[AwsError], code: str) -> AwsError:
    return kind("iam:SimulatePrincipalPolicy", ROLE, code, "said AWS")


def test_a_right_is_believed_for_an_hour_and_a_denial_for_a_minute() -> None:
    for decision, seconds in (("allowed", BELIEVED), ("implicitDeny", LOOK_AGAIN)):
        asking, iam, clock = rights(decision)
        asking.asked(ROLE, [QUESTION], ACCOUNT)
        assert asking.known(ROLE, [QUESTION]) == asking.asked(ROLE, [QUESTION], ACCOUNT)
        assert len(iam.asked) == 1
        clock.sleep(seconds + 1)
        assert asking.known(ROLE, [QUESTION]) is None
        assert asking.known(ROLE, [Question(ROLE, "s3:GetObject", OBJECT)]) is None


def test_the_more_roles_lack_something_the_later_each_is_asked_about_again() -> None:
    asking, _, _ = rights("implicitDeny")
    for number in range(1000):
        role = f"{ROLE}-{number}"
        asking.asked(role, [Question(role, "s3:PutObject", OBJECT)], ACCOUNT)
    assert asking.patience() > 1000


def test_a_role_that_does_not_exist_may_do_nothing() -> None:
    asking, _, _ = rights(failed(NotFound, "NoSuchEntity"))
    assert asking.asked(ROLE, [QUESTION], ACCOUNT) == {
        QUESTION: Answer(Decision.NOT_ALLOWED, by="there is no such role")
    }


def test_without_the_right_to_ask_nothing_is_known_of_this_role() -> None:
    asking, iam, _ = rights(failed(AccessDenied, "AccessDenied"))
    [said] = asking.asked(ROLE, [QUESTION], ACCOUNT).values()
    assert isinstance(said, Unanswered)
    assert "the controller may not ask IAM" in said.why
    asking.asked(f"{ROLE}-2", [QUESTION], ACCOUNT)
    assert len(iam.asked) == 2


def test_iam_that_does_not_answer_is_left_alone_for_a_minute() -> None:
    asking, iam, clock = rights(failed(Unreachable, "EndpointConnectionError"))
    for number in range(5):
        asking.asked(f"{ROLE}-{number}", [QUESTION], ACCOUNT)
    assert len(iam.asked) == 1
    clock.sleep(SILENCE + 1)
    asking.asked(f"{ROLE}-9", [QUESTION], ACCOUNT)
    assert len(iam.asked) == 2


@pytest.mark.parametrize("role", [OTHER, "arn:aws:iam::*", "arn:aws:iam::123456789012:role/x-*", "${ROLE}"])
def test_a_role_that_is_not_of_the_account_or_not_fixed_is_not_asked_about(role: str) -> None:
    asking, iam, _ = rights("implicitDeny")
    [said] = asking.asked(role, [QUESTION], ACCOUNT).values()
    assert isinstance(said, Unanswered)
    assert iam.asked == []


def test_an_answer_that_leaves_something_out_leaves_it_unknown() -> None:
    asking, iam, _ = rights("allowed")
    iam.simulate = lambda *_: []  # type: ignore[method-assign]
    assert asking.asked(ROLE, [QUESTION], ACCOUNT) == {QUESTION: Unanswered("IAM's answer does not say")}


def test_every_resource_is_asked_about_in_one_call_and_everything_in_another() -> None:
    asking, iam, _ = rights("allowed")
    some = [QUESTION, Question(ROLE, "s3:ListBucket", BUCKET), Question(ROLE, "ecr:GetAuthorizationToken", "*")]
    asking.asked(ROLE, some, ACCOUNT)
    assert [one[2] for one in iam.asked] == [(OBJECT, BUCKET), ("*",)]


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0, 10.0])
def test_iam_is_asked_once_a_second_at_most_whatever_the_share(share: float) -> None:
    clock = Turned()
    limiter = Limiter(share, now=clock.now, sleep=clock.sleep)
    for _ in range(10):
        limiter.acquire("iam", "SimulatePrincipalPolicy")
    assert clock.now() >= 9 - 1e-3
    assert FAMILIES["iam"].most == 1
