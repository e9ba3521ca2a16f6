"""A plan as a unified diff of canonical forms: what a person reviews."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from controller.api.secrecy import may_hold_secret
from controller.planning.model import ServicePlan
from controller.taskdef.body import Body
from controller.taskdef.overlay import comparable

CONTEXT = 3


def unified(plan: ServicePlan) -> list[str]:
    """Lines of a unified diff, without line ends; empty where nothing of ours changes."""
    if plan.before is None or plan.after is None:
        return []
    before, after = _lines(plan.before), _lines(plan.after)
    base = plan.base.rsplit("/", 1)[-1]
    return list(difflib.unified_diff(before, after, base, f"{plan.after['family']}:(new)", lineterm="", n=CONTEXT))


def _lines(body: Body) -> list[str]:
    slim = comparable(body)
    slim["containerDefinitions"] = [_shown(one) for one in slim["containerDefinitions"]]
    return orjson.dumps(slim, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode().splitlines()


def _shown(container: Body) -> Body:
    """As people may read it: plans are posted on pull requests."""
    shown = dict(container)
    if labels := container.get("dockerLabels"):
        shown["dockerLabels"] = _masked(labels)
    if pairs := container.get("environment"):
        shown["environment"] = [
            {**pair, "value": _mask(pair.get("name", ""), pair["value"])} if "value" in pair else pair for pair in pairs
        ]
    for driver in ("logConfiguration", "firelensConfiguration"):
        if options := (container.get(driver) or {}).get("options"):
            shown[driver] = {**container[driver], "options": _masked(options)}
    return shown


def _masked(pairs: Mapping[str, Any]) -> Body:
    return {name: _mask(name, value) for name, value in pairs.items()}


def _mask(name: str, value: Any) -> Any:
    """A secret by the digest of it, so that a change still shows."""
    if not may_hold_secret(name, str(value)):
        return value
    return f"***{hashlib.sha256(str(value).encode()).hexdigest()[:8]}"
