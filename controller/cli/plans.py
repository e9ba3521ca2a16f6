"""A survey for people and machines: text with a coloured diff, JSON, markdown for a pull-request comment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from controller.api.conditions import Reason
from controller.api.keys import ServiceKey
from controller.applying.apply import Done
from controller.cli.console import BOLD, CYAN, GREEN, RED, paint
from controller.observed.model import CODE_DEPLOY
from controller.planning.diff import unified
from controller.planning.guards import digest_of, line
from controller.planning.model import Because, Kind, ServicePlan
from controller.reconciling.keeper import Specs
from controller.reconciling.service import Step
from controller.reconciling.survey import Survey

VERBS = {
    Kind.ROUTE: "will route",
    Kind.RESTORE: "will restore",
    Kind.ADOPT: "in sync",
    Kind.WATCH: "rolling out",
    Kind.FORGET: "restored",
    Kind.HOLD_DIGEST: "rolled back",
    Kind.ROLL_BACK: "will roll back",
    Kind.CONTEST: "contested",
    Kind.REPOINT: "will repoint",
    Kind.NOTHING: "in sync",
}
OF_NOW = (Reason.PERMISSIONS_MISSING, Reason.PERMISSIONS_UNKNOWN, Reason.DESTINATION_MISSING)
"""Hints that are found out before a rollout, and told of then."""
MARKDOWN_LIMIT = 60_000
"""Characters; GitHub refuses comments over 65,536."""


def text(seen: Survey, specs: Specs) -> str:
    lines = [str(problem) for problem in specs.problems]
    for place, wrong in seen.wrong_configs.items():
        lines += [f"{place}: config {path} is {found}: will be put back" for path, found in wrong.items()]
    lines += [*groups(seen), *(f"{key}: {message}" for key, message in starters(seen))]
    for plan in _told(seen):
        lines += ["", paint(f"{plan.key}: {_verb(plan)}", BOLD), *_why(plan), *map(_coloured, unified(plan))]
    return "\n".join([*lines, "", _counts(seen, specs), ""]).lstrip("\n")


def as_json(seen: Survey, specs: Specs) -> str:
    plain = {
        "revision": specs.revision,
        "digest": digest_of(line(plan) for plan in seen.changes),
        "changes": len(seen.changes),
        "services": [_plain(plan) for plan in _told(seen)],
        "configs": [
            {"place": str(place), "path": path, "found": found.value}
            for place, wrong in seen.wrong_configs.items()
            for path, found in wrong.items()
        ],
        "logGroups": [
            {"place": str(place), "name": one.name, "reason": one.reason.value, "message": one.message}
            for place, news in seen.groups.items()
            for one in news.drifts
        ],
        "starters": [{"family": str(key), "message": message} for key, message in starters(seen)],
        "unmatched": _unmatched(seen),
        "problems": [problem.as_json() for problem in specs.problems],
    }
    return orjson.dumps(plain, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def markdown(seen: Survey, specs: Specs) -> str:
    """Whole plans as long as they fit a comment; the rest by name."""
    parts = [f"### LogRoute plan\n\n{_counts(seen, specs)}\n"]
    if specs.problems:
        rows = "\n".join(f"- {_escaped(str(problem))}" for problem in specs.problems)
        parts.append(f"**Problems**\n\n{rows}\n")
    if rows := "\n".join(f"- {_escaped(line)}" for line in groups(seen)):
        parts.append(f"**Log groups**\n\n{rows}\n")
    if rows := "\n".join(f"- `{key}`: {_escaped(message)}" for key, message in starters(seen)):
        parts.append(f"**Rules and schedules**\n\n{rows}\n")
    for plan in _told(seen):
        reasons = "; ".join(line.strip() for line in _why(plan))
        head = f"<summary><code>{plan.key}</code> {_verb(plan)}: {_escaped(reasons)}</summary>"
        diff = "\n".join(unified(plan))
        fence = "`" * max(3, _longest_run(diff) + 1)
        part = f"<details>{head}\n\n{fence}diff\n{diff}\n{fence}\n\n</details>\n"
        whole = sum(map(len, parts)) + len(part) < MARKDOWN_LIMIT
        parts.append(part if whole else f"- `{plan.key}` {_verb(plan)} (diff left out: too long)\n")
    return "\n".join(parts)


FORMATS: dict[str, Callable[[Survey, Specs], str]] = {"text": text, "json": as_json, "markdown": markdown}


def groups(seen: Survey) -> list[str]:
    """Log groups that are not as they should be, or were not until now."""
    return [f"{place}: {one.message}" for place, news in seen.groups.items() for one in news.drifts]


def starters(seen: Survey) -> list[tuple[ServiceKey, str]]:
    """Rules and schedules that start jobs of a family from another revision than ours; or why that is not known."""
    pinned = [
        (key, hint.message)
        for key, plan in sorted(seen.plans.items())
        for hint in plan.hints
        if hint.reason is Reason.PINNED_REVISION
    ]
    return [*pinned, *((key, f"what starts it is not known: {why}") for key, why in sorted(seen.denied.items()))]


def in_a_word(step: Step) -> str:
    """The state of one service, for progress."""
    if step.plan is None:
        return "gone"
    if step.plan.hold:
        return f"held: {step.plan.hold.reason}: {step.plan.hold.message}"
    if step.outcome.done is Done.WROTE:
        if step.plan.kind is Kind.REPOINT:
            return f"repointed {len(step.plan.moves)} rules and schedules"
        revision = step.outcome.revision.rsplit("/", 1)[-1]
        said = "".join(f"; {one.reason}: {one.message}" for one in step.plan.hints if one.reason in OF_NOW)
        return f"{'restoring with' if step.plan.kind is Kind.RESTORE else 'rolling out'} {revision}{said}"
    if step.outcome.done is Done.MOVED_ON:
        return "changed by somebody else meanwhile: looking again"
    if step.plan.kind in (Kind.WATCH, Kind.HOLD_DIGEST, Kind.CONTEST) and step.plan.reasons:
        return f"{VERBS[step.plan.kind]}: {step.plan.reasons[0].message}"
    return VERBS[step.plan.kind]


def summary(steps: Mapping[ServiceKey, Step | None]) -> list[str]:
    if not steps:
        return ["nothing to do: every service is as the specs ask"]
    return [f"{key}: {in_a_word(step) if step else 'failed'}" for key, step in sorted(steps.items())]


def _told(seen: Survey) -> list[ServicePlan]:
    return [plan for plan in seen.pending if plan.changes or plan.hold or plan.kind in (Kind.HOLD_DIGEST, Kind.CONTEST)]


def _verb(plan: ServicePlan) -> str:
    if plan.hold:
        return f"held ({plan.hold.reason})"
    return f"{VERBS[plan.kind]}{', through CodeDeploy' if plan.changes and plan.controller == CODE_DEPLOY else ''}"


def _why(plan: ServicePlan) -> list[str]:
    found: list[Because] = [
        *plan.reasons,
        *((Because(plan.hold.reason, plan.hold.message),) if plan.hold else ()),
        *(hint for hint in plan.hints if hint.reason is not Reason.PINNED_REVISION),  # told of by itself
    ]
    return [f"  {one.reason}: {one.message}" for one in found]


def _plain(plan: ServicePlan) -> dict[str, object]:
    return {
        "service": str(plan.key),
        "action": plan.kind.value,
        "reasons": [{"reason": one.reason.value, "message": one.message} for one in plan.reasons],
        "hold": {"reason": plan.hold.reason.value, "message": plan.hold.message} if plan.hold else None,
        "hints": [{"reason": one.reason.value, "message": one.message} for one in plan.hints],
        "base": plan.base,
        "digest": plan.digest,
        "routes": list(plan.desired.routes) if plan.desired else [],
        "diff": unified(plan),
    }


def _unmatched(seen: Survey) -> list[str]:
    return sorted(route for route, keys in seen.selected.items() if not keys)


def _counts(seen: Survey, specs: Specs) -> str:
    changes = [plan for plan in seen.changes if not plan.hold]
    held = sum(1 for plan in seen.plans.values() if plan.hold)
    routed = sum(plan.kind is Kind.ROUTE for plan in changes)
    moved = sum(plan.kind is Kind.REPOINT for plan in changes)
    text = f"{len(seen.plans)} services: {routed} to route, {len(changes) - routed - moved} to restore, {held} held"
    text += f", {moved} whose rules or schedules are to be repointed" if moved else ""
    unmatched = _unmatched(seen)
    tail = f"; no service matches {', '.join(unmatched)}" if unmatched else ""
    return f"{text}; specs at {specs.revision[:19]}{tail}"


def _coloured(line: str) -> str:
    colours = (("+++", BOLD), ("---", BOLD), ("@@", CYAN), ("+", GREEN), ("-", RED))
    return next((paint(line, colour) for start, colour in colours if line.startswith(start)), line)


def _escaped(said: str) -> str:
    return (
        said.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ").replace("@", "@&#8203;")
    )


def _longest_run(said: str) -> int:
    longest = run = 0
    for char in said:
        run = run + 1 if char == "`" else 0
        longest = max(longest, run)
    return longest
