"""Specs are the judge of what a LogRoute can say: what they refuse is taken out, named, and kept as a comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from controller.api.kinds import ALLOW_ANNOTATION
from controller.api.problems import Problem, Severity
from controller.fluentbit.classic import Place
from controller.fluentbit.lints.registry import LINTS
from controller.importing.remarks import Remark
from controller.importing.tree import Element, Field, List, Map, Path, Value, at, from_plain, without
from controller.importing.writer import Written, write
from controller.specs.load import load
from controller.specs.model import SpecSet

FILE = "import.yaml"
_ROUNDS = 30
"""Each takes something out, or is the last."""
_CLASS_PARTS = frozenset({"driverBufferLimit", "buffer", "health", "waitForRouter"})
_CLASS_LISTS = frozenset({"container", "volumes", "service"})
_WHOLE = frozenset({"name", "match", "match_regex", "tag", "port", "code", "parser"})
"""Options without which a section would be another one, or none."""
_PLUGIN, _OPTION, _VALUE = 4, 5, 6
"""Lengths of the paths `spec.pipeline.filters.0`, of an option in it, of one of the option's values."""


@dataclass(frozen=True, slots=True)
class Settled:
    documents: tuple[Map, ...]
    specs: SpecSet
    remarks: tuple[Remark, ...]
    left: tuple[Problem, ...]
    """Errors that nothing could be done about: there is no valid result."""


def settle(documents: Sequence[Map], head: Sequence[str]) -> Settled:
    """`documents`: the route, then its class."""
    remarks: list[Remark] = []
    current, allowed = tuple(documents), tuple(frozenset[str]() for _ in documents)
    for _ in range(_ROUNDS):
        shown = _annotated(current, allowed)
        written = write(shown, head)
        specs = _load(written)
        errors = _errors(specs)
        lints = [(_meant(one, written), one) for one in errors if one.code in LINTS]
        if lints:
            remarks += [_accepted(shown[document], path, one) for (document, path), one in lints]
            more = [{one.code for (at_document, _), one in lints if at_document == document} for document in (0, 1)]
            allowed = tuple(held | codes for held, codes in zip(allowed, more, strict=True))
            continue
        cuts = _cuts(errors, written)
        if not cuts:
            return Settled(shown, specs, tuple(remarks), tuple(errors))
        for (document, path), problem in cuts:
            remarks += _said(current[document], path, problem)
            words = _words(at(current[document], path), path, problem)
            done = without(current[document], path, words)
            assert isinstance(done, Map)  # noqa: S101 - a document stays one
            current = (*current[:document], done, *current[document + 1 :])
    return Settled(shown, specs, tuple(remarks), tuple(errors))


def _load(written: Written) -> SpecSet:
    """As where the settings allow Lua: whether they do is said with the filter."""
    return load("import", {FILE: written.text.encode()}, lua=True)


def _errors(specs: SpecSet) -> list[Problem]:
    return [one for one in specs.problems if one.severity is Severity.ERROR]


def _accepted(document: Map, path: Path, problem: Problem) -> Remark:
    """A lint is a matter of opinion: the original did so, too."""
    found = at(document, path)
    place = (found.origin if found else None) or Place(FILE)
    return Remark(place, problem.code, problem.message, f"accepted by annotation, as it was so before; {problem.hint}")


def _annotated(documents: Sequence[Map], allowed: Sequence[AbstractSet[str]]) -> tuple[Map, ...]:
    return tuple(_allowing(one, codes) if codes else one for one, codes in zip(documents, allowed, strict=True))


def _allowing(document: Map, codes: AbstractSet[str]) -> Map:
    annotation = Field("annotations", from_plain({ALLOW_ANNOTATION: ", ".join(sorted(codes))}))
    fields = [
        replace(one, value=Map((*one.value.fields, annotation)))
        if one.key == "metadata" and isinstance(one.value, Map)
        else one
        for one in document.fields
    ]
    return replace(document, fields=tuple(fields))


Cut = tuple[int, Path]


def _cuts(errors: Iterable[Problem], written: Written) -> list[tuple[Cut, Problem]]:
    """What to take out for each error, the last first, so that the places of the others hold."""
    found: dict[Cut, Problem] = {}
    for problem in errors:
        document, path = _meant(problem, written)
        if cut := _cut(document, path):
            found.setdefault((document, cut), problem)
    outermost = {one: why for one, why in found.items() if not any(outer in found for outer in _around(one))}
    return sorted(outermost.items(), key=lambda pair: _order(pair[0]), reverse=True)


def _around(cut: Cut) -> Iterable[Cut]:
    """All that it lies in."""
    document, path = cut
    return ((document, path[:length]) for length in range(len(path)))


def _order(cut: Cut) -> tuple[int, list[tuple[int, str]]]:
    return cut[0], [(step, "") if isinstance(step, int) else (0, step) for step in cut[1]]


def _meant(problem: Problem, written: Written) -> Cut:
    """What an error is about. At the first key of a list's element it is about the element."""
    document, path = written.paths.get(problem.line, (0, ()))
    line = written.lines[problem.line - 1] if path else ""
    dash = len(line) - len(line.lstrip()) + 1
    if line.lstrip().startswith("- ") and problem.column <= dash + 2 and not isinstance(path[-1], int):
        return document, path[:-1]
    return document, path


def _cut(document: int, path: Path) -> Path | None:
    """The smallest part around `path` that a spec can do without."""
    if document == 0:
        if path[:2] != ("spec", "pipeline") or len(path) < _PLUGIN:
            return None
        if len(path) == _PLUGIN or path[4] in _WHOLE:
            return path[:_PLUGIN]
        one_of_many = len(path) >= _VALUE and isinstance(path[5], int) and path[4] != "rules"
        return path[:_VALUE] if one_of_many else path[:_OPTION]
    if len(path) > 2 and path[0] == "spec" and path[1] in _CLASS_LISTS:  # noqa: PLR2004 - spec.container.cpu
        return path[:3]
    return path[:2] if len(path) > 1 and path[0] == "spec" and path[1] in _CLASS_PARTS else None


def _said(document: Map, path: Path, problem: Problem) -> list[Remark]:
    found = at(document, path)
    origin = (found.origin if found else None) or Place(FILE)
    what = found.key if isinstance(found, Field) else _name(found)
    return [Remark(origin, what, problem.message, problem.hint, lost=True)]


def _name(element: Field | Element | None) -> str:
    if isinstance(element, Element) and isinstance(element.value, Map):
        named = next((one.value for one in element.value.fields if one.key == "name"), "")
        return f"{named}" if isinstance(named, str) and named else "an item"
    return element.value[:60] if element and isinstance(element.value, str) else "an item"


def _words(found: Field | Element | None, path: Path, problem: Problem) -> list[str]:
    """The comment that stays: why, and what it was; never a secret's value."""
    words = [f"not imported: {problem.message}"]
    if found is None or problem.code == "SECRET_IN_CLEAR":
        return words
    key = found.key if isinstance(found, Field) else str(path[-2]) if isinstance(path[-1], int) else ""
    return [*words, *(f"  {line}" for line in _lines(key, found.value))]


def _lines(key: str, value: Value) -> list[str]:
    if isinstance(value, Map):
        return [f"{key}:", *(f"  {line}" for one in value.fields for line in _lines(one.key, one.value))]
    if isinstance(value, List):
        return [line for one in value.elements for line in _lines(key, one.value)]
    return [f"{key} {value}"]
