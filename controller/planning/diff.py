"""A plan as a unified diff of canonical forms: what a person reviews."""

from __future__ import annotations

import difflib

import orjson

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
    return orjson.dumps(comparable(body), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS).decode().splitlines()
