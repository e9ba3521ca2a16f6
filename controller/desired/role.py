"""Whether the task has the execution role that the router needs: RegisterTaskDefinition refuses it otherwise.

Amazon ECS developer guide, "Amazon ECS task execution IAM role": for secrets anywhere, and for awslogs on Fargate.
"""

from __future__ import annotations

from collections.abc import Iterator

from controller.api.conditions import Reason
from controller.desired.subject import Refusal
from controller.taskdef.body import Body, is_fargate


def check_execution_role(app: Body, router: Body) -> None:
    """Raises Refusal."""
    if app.get("executionRoleArn"):
        return
    if needs := list(_needs(app, router)):
        whats, rights = zip(*needs, strict=True)
        raise Refusal(
            Reason.UNSUPPORTED,
            f"the task has no executionRoleArn, and the router needs one for {' and '.join(whats)}: set it in the "
            f"application's task definition to a role with {', '.join(rights)}",
        )


def _needs(app: Body, router: Body) -> Iterator[tuple[str, str]]:
    """What for, and the rights."""
    logs = router.get("logConfiguration") or {}
    if secrets := [*(router.get("secrets") or ()), *(logs.get("secretOptions") or ())]:
        names = ", ".join(str(one.get("name")) for one in secrets)
        yield f"its secrets ({names})", "secretsmanager:GetSecretValue (ssm:GetParameters for parameters)"
    if logs.get("logDriver") == "awslogs" and is_fargate(app):
        yield "its own log driver awslogs on Fargate", "logs:CreateLogStream and logs:PutLogEvents"
