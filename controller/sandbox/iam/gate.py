"""Before each request: may who signed it do that?

A permissions boundary only narrows: both it and an identity-based policy must allow (IAM user guide, "Permissions
boundaries for IAM entities").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from controller.sandbox.iam.policies import Asked, Decision, decide, like, many, statements_of
from controller.sandbox.iam.requests import Request, needs


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy of somebody. `source`: its id, and `kind`: its type, as SimulatePrincipalPolicy names them."""

    source: str
    kind: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rights:
    """What is attached to a role or user."""

    policies: tuple[Attached, ...]
    boundary: Mapping[str, Any] | None = None

    @property
    def documents(self) -> list[Mapping[str, Any]]:
        return [one.document for one in self.policies]


@dataclass(frozen=True, slots=True)
class Caller:
    arn: str
    role: str
    """ARN of the role that the session is one of; "" for none."""
    rights: Rights | None
    """None: an administrator, or nobody that IAM knows."""


class Identities(Protocol):
    """What moto's IAM and STS know."""

    def caller(self, access_key: str) -> Caller: ...

    def rights_of(self, arn: str) -> Rights | None:
        """Of a role or user; None where there is none of that ARN."""

    def trust_of(self, role: str) -> Mapping[str, Any] | None:
        """The trust policy of a role by its ARN; None where there is no such role."""

    def object_is_there(self, account: str, path: str) -> bool:
        """`path`: of a path-style request."""


def refusal(identities: Identities, access_key: str, request: Request) -> str:
    """Why the request is refused; "" where it may go on."""
    caller = identities.caller(access_key)
    if caller.rights is None:
        return ""
    asked = needs(request)
    if asked is None:
        return f"User: {caller.arn} is not authorized: the sandbox does not know what {request.name} needs"
    rights, all_asked = caller.rights, (*asked, *_listing(identities, request))
    try:
        return next(filter(None, (_why_not(identities, caller, rights, one) for one in all_asked)), "")
    except NotImplementedError as error:
        return f"User: {caller.arn} is not authorized: a policy has what the sandbox does not know: {error}"


def _why_not(identities: Identities, caller: Caller, rights: Rights, asked: Asked) -> str:
    if (found := decide(rights.documents, asked)) is not Decision.ALLOWED:
        return _denied(caller, asked, found, "identity-based policy")
    if rights.boundary is not None and (found := decide([rights.boundary], asked)) is not Decision.ALLOWED:
        return _denied(caller, asked, found, "permissions boundary")
    if asked.action == "sts:AssumeRole" and not _trusted(identities.trust_of(asked.resource), caller, asked):
        return _denied(caller, asked, Decision.NOT_ALLOWED, "resource-based policy")
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
        for one in statements_of(policy)
        if any(like(principal, name) for principal in _principals(one) for name in mine)
    ]
    return decide([{"Statement": statements}], asked) is Decision.ALLOWED


def _principals(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """`"*"` is `{"AWS": "*"}`. Services and identity providers are no callers here."""
    found = statement.get("Principal", {})
    return many(found.get("AWS", ())) if isinstance(found, Mapping) else many(found)


def _denied(caller: Caller, asked: Asked, found: Decision, policy: str) -> str:
    article = "an" if policy.startswith("i") else "a"
    why = (
        f"with an explicit deny in {article} {policy}"
        if found is Decision.DENIED
        else f"because no {policy} allows the {asked.action} action"
    )
    return f"User: {caller.arn} is not authorized to perform: {asked.action} on resource: {asked.resource} {why}"
