"""How CodeDeploy deploys: a task set beside the PRIMARY one, the traffic, then the end of the old one.

CodeDeploy user guide, "Deployments on an Amazon ECS compute platform". There is no traffic here: a shift is time
that passes, after which the new task set is PRIMARY.
"""

from __future__ import annotations

from collections.abc import Callable

from controller.sandbox.codedeploy.views import last_successful
from controller.sandbox.ecs import service_settings
from controller.sandbox.ecs.call import Call
from controller.sandbox.errors import ClientError, EcsError
from controller.sandbox.model import Json
from controller.sandbox.model.codedeploy import CodeDeployment, Group
from controller.sandbox.model.services import Deployment, Service
from controller.sandbox.rollout import task_sets

_STARTS_AFTER = 1.0
_LOOKS_EVERY = 5.0
_LONGEST_PROVISIONING = 3600.0
_TIMED_OUT = (
    "The deployment timed out while waiting for the replacement task set to become healthy. "
    "This time out period is 60 minutes."
)

Step = Callable[[CodeDeployment, Service], None]


class Deployer:
    """The deployments of one group. Whatever is planned here is void once the deployment has gone on or ended."""

    def __init__(self, call: Call, group: Group) -> None:
        self._call = call
        self._world = call.world
        self._group = group

    def start(self, run: CodeDeployment) -> None:
        self._later(_STARTS_AFTER, run, self._provision)

    def proceed(self, run: CodeDeployment) -> None:
        """End the wait that the deployment is in, READY_WAIT or TERMINATION_WAIT."""
        step = self._shift if run.stage == "ready" else self._finish
        self._take(run, step)

    def end(self, run: CodeDeployment, status: str, code: str, message: str, *, event: str | None = None) -> None:
        """Failed or Stopped. It rolls back where the group wants that at `event`; None: in any case.

        A rollback itself goes nowhere else.
        """
        self._close(run, status)
        run.error = {"code": code, "message": message}
        wanted: Json = run.settings.get("autoRollbackConfiguration", {})
        rolls_back = event is None or (wanted.get("enabled", False) and event in wanted.get("events", []))
        if rolls_back and run.replacement and run.original and run.creator == "user":
            self._roll_back(run, run.original, run.replacement)

    def _later(self, seconds: float, run: CodeDeployment, step: Step) -> None:
        stage = run.stage
        self._world.timeline.after(seconds, lambda: self._take(run, step) if run.stage == stage else None)

    def _take(self, run: CodeDeployment, step: Step) -> None:
        if not run.active:
            return
        cluster = self._call.region.clusters.get(self._group.cluster)
        service = cluster.services.get(self._group.service) if cluster else None
        if service is None or service.status != "ACTIVE":
            self._fail(run, "INVALID_ECS_SERVICE", f"The ECS service {self._group.service} is not ACTIVE.")
        else:
            step(run, service)

    def _provision(self, run: CodeDeployment, service: Service) -> None:
        run.status, run.stage, run.started_at = "InProgress", "provisioning", self._world.now
        run.original = service.primary
        try:
            run.replacement = self._open(run, service)
        except EcsError as error:
            problem = f"The ECS service cannot be updated due to an unexpected error: {error.message}"
            self._fail(run, "ECS_UPDATE_ERROR", problem)
            return
        self._reconcile(service)
        self._later(_LOOKS_EVERY, run, self._look)

    def _open(self, run: CodeDeployment, service: Service) -> Deployment:
        """Raises EcsError where ECS would not make such a task set."""
        if len(service.shown_deployments) >= task_sets.MOST:
            raise ClientError(f"{task_sets.MOST} deployments exist on the service.")
        definition = self._call.startable_revision(run.definition)
        if run.container not in {container["name"] for container in definition.containers}:
            raise ClientError(f"The container {run.container} does not exist in the task definition.")
        service_settings.check_network(service.configuration, definition)
        service_settings.check_launch_type(service.configuration, definition)
        arns = self._call.region.arns
        opened = task_sets.open_task_set(
            self._world, arns, self._group.cluster, service, definition, service.configuration
        )
        if opened.task_set:
            opened.task_set.started_by, opened.task_set.external_id = "CODE_DEPLOY", run.id
        return opened

    def _look(self, run: CodeDeployment, service: Service) -> None:
        if run.replacement and run.replacement.task_set and run.replacement.task_set.steady:
            self._await_ready(run, service)
        elif run.started_at is not None and self._world.now >= run.started_at + _LONGEST_PROVISIONING:
            self._fail(run, "TIMEOUT", _TIMED_OUT)
        else:
            self._later(_LOOKS_EVERY, run, self._look)

    def _await_ready(self, run: CodeDeployment, service: Service) -> None:
        """API reference, DeploymentReadyOption."""
        option = self._wait_setting("deploymentReadyOption")
        if option.get("actionOnTimeout", "CONTINUE_DEPLOYMENT") == "CONTINUE_DEPLOYMENT":
            self._shift(run, service)
            return
        run.status, run.stage = "Ready", "ready"
        self._later(option.get("waitTimeInMinutes", 0) * 60, run, self._give_up)

    def _give_up(self, run: CodeDeployment, _service: Service) -> None:
        problem = "The wait time for rerouting traffic ended."
        self.end(run, "Stopped", "TIMEOUT", problem, event="DEPLOYMENT_STOP_ON_REQUEST")

    def _shift(self, run: CodeDeployment, _service: Service) -> None:
        run.status, run.stage = "InProgress", "shifting"
        self._later(run.seconds, run, self._shifted)

    def _shifted(self, run: CodeDeployment, service: Service) -> None:
        run.stage, run.shifted_at = "waiting", self._world.now
        if run.replacement:
            task_sets.make_primary(self._world, service, run.replacement)
        self._reconcile(service)
        self._later(self._termination.get("terminationWaitTimeInMinutes", 0) * 60, run, self._finish)

    def _finish(self, run: CodeDeployment, service: Service) -> None:
        self._close(run, "Succeeded")
        if run.original and self._termination.get("action", "TERMINATE") == "TERMINATE":
            task_sets.drain(self._world, run.original)
        self._reconcile(service)

    @property
    def _termination(self) -> Json:
        return self._wait_setting("terminateBlueInstancesOnDeploymentSuccess")

    def _wait_setting(self, name: str) -> Json:
        found: Json = self._group.settings["blueGreenDeploymentConfiguration"].get(name, {})
        return found

    def _fail(self, run: CodeDeployment, code: str, message: str) -> None:
        self.end(run, "Failed", code, message, event="DEPLOYMENT_FAILURE")

    def _close(self, run: CodeDeployment, status: str) -> None:
        run.status, run.stage, run.completed_at = status, "over", self._world.now

    def _roll_back(self, failed: CodeDeployment, original: Deployment, replacement: Deployment) -> None:
        """A deployment of its own (user guide, "Redeploy and roll back a deployment"), back to what still runs."""
        last = last_successful(self._group)
        back = CodeDeployment(
            id=new_id(self._world.ids.hex32()),
            created_at=self._world.now,
            started_at=self._world.now,
            revision=last.revision if last else {},
            definition=original.revision.definition.arn,
            container=failed.container,
            seconds=0,
            settings=failed.settings,
            status="InProgress",
            stage="rolling back",
            creator="codeDeployRollback",
            original=replacement,
            replacement=original,
            rollback={"rollbackTriggeringDeploymentId": failed.id},
        )
        failed.rollback = {"rollbackDeploymentId": back.id}
        self._group.deployments.insert(0, back)
        self._take(back, self._return)

    def _return(self, back: CodeDeployment, service: Service) -> None:
        if back.replacement and back.original:
            task_sets.make_primary(self._world, service, back.replacement)
            task_sets.drain(self._world, back.original)
        self._reconcile(service)
        self._later(_LOOKS_EVERY, back, lambda run, _service: self._close(run, "Succeeded"))

    def _reconcile(self, service: Service) -> None:
        self._call.scheduler(self._call.cluster_named(service.cluster_arn)).reconcile(service)


def new_id(random: str) -> str:
    return f"d-{random[:9].upper()}"
