"""What the controller itself may do, no more than its settings and specs ask for.

Which actions know resources: Service Authorization Reference, "Actions, resources, and condition keys" of each service.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from controller.permissions.policy import Statement

TASKS = "ecs-tasks.amazonaws.com"
SCHEDULERS = ("events.amazonaws.com", "scheduler.amazonaws.com")


WRITING = frozenset(
    {
        *(f"codedeploy:{name}" for name in ("CreateDeployment", "GetDeploymentConfig", "RegisterApplicationRevision")),
        "codedeploy:StopDeployment",
        *(f"dynamodb:{name}" for name in ("DeleteItem", "GetItem", "PutItem", "Query")),
        "sns:Publish",
        "sqs:DeleteMessage",
        *(
            f"ecs:{name}"
            for name in ("DeregisterTaskDefinition", "RegisterTaskDefinition", "TagResource", "UpdateService")
        ),
        "events:PutTargets",
        "iam:PassRole",
        "kms:GenerateDataKey",
        *(f"logs:{name}" for name in ("CreateLogGroup", "PutRetentionPolicy", "TagResource")),
        "s3:DeleteObject",
        "s3:PutObject",
        "scheduler:UpdateSchedule",
    }
)
"""What only who writes needs: leases too, which only who writes takes."""


@dataclass(frozen=True, slots=True)
class Store:
    """A config store: bucket and prefix, the latter without slashes around it. Either may hold wildcards."""

    bucket: str
    prefix: str

    def key(self, *parts: str) -> str:
        return "/".join(filter(None, (self.bucket, self.prefix, *parts)))


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the controller reaches in one account. Texts stand in ARNs as they are, so they may also be references
    of a template (`${AWS::Partition}`). `*` in any: all.
    """

    partition: str = "aws"
    account: str = "*"
    region: str = "*"
    clusters: tuple[str, ...] = ("*",)
    families: tuple[str, ...] = ("*",)
    roles: tuple[str, ...] = ("*",)
    """Names, with their paths, of the task and execution roles that routed definitions name."""
    log_groups: tuple[str, ...] = ("*",)
    store: Store = Store("*", "")
    key: str = ""
    """ARN of the KMS key that the config store is encrypted with, where it is one of one's own."""
    home: bool = True
    """The controller's own account: specs, leases and what all replicas share lie there."""
    lease_table: str = ""
    """A DynamoDB table for the leases; "" for the config store."""
    deletes_configs: bool = False
    deregisters: bool = False
    read_only: bool = False
    """Nothing is written at all."""
    preflight: bool = True
    """Rights are asked for before a rollout."""
    source_bucket: Store | None = None
    versions_of: str = ""
    """The bucket of specs that must keep versions."""
    secret: str = ""
    """ARN of the secret with the git token."""
    secrets: tuple[str, ...] = ()
    """The same of others: of the API's token, of hooks."""
    topics: tuple[str, ...] = ()
    """ARNs of SNS topics that are told."""
    queue: str = ""
    """URL of the queue with events, as the settings have it; or its ARN."""
    assumes: tuple[str, ...] = ()
    """ARNs of roles in other accounts."""
    services: bool = True
    codedeploy: bool = True
    families_of_jobs: bool = True
    moves_schedules: bool = True

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role(self, name: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{name}"

    def s3(self, key: str) -> str:
        return f"arn:{self.partition}:s3:::{key}"


def statements(reach: Reach) -> Iterator[Statement]:
    for one in _statements(reach):
        left = tuple(action for action in one.actions if action not in WRITING) if reach.read_only else one.actions
        if left:
            yield replace(one, actions=left)


def _statements(reach: Reach) -> Iterator[Statement]:
    yield from _ecs(reach)
    yield from _config_store(reach)
    if reach.home:
        yield from _home(reach)
    yield from _log_groups(reach)
    if reach.families_of_jobs:
        yield from _schedules(reach)
    if reach.codedeploy:
        yield from _codedeploy(reach)
    if reach.queue:
        yield Statement("Events", ("sqs:ReceiveMessage", "sqs:DeleteMessage"), (_queue(reach),))
    yield from _preflight(reach)
    yield from _garbage(reach)


def _ecs(reach: Reach) -> Iterator[Statement]:
    looks = (
        "ListClusters",
        "ListServices",
        "DescribeServices",
        "DescribeTaskDefinition",
        "ListServiceDeployments",
        "DescribeServiceDeployments",
        "DescribeServiceRevisions",
        "ListTasks",
        "DescribeTasks",
        "ListTaskDefinitionFamilies",
        "ListTaskDefinitions",
    )
    yield Statement("Look", tuple(f"ecs:{name}" for name in looks))
    definitions = tuple(reach.arn("ecs", f"task-definition/{family}:*") for family in reach.families)
    yield Statement("Register", ("ecs:RegisterTaskDefinition",), definitions)
    created = {"StringEquals": {"ecs:CreateAction": "RegisterTaskDefinition"}}
    yield Statement("TagWhatIsRegistered", ("ecs:TagResource",), definitions, created)
    if reach.services:
        services = tuple(reach.arn("ecs", f"service/{cluster}/*") for cluster in reach.clusters)
        yield Statement("RollOut", ("ecs:UpdateService",), services)
    yield _passing("PassTheRolesOfTheTasks", reach, TASKS)


def _passing(sid: str, reach: Reach, *to: str) -> Statement:
    condition = {"StringEquals": {"iam:PassedToService": to}}
    return Statement(sid, ("iam:PassRole",), tuple(reach.role(name) for name in reach.roles), condition)


def _config_store(reach: Reach) -> Iterator[Statement]:
    yield Statement("ConfigStoreObjects", ("s3:GetObject", "s3:PutObject"), (reach.s3(reach.store.key("*")),))
    # With a condition on the prefix S3 would answer "forbidden" for an object that is merely missing.
    yield Statement("ConfigStoreListing", ("s3:ListBucket",), (reach.s3(reach.store.bucket),))
    leases = ("leases",) if reach.home and not reach.lease_table else ()
    gone = tuple(reach.s3(reach.store.key("_state", folder, "*")) for folder in ("doctor", *leases))
    yield Statement("LeasesAndProbes", ("s3:DeleteObject",), gone)
    if reach.key:
        yield Statement("ConfigStoreKey", ("kms:Decrypt", "kms:GenerateDataKey"), (reach.key,))


def _home(reach: Reach) -> Iterator[Statement]:
    if reach.lease_table:
        table = reach.arn("dynamodb", f"table/{reach.lease_table}")
        items = ("dynamodb:Query", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem")
        yield Statement("Leases", items, (table,))
    if reach.source_bucket:
        yield Statement("SpecsListing", ("s3:ListBucket",), (reach.s3(reach.source_bucket.bucket),))
        yield Statement("Specs", ("s3:GetObject",), (reach.s3(reach.source_bucket.key("*")),))
    if reach.versions_of:
        yield Statement("SpecsVersioning", ("s3:GetBucketVersioning",), (reach.s3(reach.versions_of),))
    if reach.secret:
        yield Statement("GitToken", ("secretsmanager:GetSecretValue",), (reach.secret,))
    if reach.secrets:
        yield Statement("Secrets", ("secretsmanager:GetSecretValue",), reach.secrets)
    if reach.topics:
        yield Statement("Notify", ("sns:Publish",), reach.topics)
    if reach.assumes:
        yield Statement("OtherAccounts", ("sts:AssumeRole",), reach.assumes)


def _log_groups(reach: Reach) -> Iterator[Statement]:
    yield Statement("LookAtLogGroups", ("logs:DescribeLogGroups",))
    keeps = ("logs:CreateLogGroup", "logs:TagResource", "logs:ListTagsForResource", "logs:PutRetentionPolicy")
    groups = [reach.arn("logs", f"log-group:{name}") for name in reach.log_groups]
    yield Statement("KeepLogGroups", keeps, tuple(name for one in groups for name in with_streams(one)))


def with_streams(group: str) -> tuple[str, ...]:
    """The ARN of a log group in both of its forms: some actions take one, some the other."""
    return (group,) if group.endswith("*") else (group, f"{group}:*")


def _schedules(reach: Reach) -> Iterator[Statement]:
    places = (reach.arn("events", "rule/*"), reach.arn("scheduler", "schedule/*"))
    yield Statement("ListWhatStartsJobs", ("events:ListRules", "scheduler:ListSchedules"))
    yield Statement("LookAtWhatStartsJobs", ("events:ListTargetsByRule", "scheduler:GetSchedule"), places)
    if reach.moves_schedules:
        yield Statement("MoveWhatStartsJobs", ("events:PutTargets", "scheduler:UpdateSchedule"), places)
        yield _passing("PassTheRolesOfWhatStartsJobs", reach, *SCHEDULERS)


def _codedeploy(reach: Reach) -> Iterator[Statement]:
    applications, groups, configs = (
        reach.arn("codedeploy", name) for name in ("application:*", "deploymentgroup:*", "deploymentconfig:*")
    )
    of_application = ("BatchGetApplications", "GetApplicationRevision", "ListDeploymentGroups")
    of_group = ("BatchGetDeploymentGroups", "BatchGetDeployments", "ListDeployments")
    looks = tuple(f"codedeploy:{name}" for name in (*of_application, *of_group))
    yield Statement("LookAtCodeDeploy", looks, (applications, groups))
    writes = ("CreateDeployment", "GetDeploymentConfig", "RegisterApplicationRevision")
    places = (applications, groups, configs)
    yield Statement("DeployThroughCodeDeploy", tuple(f"codedeploy:{name}" for name in writes), places)
    # These know no resources.
    yield Statement("FindAndStopDeployments", ("codedeploy:ListApplications", "codedeploy:StopDeployment"))


def _preflight(reach: Reach) -> Iterator[Statement]:
    """Looks alone. Where an output writes to, and in which region, only its route says."""
    if not reach.preflight:
        return
    roles = tuple(reach.role(name) for name in reach.roles)
    yield Statement("AskForRights", ("iam:SimulatePrincipalPolicy", "iam:GetRole"), roles)
    everywhere = replace(reach, region="*")
    kinds = (("firehose", "deliverystream/*"), ("kinesis", "stream/*"), ("secretsmanager", "secret:*"))
    looks = (
        "s3:GetBucketLocation",
        "s3:GetBucketPolicy",
        "s3:GetEncryptionConfiguration",
        "firehose:DescribeDeliveryStream",
        "kinesis:DescribeStreamSummary",
        "secretsmanager:DescribeSecret",
    )
    places = (reach.s3("*"), *(everywhere.arn(service, name) for service, name in kinds))
    yield Statement("LookAtDestinations", looks, places)


def _garbage(reach: Reach) -> Iterator[Statement]:
    if reach.deletes_configs:
        keys = ("*/pipeline.conf", "*/parsers.conf", "_state/configs/*")
        yield Statement("Garbage", ("s3:DeleteObject",), tuple(reach.s3(reach.store.key(key)) for key in keys))
    if reach.deregisters:  # DeregisterTaskDefinition knows no resources
        yield Statement("SupersededRevisions", ("ecs:DeregisterTaskDefinition",))


def _queue(reach: Reach) -> str:
    """Its ARN, or that of its URL: what tells accounts, regions and parts apart in it is known here, or any."""
    if "://" not in reach.queue:
        return reach.queue
    *_, account, name = reach.queue.split("/")
    known = {"{account}": reach.account, "{region}": reach.region, "{shard}": "*"}
    for text, value in known.items():
        account, name = account.replace(text, value), name.replace(text, value)
    return f"arn:{reach.partition}:sqs:{reach.region}:{account}:{name}"


def trust(controller: str, external_id: str | None) -> dict[str, object]:
    """Who may assume a role in another account: the controller's own role, by its ARN."""
    condition = {"Condition": {"StringEquals": {"sts:ExternalId": external_id}}} if external_id else {}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": controller}, "Action": "sts:AssumeRole", **condition},
        ],
    }
