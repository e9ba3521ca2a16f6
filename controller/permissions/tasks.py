"""What the two roles of a routed task need: the task role for the config and the outputs, the execution role for what
ECS does before the router starts.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from controller.desired.delivery import delivery_of
from controller.desired.model import PARSERS, PIPELINE
from controller.permissions.controller import Store
from controller.permissions.destinations import (
    Access,
    Where,
    accesses,
    fixed,
    known,
    makes_group,
    role_of,
    writes_streams,
)
from controller.permissions.policy import Statement
from controller.specs.model import Route

Role = Literal["task", "execution"]
ECR = re.compile(r"(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/([^:@]+)")
SECRET = re.compile(r"(arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:[^:]*)(:.*)?")


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on resources that one part of one route asks for. `role`: whose they are, `task` or `execution`, or the
    ARN of a role that an output assumes. `why` is for people.
    """

    role: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    route: str
    part: str
    """`the config`, `output NAME`, `the router's own log`, …"""
    remark: str = ""
    asks: tuple[str, ...] = ()
    """As of Access."""
    helps: bool = False
    """The task works without it, and people are worse off."""


def needs(route: Route, store: Store, where: Where, key: str = "", family: str = "*") -> Iterator[Need]:
    """Of one route, with its class and outputs. `key`: ARN of the KMS key of the config store, "" for S3's own;
    `family`: of the task definition.
    """
    yield from _config(route, store, where, key)
    for output in route.outputs:
        yield from _output(route, output, where)
    yield from _router(route, where, family)


CONFIG = "the config"
SOME_DIGEST = "0" * 64
"""Of a config: which one, no right ever depends on."""


def _config(route: Route, store: Store, where: Where, key: str) -> Iterator[Need]:
    delivery = delivery_of(route.router)
    if delivery == "inline":
        return
    role, bucket = ("task" if delivery == "init-s3" else "execution"), f"arn:{where.partition}:s3:::{store.bucket}"
    for name in (PIPELINE, PARSERS):
        every, one = (f"arn:{where.partition}:s3:::{store.key(digest, name)}" for digest in ("*", SOME_DIGEST))
        yield Need(role, ("s3:GetObject",), (every,), route.key, CONFIG, asks=known(one))
    part = "the config's bucket"
    yield Need(role, ("s3:GetBucketLocation",), (bucket,), route.key, part, asks=known(bucket))
    # Without the right to list, S3 says "forbidden" of an object that is missing, and the router's log misleads.
    yield Need(role, ("s3:ListBucket",), (bucket,), route.key, part, asks=known(bucket), helps=True)
    if key:
        yield Need(role, ("kms:Decrypt",), (key,), route.key, "the key of the config's bucket")


def _output(route: Route, output: Mapping[str, Any], where: Where) -> Iterator[Need]:
    part = f"output {output.get('alias') or output.get('name')}"
    role = role_of(output)
    if role:
        yield Need("task", ("sts:AssumeRole",), (role,), route.key, part, asks=known(fixed(role)))
    for access in accesses(output, where):
        yield _need(role or "task", access, route, part)


def _need(role: str, access: Access, route: Route, part: str) -> Need:
    return Need(role, access.actions, access.resources, route.key, part, access.remark, access.asks)


def _router(route: Route, where: Where, family: str) -> Iterator[Need]:
    container = route.router.container
    log = container.log_configuration
    if log is None or log.log_driver == "awslogs":
        options = {"awslogs-group": f"/logroute/{family}", **((log.options if log is not None else None) or {})}
        yield from _own_log(route, options, where)
    more = (*container.secrets, *(log.secret_options if log is not None else ()))
    for arn in dict.fromkeys([*route.secrets.values(), *(one.value_from for one in more)]):
        yield _secret(route, arn, where)
    if found := ECR.match(str(route.router.image)):
        account, region, repository = found.groups()
        pull = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
        resource = f"arn:{where.partition}:ecr:{region}:{account}:repository/{repository}"
        part = "the router's image"
        yield Need("execution", ("ecr:GetAuthorizationToken",), ("*",), route.key, part, asks=("*",))
        yield Need("execution", pull, (resource,), route.key, part, asks=known(resource))


def _own_log(route: Route, options: Mapping[str, str], where: Where) -> Iterator[Need]:
    group, part = fixed(options["awslogs-group"]), "the router's own log"
    name = where.arn("logs", f"log-group:{group}", options.get("awslogs-region"))
    yield _need("execution", writes_streams(name), route, part)
    if options.get("awslogs-create-group", "").lower() == "true":
        yield _need("execution", makes_group(name), route, part)


def _secret(route: Route, arn: str, where: Where) -> Need:
    """A parameter of the task's own account and region may be given by its name."""
    remark = "one that is encrypted with a KMS key of yours needs kms:Decrypt on that key"
    if found := SECRET.fullmatch(arn):
        # An ARN may lack the six characters that Secrets Manager puts behind a name.
        exact = found[1] if re.search(r"-[A-Za-z0-9]{6}$", found[1]) else f"{found[1]}-??????"
        action = ("secretsmanager:GetSecretValue",)
        return Need("execution", action, (exact,), route.key, "a secret", remark, known(exact))
    parameter = arn if arn.startswith("arn:") else where.arn("ssm", f"parameter/{arn.lstrip('/')}")
    return Need("execution", ("ssm:GetParameters",), (parameter,), route.key, "a parameter", remark, known(parameter))


def fold(some: Iterable[Need]) -> list[Statement]:
    """One statement for each set of actions, in a stable order. What it allows is what is needed, and nothing else."""
    by_resource: dict[str, set[str]] = defaultdict(set)
    for need in some:
        for resource in need.resources:
            by_resource[resource].update(need.actions)
    by_actions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, actions in sorted(by_resource.items()):
        by_actions[tuple(sorted(actions))].append(resource)
    return [
        Statement(_sid(actions, number), actions, _without_covered(resources))
        for number, (actions, resources) in enumerate(sorted(by_actions.items()), 1)
        if actions
    ]


def _without_covered(resources: Sequence[str]) -> tuple[str, ...]:
    """Those that no other's trailing `*` stands for."""
    starts = [one[:-1] for one in resources if one.endswith("*")]
    return tuple(one for one in resources if not any(one.startswith(start) and one != f"{start}*" for start in starts))


def _sid(actions: Sequence[str], number: int) -> str:
    service, _, action = actions[0].partition(":")
    return f"{service.capitalize()}{action}{number}"
