"""Lifecycle hooks: a PAUSE waits for somebody to continue, a Lambda function succeeds at once.

API reference, DeploymentLifecycleHook and DeploymentLifecycleHookTimeoutConfiguration.
"""

from __future__ import annotations

from controller.sandbox.model import Json
from controller.sandbox.model.services import ServiceDeployment
from controller.sandbox.model.stages import Hook, Progress
from controller.sandbox.model.world import World

_DEFAULT_TIMEOUT = 1440  # minutes


def meet(world: World, record: ServiceDeployment, progress: Progress) -> None:
    """The deployment has entered a stage: the hooks of that stage begin, anew where it comes again."""
    for hook in record.configuration.get("lifecycleHooks", []):
        if progress.step.stage in hook["lifecycleStages"]:
            progress.hooks.append(_begun(world, hook))


def _begun(world: World, hook: Json) -> Hook:
    timeout: Json = hook.get("timeoutConfiguration", {})
    kind: str = hook.get("targetType", "AWS_LAMBDA")
    return Hook(
        id=world.ids.uuid(),
        target_type=kind,
        target_arn=hook.get("hookTargetArn"),
        status="AWAITING_ACTION" if kind == "PAUSE" else "SUCCEEDED",
        expires_at=world.now + 60 * timeout.get("timeoutInMinutes", _DEFAULT_TIMEOUT),
        action=timeout.get("action", "ROLLBACK"),
    )


def waiting(progress: Progress) -> bool:
    return any(hook.waiting for hook in progress.hooks)


def problem(world: World, progress: Progress) -> str | None:
    """Why the deployment must go back, if a hook says so; those whose time is over are marked on the way."""
    for hook in progress.hooks:
        if hook.waiting and world.now >= hook.expires_at:
            hook.status = "TIMED_OUT"
        if hook.refuses:
            return f"Service deployment rolled back: lifecycle hook {hook.id} is {hook.status}."
    return None


def answer(hook: Hook, action: str) -> None:
    """Somebody continues the deployment, or sends it back."""
    hook.status = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
