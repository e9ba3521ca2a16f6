"""What the other rooms may ask of AWS, as Protocols, and the errors they may get.

AwsError                  an AWS call failed for good; says the operation, the resource and what to do
├── AccessDenied          the credentials lack a right, or there are none
├── Forbidden             not sent: LogRoute's own settings, or its lists of calls, do not allow it
├── LeaseLost             not sent: another replica may hold the account and region by now
├── NotFound              the bucket, object, cluster, secret … is not there
├── PreconditionFailed    somebody else wrote first (If-Match, If-None-Match)
├── SdkTooOld             botocore does not know a field, and would lose it
├── Throttled             still throttled after the retries
└── Unreachable           no answer: network, endpoint, or a time-out. A write may have happened
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

from controller.api.errors import Explained
from controller.api.starters import Starter


class Urgency(IntEnum):
    """Who goes first where calls wait for the budget."""

    REPAIR = 0
    """Without it no new task starts: config objects that live revisions name."""
    ROLLOUT = 1
    """What a worker reads and writes for one service."""
    RESYNC = 2
    """What a pass reads."""
    GARBAGE = 3
    """What is looked at, and put away, once a day."""


URGENCY: ContextVar[Urgency] = ContextVar("URGENCY", default=Urgency.RESYNC)
"""Of the calls that are made just now, in this thread."""


@contextmanager
def at(urgency: Urgency) -> Iterator[None]:
    token = URGENCY.set(urgency)
    try:
        yield
    finally:
        URGENCY.reset(token)


class AwsError(Explained):
    """An AWS call that failed for good.

    `operation` is AWS's name for it (`s3:GetObject`), `resource` what it was about, `code` AWS's own
    error code or a class name of botocore's, `detail` AWS's words, `hint` what a person can do.
    """

    def __init__(self, operation: str, resource: str, code: str, detail: str, hint: str = "") -> None:
        super().__init__(operation, resource, code, detail, hint)
        self.operation, self.resource, self.code, self.detail, self.hint = (
            operation,
            resource,
            code,
            detail,
            hint,
        )

    def __str__(self) -> str:
        text = f"{self.operation} on {self.resource} failed: {self.code}: {self.detail.rstrip('.')}"
        return f"{text}. {self.hint}" if self.hint else text


class AccessDenied(AwsError):
    """The credentials lack a right that the operation needs; are expired, wrong, or not there at all."""


class Forbidden(AwsError):
    """A request that was not sent: the settings do not allow it, or this program has no business with it."""


class LeaseLost(AwsError):
    """A write that was not sent, for the lease on its account and region is not ours, or may not be any more."""


class NotFound(AwsError):
    """The resource does not exist."""


class PreconditionFailed(AwsError):
    """A conditional write lost: somebody else wrote the object first."""


class Throttled(AwsError):
    """AWS still says "rate exceeded" after the retries."""


class Unreachable(AwsError):
    """No usable answer. A write that ends so may have happened all the same."""


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """One row of an S3 listing: `key` is whole, `etag` without quotes, `size` in bytes."""

    key: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredObject:
    body: bytes
    etag: str


class ObjectStore(Protocol):
    """One S3 bucket. Keys are whole keys; every method may raise AwsError."""

    @property
    def bucket(self) -> str: ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        """All objects under `prefix`, in key order, 1,000 a request (ListObjectsV2)."""

    def get(self, key: str, *, max_bytes: int | None = None) -> StoredObject:
        """The object; NotFound where it is missing. At most `max_bytes` + 1 bytes are read."""

    def put(
        self, key: str, body: bytes, *, content_type: str, create: bool = False, replaces: str | None = None
    ) -> str:
        """Write and return the new ETag; `create` is If-None-Match: *, `replaces` is If-Match: <etag>."""

    def delete(self, key: str, *, replaces: str | None = None) -> None:
        """`replaces`: If-Match: <etag>; PreconditionFailed or NotFound where it is another object by now."""


@dataclass(frozen=True, slots=True)
class Message:
    """Of a queue. `receipt` is what it is deleted by."""

    receipt: str
    body: str


class EventQueue(Protocol):
    """One SQS queue; every method may raise AwsError."""

    def receive(self, wait_seconds: int) -> list[Message]:
        """Up to ten, after at most so long. What is not deleted comes again."""

    def delete(self, messages: Iterable[Message]) -> None: ...


class Topic(Protocol):
    """One SNS topic."""

    def publish(self, subject: str, message: str, attributes: Mapping[str, str]) -> None:
        """Raises AwsError."""


class SourceBucket(ObjectStore, Protocol):
    """A bucket that specs come from; every request names the account that it must belong to, where one is set."""

    def versioned(self) -> bool:
        """Whether it keeps versions of its objects (GetBucketVersioning)."""


class Secrets(Protocol):
    def get(self, arn: str) -> str:
        """The current text of a Secrets Manager secret."""


@dataclass(frozen=True, slots=True)
class Services:
    """What DescribeServices said: raw services with their tags, and the names it did not find."""

    found: tuple[dict[str, Any], ...]
    missing: tuple[str, ...]


class Ecs(Protocol):
    """ECS in one account and region. Bodies are botocore's own dicts; every method may raise AwsError."""

    def now(self) -> float:
        """Seconds since the epoch by ECS's own clock, as its last answer told: what its times are compared with."""

    def list_clusters(self) -> list[str]:
        """All cluster names."""

    def list_services(self, cluster: str) -> list[str]:
        """All service ARNs of a cluster, 100 a request. NotFound where the cluster is missing."""

    def describe_services(self, cluster: str, names: Iterable[str]) -> Services:
        """Names or ARNs, 10 a request, tags included."""

    def describe_task_definition(self, reference: str, *, cached: bool = True) -> dict[str, Any]:
        """`{"taskDefinition": …, "tags": […]}` of an ARN, `family:revision`, or the family's latest.

        Only full ARNs are ever cached: a revision's body never changes; its status and tags may. Raises SdkTooOld
        where ECS answered a field that this botocore would drop (facts: a re-register would lose it).
        """

    def list_families(self, prefix: str) -> list[str]:
        """Families with an ACTIVE revision whose name begins with `prefix`, 100 a request."""

    def latest_revisions(self, family: str, most: int = 1) -> list[str]:
        """ARNs of the family's ACTIVE revisions, the latest first."""

    def register_task_definition(self, body: dict[str, Any]) -> str:
        """The new revision's ARN. Not idempotent, so never retried after an ambiguous failure."""

    def update_service(self, cluster: str, service: str, task_definition: str) -> dict[str, Any]:
        """Point the service at a full revision ARN; nothing else is sent. The service as described."""

    def service_deployments(self, cluster: str, service: str) -> list[dict[str, Any]] | None:
        """The newest service deployments, newest first; None where what stands in for ECS has no such thing."""

    def revisions_of_services(self, arns: Iterable[str]) -> dict[str, str]:
        """Service revision ARN → task definition ARN, 20 a request; those that are gone are left out."""

    def active_revisions(self) -> Iterator[str]:
        """ARNs of all ACTIVE revisions of all families, 100 a request."""

    def definitions_of_tasks(self, cluster: str) -> set[str]:
        """Task definition ARNs of the tasks that run or are to run; two requests for 100 tasks."""

    def definitions_rolled_out(self, cluster: str, service: str, since: float) -> set[str]:
        """Task definition ARNs of service deployments from `since` (epoch seconds) on, and of what they replaced or
        went back to. Where ECS does not tell what one of them brought out, that is an AwsError too.
        """

    def deregister_task_definition(self, arn: str) -> None: ...

    def tasks(self, cluster: str, service: str) -> list[dict[str, Any]]:
        """At most a hundred running tasks of a service and a hundred that stopped within the last hour."""


class SdkTooOld(AwsError):
    """ECS answered a field that the installed botocore does not know and would lose."""


@dataclass(frozen=True, slots=True)
class LogGroup:
    """`retention_days` None is for ever; `log_class` "" where what stands in for AWS tells none."""

    name: str
    retention_days: int | None
    arn: str
    log_class: str = ""


class LogGroups(Protocol):
    def find(self, name: str) -> LogGroup | None: ...

    def describe(self, names: Sequence[str]) -> dict[str, LogGroup]:
        """Those of `names` that exist, by name; 50 names a request."""

    def owner(self, group: LogGroup) -> str | None:
        """The value of its tag `logroute.dev/owner`."""

    def create(self, name: str, log_class: str, owner: str) -> bool:
        """Make the group, tagged as ours. False where it is there already."""

    def set_retention(self, name: str, days: int) -> None: ...


class Schedules(Protocol):
    """Every method may raise AwsError."""

    def rules(self) -> list[Starter]:
        """ListRules, and a ListTargetsByRule for each rule."""

    def schedules(self) -> list[Starter]:
        """ListSchedules, and a GetSchedule for each whose target is in ECS."""

    def move(self, starter: Starter, task_definition: str) -> bool:
        """To another task definition, all else as it is. False where it is not there as `starter` says any more."""


@dataclass(frozen=True, slots=True)
class DeploymentGroup:
    """A CodeDeploy deployment group. `last` and `good`: ids of its last deployment and of the last that succeeded, ""
    before there was one.
    """

    application: str
    name: str
    last: str = ""
    good: str = ""

    def __str__(self) -> str:
        return f"{self.application}/{self.name}"


class CodeDeploy(Protocol):
    """CodeDeploy in one account and region; every method may raise AwsError."""

    def groups(self) -> Iterator[tuple[str, str, DeploymentGroup]]:
        """Cluster, service and deployment group, for all that deploy to ECS: two calls an application, and more."""

    def again(self, group: DeploymentGroup, cluster: str, service: str) -> DeploymentGroup | None:
        """As it is now. None where it is gone, or deploys another service."""

    def ongoing(self, group: DeploymentGroup) -> list[str]:
        """Ids of its deployments that are not over."""

    def since(self, group: DeploymentGroup, start: float) -> list[str]:
        """Ids of its deployments created at `start` (seconds since the epoch) or later."""

    def deployments(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """`deploymentInfo` of each id: status, revision (without its content), errorInformation, rollbackInfo."""

    def content(self, group: DeploymentGroup, revision: Mapping[str, Any]) -> str:
        """The AppSpec of a `revision` that a deployment shows; "" where it is not CodeDeploy that keeps it."""

    def create(self, group: DeploymentGroup, appspec: str) -> str:
        """The new deployment's id. It has no token, so it is never retried after an ambiguous failure."""

    def take_back(self, name: str) -> bool:
        """Stop a deployment, so that the traffic goes back to the old tasks. False where it is over."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """IAM's verdict on one action and resource. `missing`: condition keys that policies ask for and that were not
    given; `by`: what denies it where that is not the role's own policies, for people.
    """

    action: str
    resource: str
    decision: str
    missing: tuple[str, ...] = ()
    by: str = ""


class Iam(Protocol):
    """IAM of one account; roles are given by their ARNs. Every method may raise AwsError."""

    def simulate(
        self, role: str, actions: Sequence[str], resources: Sequence[str], context: Mapping[str, str]
    ) -> list[Simulated]:
        """Each action on each resource, as far as IAM tells; `context`: condition key → value."""

    def trust(self, role: str) -> dict[str, Any]:
        """The policy that says who may assume it."""


class Destinations(Protocol):
    """Where outputs write to. Every method may raise AwsError: NotFound where it is not there."""

    def bucket_region(self, bucket: str) -> str: ...

    def bucket_policy(self, bucket: str) -> dict[str, Any]:
        """Empty where it has none."""

    def bucket_key(self, bucket: str) -> str:
        """The KMS key of one's own that new objects are encrypted with; "" for S3's or AWS's own."""

    def delivery_stream(self, name: str, region: str) -> None: ...

    def stream(self, name: str, region: str) -> None: ...

    def secret(self, arn: str, region: str) -> str:
        """The KMS key of one's own that it is encrypted with; "" for AWS's own."""

    def log_group(self, name: str, region: str) -> None: ...


class Account(Protocol):
    """One account and region: the clients that rooms get to see."""

    @property
    def account_id(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def ecs(self) -> Ecs: ...

    @property
    def logs(self) -> LogGroups: ...

    @property
    def schedules(self) -> Schedules: ...

    @property
    def codedeploy(self) -> CodeDeploy: ...

    def bucket(self, name: str) -> ObjectStore: ...
