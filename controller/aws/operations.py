"""What this program may ask of AWS at all: looked up before anything is sent, whoever asks.

Every client gets the guard where it is made, so that no code goes round it. A new call begins with a line here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.api.globs import selected
from controller.aws.ports import Forbidden

READS = frozenset(
    {
        *(
            f"ecs:{name}"
            for name in (
                "DescribeServiceDeployments",
                "DescribeServiceRevisions",
                "DescribeServices",
                "DescribeTaskDefinition",
                "DescribeTasks",
                "ListClusters",
                "ListServiceDeployments",
                "ListServices",
                "ListTaskDefinitionFamilies",
                "ListTaskDefinitions",
                "ListTasks",
            )
        ),
        *(
            f"s3:{name}"
            for name in (
                "GetBucketEncryption",
                "GetBucketLocation",
                "GetBucketPolicy",
                "GetBucketPolicyStatus",
                "GetBucketVersioning",
                "GetObject",
                "GetPublicAccessBlock",
                "HeadBucket",
                "HeadObject",
                "ListObjectsV2",
            )
        ),
        *(
            f"codedeploy:{name}"
            for name in (
                "BatchGetApplications",
                "BatchGetDeploymentGroups",
                "BatchGetDeployments",
                "GetApplicationRevision",
                "ListApplications",
                "ListDeploymentGroups",
                "ListDeployments",
            )
        ),
        "dynamodb:GetItem",
        "dynamodb:Query",
        "events:ListRules",
        "events:ListTargetsByRule",
        "firehose:DescribeDeliveryStream",
        "iam:GetRole",
        "iam:SimulatePrincipalPolicy",
        "kinesis:DescribeStreamSummary",
        "logs:DescribeLogGroups",
        "logs:ListTagsForResource",
        "scheduler:GetSchedule",
        "scheduler:ListSchedules",
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "sqs:ReceiveMessage",
        "sts:AssumeRole",
        "sts:GetCallerIdentity",
    }
)
WRITES = frozenset(
    {
        "codedeploy:CreateDeployment",
        "codedeploy:StopDeployment",
        "dynamodb:DeleteItem",
        "dynamodb:PutItem",
        "ecs:DeregisterTaskDefinition",
        "ecs:RegisterTaskDefinition",
        "ecs:UpdateService",
        "events:PutTargets",
        "logs:CreateLogGroup",
        "logs:PutRetentionPolicy",
        "s3:DeleteObject",
        "s3:PutObject",
        "scheduler:UpdateSchedule",
        "sns:Publish",
        "sqs:DeleteMessageBatch",
    }
)
LONGEST = 200
DELETE = "s3:DeleteObject"
PASSING = re.compile(r"/_state/(leases|doctor)/(?!.*\.\.)")
"""What is there for a while only."""


def is_read(operation: str) -> bool:
    """`operation` as `ecs:ListServices`. What is in neither list counts as a write, and is refused as one."""
    return operation in READS


@dataclass(frozen=True, slots=True)
class Guard:
    """`writes`: those that the settings leave. `clusters`: names and globs of those that it must not go near."""

    writes: Collection[str] = WRITES
    clusters: Sequence[str] = ()
    deletes_configs: bool = True
    """Else objects are deleted among leases and doctor's probes alone."""

    def watch(self, client: Any) -> None:
        """Of a botocore client: each request from now on."""
        client.meta.events.register_first("before-parameter-build", self._before)

    def _before(self, *, params: Mapping[str, Any], model: Any, **_: Any) -> None:
        """Raises Forbidden; botocore hands on what its handlers raise."""
        operation = f"{model.service_model.service_name}:{model.name}"
        if not is_read(operation) and operation not in self.writes:
            why = "the settings do not allow it" if operation in WRITES else "this program has no such call"
            raise Forbidden(operation, _about(params), "NotSent", f"refused by LogRoute itself: {why}")
        if operation == DELETE and not self.deletes_configs and not PASSING.search(f"/{params.get('Key')}"):
            detail = "refused by LogRoute itself: garbage.configs is not delete"
            raise Forbidden(operation, _about(params), "NotSent", detail)
        cluster = str(params.get("cluster") or "").rsplit("/", 1)[-1]
        if cluster and self.clusters and selected(self.clusters, cluster):
            detail = "refused by LogRoute itself: the settings deny this cluster"
            raise Forbidden(operation, f"cluster {cluster}", "NotSent", detail)


def _about(params: Mapping[str, Any]) -> str:
    """The first text of the request: a bucket, a family, a cluster."""
    return next((value for value in params.values() if isinstance(value, str)), "AWS")[:LONGEST]


BY_THE_LISTS = Guard()
