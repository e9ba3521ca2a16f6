"""What a deployment brings out, as a request states it and as CodeDeploy shows it."""

from __future__ import annotations

from controller.sandbox.codedeploy.appspec import AppSpec, invalid, read
from controller.sandbox.codedeploy.errors import CodeDeployError
from controller.sandbox.codedeploy.groups import application
from controller.sandbox.codedeploy.views import MEMBER, revision_view, sha256_of
from controller.sandbox.ecs.call import Call, Operation
from controller.sandbox.model import Json

_BUNDLES = ("YAML", "JSON")


def read_revision(call: Call, revision: Json) -> AppSpec:
    kind = revision.get("revisionType", "AppSpecContent")
    if kind == "S3":
        return _of_object(call, revision.get("s3Location", {}))
    if kind not in MEMBER:
        raise invalid(f"The sandbox reads revisions of type S3, {' and '.join(MEMBER)} only, not {kind}.")
    stated: Json = revision.get(MEMBER[kind], {})
    content: str = stated.get("content", "")
    if not content:
        raise invalid("The revision has no content.")
    if stated.get("sha256", sha256_of(content)) != sha256_of(content):
        raise invalid("The SHA-256 hash of the revision does not fit its content.")
    return read(content)


def _of_object(call: Call, where: Json) -> AppSpec:
    bucket, key = where.get("bucket", ""), where.get("key", "")
    if where.get("bundleType") not in _BUNDLES:
        raise invalid(f"The bundleType of an ECS deployment must be {' or '.join(_BUNDLES)}.")
    body = call.world.outside.object_body(call.principal.account, bucket, key)
    if body is None:
        raise invalid(f"There is no object {key} in the bucket {bucket}.")
    return read(body.decode(errors="replace"))


def get_application_revision(call: Call) -> Json:
    """By content, or by the hash of what was deployed."""
    within, wanted = application(call), _typed(call.request["revision"])
    known = [run.revision for group in within.groups.values() for run in group.deployments]
    found = next((one for one in known if wanted in (_typed(one), revision_view(_typed(one)))), None)
    if found is None:
        raise CodeDeployError("RevisionDoesNotExistException", "The revision could not be found.")
    return {"applicationName": within.name, "revision": found, "revisionInfo": {}}


def _typed(revision: Json) -> Json:
    return {"revisionType": "AppSpecContent", **revision}


OPERATIONS: dict[str, Operation] = {"GetApplicationRevision": get_application_revision}
