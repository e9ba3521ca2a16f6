"""A scenario file as the sandbox takes it, with every problem at its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from controller.api.problems import Problem, has_errors
from controller.cli.failures import CommandError
from controller.cli.taskdefs import read_definition
from controller.sandbox.scenario.shapes import Scenario
from controller.specs.composing import Composed, compose
from controller.specs.places import Path as At
from controller.specs.places import place_of
from controller.specs.plain import BLANK, Unwalkable, plain
from controller.specs.text import check_bytes, problem
from controller.specs.wording import words_for


class Refused(Exception):
    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    scenario: Scenario
    name: str
    document: Composed

    def refuse(self, path: At, why: str) -> Refused:
        """What AWS said about the entry at `path`."""
        said = problem(place_of(self.document, path), "REFUSED_BY_AWS", why, "change it as the message says")
        return Refused(_named(self.name, [said]))


def read(path: Path) -> ScenarioFile:
    """Raises Refused, with everything that is wrong, and CommandError where the file cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    name = str(path)
    document, data = _document(name, content)
    troubles = _with_files(document, data, path.parent)
    try:
        scenario = Scenario.model_validate(data)
    except ValidationError as error:
        troubles += [
            problem(place_of(document, said.path, key=said.key), said.code, said.message, said.hint)
            for said in words_for(error, data, Scenario)
        ]
    if troubles:
        raise Refused(_named(name, sorted(troubles)))
    return ScenarioFile(scenario, name, document)


def _document(name: str, content: bytes) -> tuple[Composed, dict[str, Any]]:
    """The one document of the file. Raises Refused."""
    problems = check_bytes(content)
    found = [] if has_errors(problems) else list(compose(content))
    problems += [one for one in found if isinstance(one, Problem)]
    documents = [one for one in found if isinstance(one, Composed)]
    if has_errors(problems):
        raise Refused(_named(name, problems))
    if len(documents) != 1:
        place = place_of(documents[1], ()) if documents else (1, 1)
        hint = "docs/sandbox.md has an example"
        raise Refused(_named(name, [problem(place, "NOT_ONE_DOCUMENT", "a scenario is one document", hint)]))
    return documents[0], _plain(name, documents[0])


def _plain(name: str, document: Composed) -> dict[str, Any]:
    try:
        data, problems = plain(document, aliases=True)
    except Unwalkable as error:
        data, problems = None, [error.problem]
    if not problems and not isinstance(data, dict):
        hint = "docs/sandbox.md has an example"
        problems = [problem(place_of(document, ()), "NOT_A_MAPPING", "a scenario is a mapping", hint)]
    if problems or not isinstance(data, dict):
        raise Refused(_named(name, problems))
    return data


def _with_files(document: Composed, data: dict[str, Any], folder: Path) -> list[Problem]:
    """Put the definitions in whose place the scenario names a file, as seen from its own folder."""
    problems = []
    for holder, key, path in _definitions(data):
        if not isinstance(holder[key], str):
            continue
        try:
            holder[key] = read_definition(str(folder / holder[key]))
        except CommandError as error:
            hint = "name a JSON file beside the scenario, or write the definition out here"
            problems.append(problem(place_of(document, path), "NO_DEFINITION", str(error), hint))
            holder[key] = BLANK
    return problems


def _definitions(data: dict[str, Any]) -> Iterator[tuple[Any, Any, At]]:
    """Wherever a task definition may stand: what holds it, under which key, and its path."""
    listed = data.get("task_definitions")
    for index in range(len(listed) if isinstance(listed, list) else 0):
        yield listed, index, ("task_definitions", index)
    steps = data.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        for actor in ("ci", "terraform") if isinstance(step, dict) else ():
            told = step.get(actor)
            if isinstance(told, dict) and "definition" in told:
                yield told, "definition", ("steps", index, actor, "definition")


def _named(name: str, problems: list[Problem]) -> list[Problem]:
    return [replace(one, file=name) for one in problems]
