"""Which rights a request needs: for each operation that LogRoute knows, its actions, resources and condition keys.

After the Service Authorization Reference. What is not here is nobody's to do but an administrator's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from controller.sandbox.arns import partition_of
from controller.sandbox.iam.policies import Asked

ANY = "*"
TASKS = "ecs-tasks.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Request:
    """`body`: JSON, or the form of the query protocol. `path`: of REST services, decoded."""

    name: str
    account: str
    region: str
    path: str
    body: Mapping[str, Any]

    def arn(self, service: str, resource: str) -> str:
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    @property
    def partition(self) -> str:
        return partition_of(self.region)


Needs = Callable[[Request], Iterator[Asked]]


def needs(request: Request) -> list[Asked] | None:
    """None: nobody knows here what it takes."""
    found = _TABLE.get(request.name)
    return None if found is None else list(found(request))


def _on(action: str, *resources: Callable[[Request], Iterator[str]]) -> Needs:
    def of(request: Request) -> Iterator[Asked]:
        if not resources:
            yield Asked(action, ANY, {})
        for one in resources:
            for resource in one(request):
                yield Asked(action, resource, {})

    return of


def _all(*some: Needs) -> Needs:
    return lambda request: (asked for one in some for asked in one(request))


# ECS


def _queue(request: Request) -> Iterator[str]:
    """Of its URL: https://sqs.<region>.amazonaws.com/<account>/<name>."""
    account, _, name = str(request.body.get("QueueUrl", "")).removesuffix("/").rpartition("/")
    yield f"arn:{request.partition}:sqs:{request.region}:{account.rsplit('/', 1)[-1]}:{name}"


def _short(name: Any) -> str:
    return str(name or "default").rsplit("/", 1)[-1]


def _service(request: Request, name: Any) -> str:
    return request.arn("ecs", f"service/{_short(request.body.get('cluster'))}/{_short(name)}")


def _services(request: Request) -> Iterator[str]:
    yield from (_service(request, name) for name in request.body.get("services", ()))


def _arns(field: str) -> Callable[[Request], Iterator[str]]:
    def of(request: Request) -> Iterator[str]:
        found = request.body.get(field, ())
        yield from [found] if isinstance(found, str) else found

    return of


def _tasks(request: Request) -> Iterator[str]:
    cluster = _short(request.body.get("cluster"))
    yield from (request.arn("ecs", f"task/{cluster}/{_short(task)}") for task in request.body.get("tasks", ()))


def _register(request: Request) -> Iterator[Asked]:
    resource = request.arn("ecs", f"task-definition/{request.body.get('family')}:*")
    yield Asked("ecs:RegisterTaskDefinition", resource, {})
    if request.body.get("tags"):
        yield Asked("ecs:TagResource", resource, {"ecs:createaction": "RegisterTaskDefinition"})
    for role in filter(None, (request.body.get(name) for name in ("taskRoleArn", "executionRoleArn"))):
        yield _passed(request, role, TASKS)


def _passed(request: Request, role: str, service: str) -> Asked:
    """A role may be named by its name alone."""
    arn = role if role.startswith("arn:") else f"arn:{request.partition}:iam::{request.account}:role/{role}"
    return Asked("iam:PassRole", arn, {"iam:passedtoservice": service})


def _update(request: Request) -> Iterator[Asked]:
    cluster = request.arn("ecs", f"cluster/{_short(request.body.get('cluster'))}")
    context = {"ecs:cluster": cluster, "ecs:task-definition": str(request.body.get("taskDefinition", ""))}
    yield Asked("ecs:UpdateService", _service(request, request.body.get("service")), context)


# S3: path-style


def _bucket(request: Request) -> Iterator[str]:
    yield f"arn:{request.partition}:s3:::{request.path.lstrip('/').partition('/')[0]}"


def _object(request: Request) -> Iterator[str]:
    yield f"arn:{request.partition}:s3:::{unquote(request.path.lstrip('/'))}"


# The rest


def _log_group(request: Request) -> Iterator[str]:
    yield request.arn("logs", f"log-group:{request.body.get('logGroupName')}")


def _tagged_log_group(request: Request) -> Iterator[Asked]:
    [group] = _log_group(request)
    yield Asked("logs:CreateLogGroup", group, {})
    if request.body.get("tags"):
        yield Asked("logs:TagResource", group, {})


def _rule(request: Request) -> str:
    bus = str(request.body.get("EventBusName") or "default").rsplit("/", 1)[-1]
    return request.arn("events", "rule/" + (f"{bus}/" if bus != "default" else "") + str(request.body.get("Rule")))


def _targets(request: Request) -> Iterator[Asked]:
    yield Asked("events:PutTargets", _rule(request), {})
    for target in request.body.get("Targets", ()):
        if target.get("RoleArn"):
            yield _passed(request, target["RoleArn"], "events.amazonaws.com")


def _schedule(request: Request) -> str:
    """`/schedules/NAME?groupName=GROUP`; a body names the group where it has one."""
    group = request.body.get("GroupName") or request.body.get("groupName") or "default"
    return request.arn("scheduler", f"schedule/{group}/{unquote(request.path.rsplit('/', 1)[-1])}")


def _scheduled(request: Request) -> Iterator[Asked]:
    yield Asked("scheduler:UpdateSchedule", _schedule(request), {})
    yield _passed(request, str(request.body["Target"]["RoleArn"]), "scheduler.amazonaws.com")


def _applications(request: Request) -> Iterator[str]:
    names = request.body.get("applicationNames") or [request.body.get("applicationName")]
    yield from (request.arn("codedeploy", f"application:{name}") for name in names)


def _groups(request: Request) -> Iterator[str]:
    names = request.body.get("deploymentGroupNames") or [request.body.get("deploymentGroupName", ANY)]
    application = request.body.get("applicationName", ANY)
    yield from (request.arn("codedeploy", f"deploymentgroup:{application}/{name}") for name in names)


def _create_deployment(request: Request) -> Iterator[Asked]:
    [group], [application] = _groups(request), _applications(request)
    config = request.body.get("deploymentConfigName", "CodeDeployDefault.ECSAllAtOnce")
    yield Asked("codedeploy:CreateDeployment", group, {})
    yield Asked("codedeploy:GetDeploymentConfig", request.arn("codedeploy", f"deploymentconfig:{config}"), {})
    yield Asked("codedeploy:RegisterApplicationRevision", application, {})


def _table(request: Request) -> Iterator[str]:
    yield request.arn("dynamodb", f"table/{request.body.get('TableName')}")


def _role(request: Request) -> Iterator[str]:
    """Its path is not in the request."""
    yield f"arn:{request.partition}:iam::{request.account}:role/{request.body.get('RoleName')}"


def _delivery_stream(request: Request) -> Iterator[str]:
    yield request.arn("firehose", f"deliverystream/{request.body.get('DeliveryStreamName')}")


def _stream(request: Request) -> Iterator[str]:
    yield request.arn("kinesis", f"stream/{request.body.get('StreamName')}")


def _nothing(_request: Request) -> Iterator[Asked]:
    yield from ()


def _assume(request: Request) -> Iterator[Asked]:
    external = request.body.get("ExternalId")
    context = {"sts:externalid": str(external)} if external else {}
    yield Asked("sts:AssumeRole", str(request.body.get("RoleArn")), context)


_TABLE: dict[str, Needs] = {
    "sns:Publish": _on("sns:Publish", _arns("TopicArn")),
    "sqs:ReceiveMessage": _on("sqs:ReceiveMessage", _queue),
    "sqs:DeleteMessageBatch": _on("sqs:DeleteMessage", _queue),
    **{
        f"ecs:{name}": _on(f"ecs:{name}")
        for name in (
            "ListClusters",
            "ListServices",
            "ListTasks",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
            "DescribeTaskDefinition",
            "DeregisterTaskDefinition",
        )
    },
    "ecs:DescribeServices": _on("ecs:DescribeServices", _services),
    "ecs:ListServiceDeployments": _on(
        "ecs:ListServiceDeployments", lambda request: iter([_service(request, request.body.get("service"))])
    ),
    "ecs:DescribeServiceDeployments": _on("ecs:DescribeServiceDeployments", _arns("serviceDeploymentArns")),
    "ecs:DescribeServiceRevisions": _on("ecs:DescribeServiceRevisions", _arns("serviceRevisionArns")),
    "ecs:DescribeTasks": _on("ecs:DescribeTasks", _tasks),
    "ecs:RegisterTaskDefinition": _register,
    "ecs:UpdateService": _update,
    "s3:ListObjectsV2": _on("s3:ListBucket", _bucket),
    "s3:HeadBucket": _on("s3:ListBucket", _bucket),
    "s3:GetBucketVersioning": _on("s3:GetBucketVersioning", _bucket),
    "s3:GetObject": _on("s3:GetObject", _object),
    "s3:HeadObject": _on("s3:GetObject", _object),
    "s3:PutObject": _on("s3:PutObject", _object),
    "s3:DeleteObject": _on("s3:DeleteObject", _object),
    "logs:DescribeLogGroups": _on("logs:DescribeLogGroups"),
    "logs:CreateLogGroup": _tagged_log_group,
    "logs:PutRetentionPolicy": _on("logs:PutRetentionPolicy", _log_group),
    "logs:TagResource": _on("logs:TagResource", _arns("resourceArn")),
    "logs:ListTagsForResource": _on("logs:ListTagsForResource", _arns("resourceArn")),
    "events:ListRules": _on("events:ListRules"),
    "events:ListTargetsByRule": _on("events:ListTargetsByRule", lambda request: iter([_rule(request)])),
    "events:PutTargets": _targets,
    "scheduler:GET /schedules": _on("scheduler:ListSchedules"),
    "scheduler:GET /schedules/": _on("scheduler:GetSchedule", lambda request: iter([_schedule(request)])),
    "scheduler:PUT /schedules/": _scheduled,
    "codedeploy:ListApplications": _on("codedeploy:ListApplications"),
    "codedeploy:StopDeployment": _on("codedeploy:StopDeployment"),
    "codedeploy:BatchGetApplications": _on("codedeploy:BatchGetApplications", _applications),
    "codedeploy:GetApplicationRevision": _on("codedeploy:GetApplicationRevision", _applications),
    "codedeploy:ListDeploymentGroups": _on("codedeploy:ListDeploymentGroups", _applications),
    "codedeploy:BatchGetDeploymentGroups": _on("codedeploy:BatchGetDeploymentGroups", _groups),
    "codedeploy:ListDeployments": _on("codedeploy:ListDeployments", _groups),
    "codedeploy:BatchGetDeployments": _on("codedeploy:BatchGetDeployments", _groups),
    "codedeploy:CreateDeployment": _create_deployment,
    "secretsmanager:GetSecretValue": _on("secretsmanager:GetSecretValue", _arns("SecretId")),
    **{f"dynamodb:{name}": _on(f"dynamodb:{name}", _table) for name in ("Query", "GetItem", "PutItem", "DeleteItem")},
    "sts:GetCallerIdentity": _nothing,
    "sts:AssumeRole": _assume,
    "iam:SimulatePrincipalPolicy": _on("iam:SimulatePrincipalPolicy", _arns("PolicySourceArn")),
    "iam:GetRole": _on("iam:GetRole", _role),
    "s3:GetBucketLocation": _on("s3:GetBucketLocation", _bucket),
    "s3:GetBucketEncryption": _on("s3:GetEncryptionConfiguration", _bucket),
    "s3:GetBucketPolicy": _on("s3:GetBucketPolicy", _bucket),
    "firehose:DescribeDeliveryStream": _on("firehose:DescribeDeliveryStream", _delivery_stream),
    "kinesis:DescribeStreamSummary": _on("kinesis:DescribeStreamSummary", _stream),
    "secretsmanager:DescribeSecret": _on("secretsmanager:DescribeSecret", _arns("SecretId")),
}
"""REST services are named by method and path; a path that ends in a slash stands for what is below it."""
