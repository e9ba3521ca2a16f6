"""Which pointers `spec.ignore` may hold: none that would make LogRoute blind, or its router fail."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from controller.api.container import INIT_ENV_PREFIX, OWN_LABEL_PREFIX, RouterContainer
from controller.fluentbit.findings import Finding, error
from controller.taskdef.ignoring import MAPS, NAMED, ROUTED, ROUTER, VOLUMES, Steps, steps_of

Refused = tuple[str, str]
"""Why, and what to do."""
STRUCTURES = frozenset({"healthCheck", "linuxParameters", "logConfiguration", "repositoryCredentials", "restartPolicy"})
BY_NAME = frozenset({"environment", "secrets", "dockerLabels"})
"""Of these some are LogRoute's own, or a route's: each has to be named."""
FIELDS = frozenset(field.alias or "" for field in RouterContainer.model_fields.values())
OWN = {
    "name": "the name is how LogRoute finds its router",
    "image": "the config is made for the Fluent Bit in the image",
    "command": "it decides what the router runs",
    "entryPoint": "it decides what the router runs",
    "environmentFiles": "a file may name the config that the router loads",
    "firelensConfiguration": "it makes the container a router",
    "dependsOn": "the routed containers wait for the router, so it can wait for none of them",
}


def check_ignored(pointers: Iterable[str]) -> Iterator[Finding]:
    """Paths start at the spec."""
    for position, pointer in enumerate(pointers):
        if found := refusal(steps_of(pointer)):
            why, hint = found
            yield error(("ignore", position), "IGNORE_REFUSED", f"{pointer} cannot be ignored: {why}", hint)


def refusal(steps: Steps) -> Refused | None:
    start, *rest = steps
    if start == ROUTER:
        return _router(tuple(rest))
    if start == ROUTED:
        return _routed(tuple(rest))
    if start == VOLUMES:
        return None if rest and all(rest) else ("it names no volume", "write /volumes/<name>")
    return "nothing that LogRoute owns is called so", "begin with /container/, /containers/<name>/ or /volumes/"


def _router(steps: Steps) -> Refused | None:
    if not steps or not all(steps):
        return "the router as a whole is what LogRoute keeps", "name its fields, such as /container/memoryReservation"
    field, *rest = steps
    if field in OWN:
        return OWN[field], "change it in the LogRouterClass"
    if field not in FIELDS:
        near = get_close_matches(field, FIELDS, 1)
        return f"a container has no {field}", f"did you mean {near[0]}?" if near else "see ECS's ContainerDefinition"
    if field in BY_NAME:
        return _by_name(field, rest)
    if field == "logConfiguration" and (not rest or rest[0] == "logDriver"):
        return "the router's own logs must not go through it", "name options: /container/logConfiguration/options/…"
    if rest and field not in STRUCTURES | NAMED.keys():
        return f"{field} is compared as a whole", f"write /container/{field}"
    return None


def _by_name(field: str, rest: list[str]) -> Refused | None:
    if not rest:
        return "some of them LogRoute needs", f"name each: /container/{field}/<name>"
    if INIT_ENV_PREFIX in rest[0].lower():
        return "it names the config that the router loads", "leave it out"
    if field == "dockerLabels" and rest[0].startswith(OWN_LABEL_PREFIX):
        return "it is LogRoute's own mark", "leave it out"
    if len(rest) > 1 and field in MAPS:
        return "a label has no parts", f"write /container/{field}/{rest[0]}"
    return None


def _routed(steps: Steps) -> Refused | None:
    allowed = "write /containers/<name>/logConfiguration/options/<option> or /containers/<name>/dependsOn"
    if len(steps) < 2 or not all(steps):  # noqa: PLR2004 - a name and what of it
        return "a routed container as a whole is what LogRoute keeps", allowed
    part = steps[1:]
    if part == ("dependsOn",) or (part[:2] == ("logConfiguration", "options") and len(part) <= 3):  # noqa: PLR2004
        return None
    if part in {("logConfiguration",), ("logConfiguration", "logDriver")}:
        return "without its driver no log reaches the router", allowed
    return "LogRoute owns no such part of a routed container", allowed
