"""How the config reaches the router: through AWS's init image, through the ECS agent, or within the definition.

`init-s3`: the init image fetches the files that its environment names, with the task role. `firelens-s3`: the agent
fetches one file, with the execution role; not on Fargate (API_FirelensConfiguration). `inline`: one output, as options
of the container's log driver, from which the agent makes an OUTPUT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from controller.api.conditions import Reason
from controller.api.kinds import ClassSpec
from controller.desired.limits import RETRIES
from controller.desired.model import PARSERS, ConfigObject, ConfigStore
from controller.desired.sections import Options
from controller.desired.subject import Refusal, Subject
from controller.fluentbit.words import lowered
from controller.specs.model import Route
from controller.taskdef.body import is_fargate

Delivery = Literal["init-s3", "firelens-s3", "inline"]
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_INIT_EXPORTS = re.compile(r"ECS_[A-Z_]+|AWS_AVAILABILITY_ZONE|AWS_REGION")


def delivery_of(router: ClassSpec) -> Delivery:
    return "init-s3" if router.delivery == "auto" else router.delivery


def environment(delivery: Delivery, configs: Sequence[ConfigObject], store: ConfigStore) -> list[dict[str, str]]:
    """What tells the init image where the configs are: one pipeline and one parsers file, for their order is random."""
    if delivery != "init-s3":
        return []
    ordered = sorted(configs, key=lambda one: one.name == PARSERS)
    return [
        {"name": f"aws_fluent_bit_init_s3_{number}", "value": _arn(one, store)} for number, one in enumerate(ordered, 1)
    ]


def firelens_options(delivery: Delivery, configs: Sequence[ConfigObject], store: ConfigStore) -> dict[str, str]:
    if delivery != "firelens-s3":
        return {}
    return {"config-file-type": "s3", "config-file-value": _arn(configs[0], store)}


def _arn(config: ConfigObject, store: ConfigStore) -> str:
    return f"arn:{store.partition}:s3:::{store.in_bucket(config.path)}"


def check_by_agent(configs: Sequence[ConfigObject], subject: Subject, router: ClassSpec) -> None:
    """Raises Refusal where the agent cannot deliver these configs."""
    if is_fargate(subject.app):
        raise Refusal(
            Reason.UNSUPPORTED, "delivery firelens-s3 is for EC2 only, and the task requires FARGATE; use init-s3"
        )
    if len(configs) > 1:
        raise Refusal(
            Reason.UNSUPPORTED,
            "delivery firelens-s3 brings one file, and the routes need parsers too; use init-s3, or a parsers_file "
            "of the image in service",
        )
    _check_variables((configs[0].body.decode(),), router, "firelens-s3")


def inline_options(routes: Sequence[Route], subject: Subject, router: ClassSpec) -> dict[str, str]:
    """The one output as log driver options. Raises Refusal where that cannot say what the routes ask for."""
    if len(routes) != 1:
        keys = ", ".join(route.key for route in routes)
        raise _not_inline(f"more than one route selects the service: {keys}")
    if router.buffer.type != "memory" or router.service:
        raise _not_inline("the LogRouterClass sets service or a buffer on the filesystem")
    route = routes[0]
    pipeline = route.document.spec.pipeline
    beside = [
        name for name in ("service", "parsers", "multiline_parsers", "inputs", "filters") if getattr(pipeline, name)
    ]
    if beside or len(route.outputs) != 1:
        raise _not_inline(f"{route.key} has {' and '.join(beside) or f'{len(route.outputs)} outputs'}")
    options = lowered(route.outputs[0])
    if options.get("match") not in (None, "*", "**") or "match_regex" in options:
        raise _not_inline(f"the output of {route.key} has a match of its own")
    if several := [key for key, value in options.items() if not isinstance(value, str)]:
        raise _not_inline(f"the output of {route.key} gives {several[0]} more than once")
    if not is_fargate(subject.app) or any("${ECS_" in value for value in options.values()):
        _check_variables(options.values(), router, "inline")
    return _as_driver_options(options, route)


def _as_driver_options(options: Options, route: Route) -> dict[str, str]:
    """The agent looks for `Name`, spelled so."""
    rest = {key: value for key, value in options.items() if key not in ("name", "match", "alias")}
    return {
        "Name": options["name"],
        "alias": f"{route.alias_prefix}.{options['alias']}",
        **rest,
        "retry_limit": options.get("retry_limit", RETRIES),
    }


def _check_variables(texts: Iterable[str], router: ClassSpec, delivery: str) -> None:
    own = {pair.name for pair in router.container.environment}
    for text in texts:
        for name in _VARIABLE.findall(text):
            if _INIT_EXPORTS.fullmatch(name) and name not in own:
                raise Refusal(
                    Reason.UNSUPPORTED,
                    f"${{{name}}} is set by the init image, which delivery {delivery} goes without; set it in "
                    "container.environment of the LogRouterClass, or use init-s3",
                )


def _not_inline(why: str) -> Refusal:
    return Refusal(Reason.UNSUPPORTED, f"delivery inline carries one plain output and nothing else: {why}; use init-s3")
