"""Operations on task definitions: register, describe, list, deregister, delete."""

from __future__ import annotations

from controller.sandbox.arns import short_name
from controller.sandbox.ecs.call import Call, Operation, missing
from controller.sandbox.ecs.deletions import begin_delete
from controller.sandbox.ecs.paging import page
from controller.sandbox.errors import ClientError, InvalidParameterError
from controller.sandbox.model import Json
from controller.sandbox.model.definitions import Family, Revision
from controller.sandbox.registration import problems
from controller.sandbox.registration.attributes import compatibilities, required_attributes
from controller.sandbox.registration.defaults import described

_MOST_DELETED = 10


def register_task_definition(call: Call) -> Json:
    """Every call makes a revision: the operation is not idempotent, and has no client token."""
    request = call.request
    if problem := next(problems(request), None):
        raise ClientError(problem)
    family = call.region.families.setdefault(request["family"], Family(request["family"]))
    number = family.next_number()
    body = described(request, call.world.ids)
    body |= {
        "taskDefinitionArn": call.region.arns.task_definition(family.name, number),
        "revision": number,
        "status": "ACTIVE",
        "requiresAttributes": required_attributes(body),
        "compatibilities": compatibilities(body),
        "registeredAt": call.world.now,
        "registeredBy": call.principal.arn,
    }
    family.revisions[number] = revision = Revision(body, request.get("tags", []))
    return _answer(revision, tags="tags" in request)


def describe_task_definition(call: Call) -> Json:
    revision = call.revision(call.request["taskDefinition"])
    if revision is None:
        raise ClientError("Unable to describe task definition.")
    return _answer(revision, tags=call.includes("TAGS"))


def _answer(revision: Revision, *, tags: bool) -> Json:
    """Tags are a sibling of the definition, and only there where they were asked for."""
    answer: Json = {"taskDefinition": revision.body}
    return answer | {"tags": revision.tags} if tags else answer


def deregister_task_definition(call: Call) -> Json:
    revision = _exact(call, call.request["taskDefinition"])
    if revision is None:
        raise ClientError("The specified task definition does not exist.")
    if revision.status == "ACTIVE":
        revision.body |= {"status": "INACTIVE", "deregisteredAt": call.world.now}
    return {"taskDefinition": revision.body}


def _exact(call: Call, name: str) -> Revision | None:
    if ":" not in short_name(name):
        raise InvalidParameterError("You must specify a revision: family:revision, or a full ARN.")
    return call.revision(name)


def delete_task_definitions(call: Call) -> Json:
    names: list[str] = call.request["taskDefinitions"]
    if len(names) > _MOST_DELETED:
        raise InvalidParameterError(f"taskDefinitions cannot have more than {_MOST_DELETED} elements.")
    deleted, failures = [], []
    for name in names:
        revision = _exact(call, name)
        if revision is None:
            failures.append(missing(name))
        elif revision.status == "ACTIVE":
            reason = (
                "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
            )
            failures.append({"arn": revision.arn, "reason": reason})
        else:
            begin_delete(call.world, call.region, revision)
            deleted.append(revision.body)
    return {"taskDefinitions": deleted, "failures": failures}


def list_task_definitions(call: Call) -> Json:
    """`familyPrefix` is the whole family here, in spite of its name (API reference, ListTaskDefinitions)."""
    request = call.request
    status, only = request.get("status", "ACTIVE"), request.get("familyPrefix")
    arns = [
        family.revisions[number].arn
        for _, family in sorted(call.region.families.items())
        if only in {None, family.name}
        for number in sorted(family.revisions)
        if family.revisions[number].status == status
    ]
    if request.get("sort") == "DESC":
        arns.reverse()
    return page("taskDefinitionArns", arns, request)


def list_task_definition_families(call: Call) -> Json:
    request = call.request
    status, prefix = request.get("status", "ALL"), request.get("familyPrefix", "")
    names = [
        name
        for name, family in sorted(call.region.families.items())
        if name.startswith(prefix)
        and family.revisions
        and status in {"ALL", "ACTIVE" if family.latest_active() else "INACTIVE"}
    ]
    return page("families", names, request)


OPERATIONS: dict[str, Operation] = {
    "RegisterTaskDefinition": register_task_definition,
    "DescribeTaskDefinition": describe_task_definition,
    "DeregisterTaskDefinition": deregister_task_definition,
    "DeleteTaskDefinitions": delete_task_definitions,
    "ListTaskDefinitions": list_task_definitions,
    "ListTaskDefinitionFamilies": list_task_definition_families,
}
