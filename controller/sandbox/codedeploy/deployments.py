"""CreateDeployment, GetDeployment, BatchGetDeployments, ListDeployments, ContinueDeployment, StopDeployment."""

from __future__ import annotations

from controller.sandbox.codedeploy.configurations import shift_seconds
from controller.sandbox.codedeploy.deployer import Deployer, new_id
from controller.sandbox.codedeploy.errors import CodeDeployError
from controller.sandbox.codedeploy.groups import application, group, groups
from controller.sandbox.codedeploy.revisions import read_revision
from controller.sandbox.codedeploy.views import deployment_view
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.model import Json
from controller.sandbox.model.codedeploy import CodeDeployment, Group

_MOST_AT_ONCE = 25  # API reference, BatchGetDeployments
_WAITS = {"READY_WAIT": "ready", "TERMINATION_WAIT": "waiting"}


def create_deployment(call: Call) -> Json:
    request = call.request
    if "deploymentGroupName" not in request:
        raise CodeDeployError("DeploymentGroupNameRequiredException", "The deployment group name is missing.")
    target = group(application(call), request["deploymentGroupName"])
    if "revision" not in request:
        raise CodeDeployError("RevisionRequiredException", "The revision is missing.")
    spec = read_revision(call, request["revision"])
    configuration: str = (target.settings | request)["deploymentConfigName"]
    seconds = shift_seconds(configuration)
    if busy := target.running:
        # CircleCI-Public/aws-ecs-orb, issue 181
        problem = f"The Deployment Group '{target.name}' already has an active Deployment '{busy.id}'"
        raise CodeDeployError("DeploymentLimitExceededException", problem)
    made = CodeDeployment(
        id=new_id(call.world.ids.hex32()),
        created_at=call.world.now,
        revision=request["revision"],
        definition=spec.definition,
        container=spec.container,
        seconds=seconds,
        settings={"deploymentConfigName": configuration, **_stated(target, request)},
    )
    target.deployments.insert(0, made)
    Deployer(call, target).start(made)
    return {"deploymentId": made.id}


def _stated(target: Group, request: Json) -> Json:
    """What a deployment may state itself, and otherwise has from its group."""
    both = target.settings | request
    found = {key: both[key] for key in ("autoRollbackConfiguration",) if key in both}
    return found | ({"description": request["description"]} if "description" in request else {})


def get_deployment(call: Call) -> Json:
    return {"deploymentInfo": deployment_view(*_existing(call))}


def batch_get_deployments(call: Call) -> Json:
    wanted = call.request["deploymentIds"]
    if len(wanted) > _MOST_AT_ONCE:
        raise CodeDeployError("BatchLimitExceededException", f"At most {_MOST_AT_ONCE} deployments at once.")
    shown = [deployment_view(one, run) for one in groups(call) for run in one.deployments if run.id in wanted]
    return {"deploymentsInfo": shown}


def list_deployments(call: Call) -> Json:
    """Newest first."""
    request = call.request
    if "deploymentGroupName" in request:
        among = [group(application(call), request["deploymentGroupName"])]
    else:
        among = list(application(call).groups.values() if "applicationName" in request else groups(call))
    created = request.get("createTimeRange", {})
    found = [
        run
        for one in among
        for run in one.deployments
        if run.status in (request.get("includeOnlyStatuses") or [run.status])
        and created.get("start", run.created_at) <= run.created_at <= created.get("end", run.created_at)
    ]
    found.sort(key=lambda run: -run.created_at)
    return {"deployments": [run.id for run in found]}


def continue_deployment(call: Call) -> Json:
    target, run = _existing(call)
    kind = call.request.get("deploymentWaitType", "READY_WAIT")
    _check_active(run)
    if run.stage != _WAITS[kind]:
        raise CodeDeployError("DeploymentIsNotInReadyStateException", f"The deployment {run.id} is not in {kind}.")
    Deployer(call, target).proceed(run)
    return {}


def stop_deployment(call: Call) -> Json:
    """It stops at once. It rolls back where the request, or otherwise the group, says so."""
    target, run = _existing(call)
    _check_active(run)
    rolls_back = call.request.get("autoRollbackEnabled", False)
    event = None if rolls_back else "DEPLOYMENT_STOP_ON_REQUEST"
    Deployer(call, target).end(run, "Stopped", "MANUAL_STOP", "The deployment was stopped by a user.", event=event)
    return {"status": "Succeeded", "statusMessage": "No more commands will be scheduled for execution."}


def _check_active(run: CodeDeployment) -> None:
    if not run.active:
        problem = f"The deployment {run.id} is in a terminal state: {run.status}"
        raise CodeDeployError("DeploymentAlreadyCompletedException", problem)


def _existing(call: Call) -> tuple[Group, CodeDeployment]:
    name = call.request.get("deploymentId")
    if name is None:
        raise CodeDeployError("DeploymentIdRequiredException", "The deployment id is missing.")
    found = ((one, run) for one in groups(call) for run in one.deployments if run.id == name)
    if place := next(found, None):
        return place
    raise CodeDeployError("DeploymentDoesNotExistException", f"The deployment {name} could not be found")


OPERATIONS: dict[str, Operation] = {
    "CreateDeployment": create_deployment,
    "GetDeployment": get_deployment,
    "BatchGetDeployments": batch_get_deployments,
    "ListDeployments": list_deployments,
    "ContinueDeployment": continue_deployment,
    "StopDeployment": stop_deployment,
}
