"""TagResource, UntagResource, ListTagsForResource: clusters, services, tasks and task definitions by ARN."""

from __future__ import annotations

from typing import Protocol

from controller.sandbox.arns import is_arn, path, resource_type
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.errors import InvalidParameterError, ResourceNotFoundError
from controller.sandbox.model import Json
from controller.sandbox.tags import MOST_TAGS, merged, tag_problems, without


class _Tagged(Protocol):
    tags: list[Json]


def tag_resource(call: Call) -> Json:
    resource = _resource(call)
    if problem := next(tag_problems(call.request["tags"]), None):
        raise InvalidParameterError(problem)
    tags = merged(resource.tags, call.request["tags"])
    if len(tags) > MOST_TAGS:
        raise InvalidParameterError(f"The number of tags exceeds the limit of {MOST_TAGS}.")
    resource.tags = tags
    return {}


def untag_resource(call: Call) -> Json:
    resource = _resource(call)
    resource.tags = without(resource.tags, call.request["tagKeys"])
    return {}


def list_tags_for_resource(call: Call) -> Json:
    return {"tags": _resource(call).tags}


def _resource(call: Call) -> _Tagged:
    arn = call.request["resourceArn"]
    if not is_arn(arn):
        raise InvalidParameterError(f"Invalid ARN: {arn}")
    found = _find(call, arn, resource_type(arn))
    if found is None:
        raise ResourceNotFoundError("The specified resource was not found.")
    return found


def _find(call: Call, arn: str, kind: str) -> _Tagged | None:
    match kind:
        case "cluster":
            return call.region.clusters.get(path(arn)[0])
        case "service":
            return call.service_of_arn(arn)
        case "task-definition":
            return call.revision(arn)
        case "task":
            cluster = call.region.clusters.get(path(arn)[0])
            return cluster.tasks.get(arn) if cluster else None
        case _:
            raise InvalidParameterError(f"The sandbox does not tag resources of type '{kind}'.")


OPERATIONS: dict[str, Operation] = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
