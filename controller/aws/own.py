"""Which service and family this process is a task of, as its task metadata tells (version 4, ECS developer guide)."""

from __future__ import annotations

import json
import os
import urllib.request

from controller.aws.ports import Unreachable

ENDPOINT = "ECS_CONTAINER_METADATA_URI_V4"
SECONDS = 5


def own_parts() -> tuple[str, ...]:
    """ARNs of the controller's own service, and of its task family (without a revision); empty where it is no task.
    Raises Unreachable.
    """
    uri = os.environ.get(ENDPOINT)
    if not uri:
        return ()
    try:
        with urllib.request.urlopen(f"{uri}/task", timeout=SECONDS) as answer:  # noqa: S310 - ECS sets the address
            task = json.load(answer)
        start, service = str(task["TaskARN"]).partition(":task/")[0], task.get("ServiceName")
        family = (f"{start}:task-definition/{task['Family']}",) if task.get("Family") else ()
        if not service:
            return family
        return (f"{start}:service/{str(task['Cluster']).rsplit('/', 1)[-1]}/{service}", *family)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        hint = "It tells which service is the controller's own; set guards.self: allow to go on without"
        raise Unreachable("ecs:TaskMetadata", uri, type(error).__name__, str(error), hint) from error
