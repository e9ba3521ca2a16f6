"""A task definition and its config files → one LogRoute and one LogRouterClass, with everything said that they
do not hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from controller.api.problems import Problem
from controller.fluentbit.classic import Entry, SourceFile, SourceSection
from controller.importing.definition import FireLens, bound_to_router, examine, is_init_variable, without_firelens
from controller.importing.definition import names as routed_names
from controller.importing.gather import Find, Gathered, gather
from controller.importing.image import image_of
from controller.importing.lua import without_scripts
from controller.importing.proof import Proof, prove
from controller.importing.remarks import Remark, Unimportable, in_definition
from controller.importing.route import NOWHERE, Identity, dns_label, route
from controller.importing.router import router_class
from controller.importing.sections import Sorted, agents_inputs, sort
from controller.importing.settling import settle
from controller.importing.tree import Field, Map, at
from controller.importing.values import Names, look_for_secrets, read_environment, without_secrets
from controller.importing.writer import write
from controller.taskdef.body import Body, account_of

HEAD = (
    "Made by `logroute import`: read it through, then delete the hand-made router in the same change,",
    "or set `adopt: true` in the LogRouterClass to have it replaced, and given back should the route leave.",
)
MAX_OPTIONS = 5_000
"""Sections and options; a large router has a few hundred."""
MAX_CHARACTERS = 256 * 1024


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line said. Absent names follow from the task definition."""

    name: str | None = None
    namespace: str = "default"
    cluster: str = "*"
    service: str | None = None
    engine: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    yaml: str
    plain: Body
    """The definition without its FireLens parts, in register form."""
    remarks: tuple[Remark, ...]
    problems: tuple[Problem, ...]
    """Errors of the YAML that could not be helped; with any, it is no result."""


def import_route(body: Body, find: Find, wish: Wish, alone: SourceFile | None = None) -> Imported:
    """`body` in register form; `alone` is a custom config given by itself. Raises Unimportable, ClassicError."""
    firelens = examine(body)
    image = image_of(firelens, wish.engine)
    by_agent = image.delivery is not None
    gathered = gather(firelens, find, alone, by_agent=by_agent)
    _check_size(gathered)
    without_scripts(gathered, find)
    names = _names(firelens, gathered, wish)
    names.init, names.by_agent = image.init or bool(firelens.init), by_agent
    found = sort(gathered.sections, names, before=agents_inputs(firelens.network_mode) if gathered.agent else 0)
    found.unsaid += gathered.unsaid
    family = str(body["family"])
    service = wish.service or family
    name = dns_label(wish.name or service)
    identity = Identity(name, wish.namespace, wish.cluster, service, routed_names(firelens))
    document = _with_unsaid(
        route(identity, found, names, [*gathered.trailing, *_unknown_commands(gathered)]), found, names
    )
    router, said = router_class(name, firelens, image, gathered, found, names)
    settled = settle((document, router), HEAD)
    plain = without_firelens(firelens)
    remarks = [*gathered.remarks, *_commands(gathered), *names.remarks, *said, *found.remarks, *settled.remarks]
    remarks += [*_unsaid(found), *bound_to_router(firelens), *_nowhere(found)]
    proof = Proof(())
    if settled.specs.routes and not settled.left:
        lost = {*found.told, *(one.place for one in settled.remarks if one.lost)}
        proof = prove(settled.specs.routes[0], plain, firelens.router, found, names, lost)
    yaml = write(settled.documents, HEAD).text
    shown = _shown([*remarks, *proof.differences], names)
    return Imported(yaml, plain, (*shown, *_added(proof)), settled.left)


def _check_size(gathered: Gathered) -> None:
    """What is beyond it is no router's config, and every step here takes its time for each option."""
    sizes = [len(entry.key) + len(entry.value) for section in gathered.sections for entry in section.entries]
    options = len(sizes) + len(gathered.sections)
    if options > MAX_OPTIONS:
        raise Unimportable(
            f"the config has {options:,} sections and options, more than the {MAX_OPTIONS:,} that are read"
        )
    if sum(sizes) > MAX_CHARACTERS:
        raise Unimportable(
            f"the options have {sum(sizes):,} characters, more than the {MAX_CHARACTERS:,} that are read"
        )


def _added(proof: Proof) -> Iterable[Remark]:
    """The last word: what the result does beyond the original."""
    kinds: dict[str, list[str]] = {}
    for kind, what in proof.additions:
        kinds.setdefault(f"[{kind.upper()}]", []).append(what)
    if kinds:
        why = "LogRoute sets it where specs do not say it"
        if ("output", "retry_limit") in proof.additions:
            why += "; an output tries again five times, where Fluent Bit by itself does so once"
        added = "; ".join(f"{kind} {', '.join(some)}" for kind, some in kinds.items())
        yield Remark(in_definition(), f"added {added}", why)


def _names(firelens: FireLens, gathered: Gathered, wish: Wish) -> Names:
    place, router = in_definition(firelens.name), firelens.router
    options = (router.get("logConfiguration") or {}).get("options") or {}
    names = Names(wish.region or str(options.get("awslogs-region") or ""), account_of(firelens.body) or "")
    names.sets = dict(_set(one) for one in gathered.commands if _is_set(one))
    pairs = ((str(one.get("name")), str(one.get("value", ""))) for one in router.get("environment") or ())
    names.environment = {name: value for name, value in pairs if not is_init_variable(name)}
    names.router_secrets = {str(one.get("name")): str(one.get("valueFrom")) for one in router.get("secrets") or ()}
    names.files = bool(router.get("environmentFiles"))
    for name, value_from in gathered.secret_options.items():
        names.declare(name, value_from, in_definition())
    read_environment(names, place)
    return names


def _set(command: Entry) -> tuple[str, str]:
    name, _, value = command.value.partition("=")
    return name.strip(), value


def _commands(gathered: Gathered) -> list[Remark]:
    found = []
    for one in gathered.commands:
        if _is_set(one):
            what = f"@SET {_set(one)[0]}"
            found.append(Remark(one.place, what, "its value is written where it is used"))
        else:
            found.append(Remark(one.place, f"@{one.key}", _NO_COMMAND, "see whether it is needed", lost=True))
    return found


def _unknown_commands(gathered: Gathered) -> list[str]:
    others = [one for one in gathered.commands if not _is_set(one)]
    return [word for one in others for word in (f"not imported: {_NO_COMMAND}", f"  @{one.key} {one.value}")]


def _is_set(command: Entry) -> bool:
    return command.key == "SET" and "=" in command.value


_NO_COMMAND = "a LogRoute has no such command"


def _unsaid(found: Sorted) -> list[Remark]:
    return [
        Remark(section.place, f"[{section.name}] {section.last('name') or ''}".strip(), why, _ADVICE, lost=True)
        for section, why in found.unsaid
    ]


_ADVICE = "say it otherwise, or do without"


def _with_unsaid(document: Map, found: Sorted, names: Names) -> Map:
    """What no spec can say stands below the pipeline, as it was written."""
    if not found.unsaid:
        return document
    for section, _ in found.unsaid:
        look_for_secrets(section.entries, names)
    words = [word for section, why in found.unsaid for word in (f"not imported: {why}", *_lines(section))]
    spec = at(document, ("spec",))
    assert isinstance(spec, Field)  # noqa: S101 - route() wrote it
    assert isinstance(spec.value, Map)  # noqa: S101 - see above
    below = replace(spec.value, tail=(*spec.value.tail, *without_secrets(words, names)))
    return replace(
        document, fields=tuple(replace(one, value=below) if one.key == "spec" else one for one in document.fields)
    )


def _lines(section: SourceSection) -> Iterable[str]:
    yield f"  [{section.name}]"
    yield from (f"      {entry.key} {entry.value}" for entry in section.entries)
    for group in section.groups:
        yield from (f"    {line}" for line in _lines(group))


def _nowhere(found: Sorted) -> list[Remark]:
    if any(section.kind == "output" for section in found.sections):
        return []
    why = f"Fluent Bit throws the logs away, and the output {NOWHERE} says so"
    return [Remark(in_definition(), "no output takes the logs", why, "say where they shall go")]


def _shown(remarks: Sequence[Remark], names: Names) -> tuple[Remark, ...]:
    """Each once, by place, with nothing secret in it."""

    def clean(one: Remark) -> Remark:
        what, why, advice = without_secrets((one.what, one.why, one.advice), names)
        return replace(one, what=what, why=why, advice=advice)

    return tuple(sorted(dict.fromkeys(map(clean, remarks)), key=lambda one: one.place))
