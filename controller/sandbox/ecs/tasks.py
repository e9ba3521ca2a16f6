"""ListTasks, DescribeTasks, RunTask, StopTask."""

from __future__ import annotations

from controller.sandbox.arns import is_arn, short_name
from controller.sandbox.ecs import service_settings as settings
from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.paging import page
from controller.sandbox.ecs.task_views import task_view
from controller.sandbox.errors import InvalidParameterError
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Revision
from controller.sandbox.model.tasks import Task
from controller.sandbox.model.world import Cluster
from controller.sandbox.tags import tag_problems

_MOST_DESCRIBED = 100
_MOST_STARTED = 10
_USER_STOPPED = "Task stopped by user"


def list_tasks(call: Call) -> Json:
    """Running tasks, and those that are to run; with `desiredStatus=STOPPED`, those of the last hour."""
    request, cluster = call.request, call.cluster()
    group = None
    if "serviceName" in request:
        group = f"service:{call.service_named(cluster, request['serviceName']).name}"
    arns = [
        task.arn
        for task in cluster.tasks.values()
        if task.desired_status == request.get("desiredStatus", "RUNNING")
        and group in {None, task.group}
        and request.get("family") in {None, task.definition.body["family"]}
        and request.get("startedBy") in {None, task.started_by}
        and request.get("launchType") in {None, task.launch_type}
    ]
    return page("taskArns", arns, request)


def describe_tasks(call: Call) -> Json:
    names, cluster = call.request["tasks"], call.cluster()
    if not 1 <= len(names) <= _MOST_DESCRIBED:
        raise InvalidParameterError(f"Tasks must have between 1 and {_MOST_DESCRIBED} elements.")
    found, failures = [], []
    for name in names:
        if task := cluster.tasks.get(_task_arn(call, cluster, name)):
            found.append(task_view(task, tags=call.includes("TAGS")))
        else:
            failures.append(missing(_task_arn(call, cluster, name)))
    return {"tasks": found, "failures": failures}


def _task_arn(call: Call, cluster: Cluster, name: str) -> str:
    return name if is_arn(name) else call.region.arns.task(cluster.name, short_name(name))


def run_task(call: Call) -> Json:
    """The tasks run until somebody stops them."""
    request, cluster = call.request, call.cluster()
    definition = call.startable_revision(request["taskDefinition"], InvalidParameterError)
    configuration = settings.default_configuration(request)
    settings.check_network(configuration, definition)
    settings.check_launch_type(configuration, definition)
    count = request.get("count", 1)
    if not 1 <= count <= _MOST_STARTED:
        raise InvalidParameterError(f"Task count must be between 1 and {_MOST_STARTED}.")
    if problem := next(tag_problems(request["tags"]) if request.get("tags") else iter(()), None):
        raise InvalidParameterError(problem)
    tasks = [_launch(call, cluster, definition, configuration) for _ in range(count)]
    return {"tasks": [task_view(task, tags=True) for task in tasks], "failures": []}


def _launch(call: Call, cluster: Cluster, definition: Revision, configuration: Json) -> Task:
    request = call.request
    group = request.get("group", f"family:{definition.body['family']}")
    task = call.scheduler(cluster).lifecycle.launch(cluster, call.region.arns, definition, group=group)
    task.launch_type = configuration.get("launchType")
    task.started_by = request.get("startedBy")
    task.overrides = request.get("overrides", {})
    task.tags = request.get("tags", [])
    task.enable_execute_command = request.get("enableExecuteCommand", False)
    return task


def stop_task(call: Call) -> Json:
    cluster = call.cluster()
    task = cluster.tasks.get(_task_arn(call, cluster, call.request["task"]))
    if task is None:
        raise InvalidParameterError("The referenced task was not found.")
    scheduler = call.scheduler(cluster)
    reason = call.request.get("reason", _USER_STOPPED)
    scheduler.lifecycle.stop(task, cluster, code="UserInitiated", reason=reason)
    if task.deployment:
        scheduler.reconcile(cluster.services[task.group.removeprefix("service:")])
    return {"task": task_view(task, tags=False)}


OPERATIONS: dict[str, Operation] = {
    "ListTasks": list_tasks,
    "DescribeTasks": describe_tasks,
    "RunTask": run_task,
    "StopTask": stop_task,
}
