"""Before each request: may who signed it do that?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from controller.sandbox.iam.policies import Asked, Decision, decide, like, many
from controller.sandbox.iam.requests import Request, needs


@dataclass(frozen=True, slots=True)
class Caller:
    """`policies`: documents that are attached to the role or user. None: an administrator, or nobody that IAM knows."""

    arn: str
    role: str
    """ARN of the role that the session is one of; "" for none."""
    policies: tuple[Mapping[str, Any], ...] | None


class Identities(Protocol):
    """What moto's IAM and STS know."""

    def caller(self, access_key: str) -> Caller: ...

    def trust_of(self, role: str) -> Mapping[str, Any] | None:
        """The trust policy of a role by its ARN; None where there is no such role."""

    def object_is_there(self, account: str, path: str) -> bool:
        """`path`: of a path-style request."""


def refusal(identities: Identities, access_key: str, request: Request) -> str:
    """Why the request is refused; "" where it may go on."""
    caller = identities.caller(access_key)
    if caller.policies is None:
        return ""
    asked = needs(request)
    if asked is None:
        return f"User: {caller.arn} is not authorized: the sandbox does not know what {request.name} needs"
    for one in (*asked, *_listing(identities, request)):
        if (found := decide(caller.policies, one)) is not Decision.ALLOWED:
            return _denied(caller, one, found)
        if one.action == "sts:AssumeRole" and not _trusted(identities.trust_of(one.resource), caller, one):
            return _denied(caller, one, Decision.NOT_ALLOWED)
    return ""


def _listing(identities: Identities, request: Request) -> Iterable[Asked]:
    """Who may not list a bucket is not told that an object is missing (Amazon S3 API reference, GetObject)."""
    if request.name in ("s3:GetObject", "s3:HeadObject") and not identities.object_is_there(
        request.account, request.path
    ):
        bucket = request.path.lstrip("/").partition("/")[0]
        yield Asked("s3:ListBucket", f"arn:{request.partition}:s3:::{bucket}", {})


def _trusted(policy: Mapping[str, Any] | None, caller: Caller, asked: Asked) -> bool:
    """As a resource policy: its principal stands for the resource."""
    if policy is None:
        return False
    account = caller.arn.split(":")[4]
    mine = {caller.arn, caller.role, account, f"arn:aws:iam::{account}:root"}
    statements = [
        {**one, "Resource": "*"}
        for one in policy["Statement"]
        if any(like(principal, name) for principal in many(one["Principal"].get("AWS", ())) for name in mine)
    ]
    return decide([{"Statement": statements}], asked) is Decision.ALLOWED


def _denied(caller: Caller, asked: Asked, found: Decision) -> str:
    why = (
        "with an explicit deny in an identity-based policy"
        if found is Decision.DENIED
        else f"because no identity-based policy allows the {asked.action} action"
    )
    return f"User: {caller.arn} is not authorized to perform: {asked.action} on resource: {asked.resource} {why}"
