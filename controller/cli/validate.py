"""`logroute validate`: the problems of spec files and folders, with nothing contacted."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from controller.api.problems import Problem, Severity, has_errors
from controller.cli.console import BOLD, CYAN, RED, YELLOW, fail, paint, say, show
from controller.sources.snapshot import Limits, SourceFile, too_large
from controller.specs.load import as_problem, collector_at_rest, load
from controller.specs.model import SpecSet
from controller.specs.tenancy import EVERYBODY, Tenancy

WRONG_USAGE = 64
_COLOURS = {Severity.ERROR: RED, Severity.WARNING: YELLOW, Severity.HINT: CYAN}


def validate(paths: Sequence[Path], output: str, tenants: Path | None = None) -> int:
    """Print the problems below `paths`, as `text` or `json`; the exit status. `tenants`: a file of settings, or of
    tenants alone. Raises SettingsError.
    """
    for path in paths:
        if not path.exists():
            fail(f"there is no file or folder {path}")
            return WRONG_USAGE
    specs = read_paths(paths, _tenancy(tenants, paths) if tenants else EVERYBODY)
    if output == "json":
        found = [problem.as_json() for problem in specs.problems]
        show(orjson.dumps({"problems": found}, option=orjson.OPT_INDENT_2).decode())
    else:
        for problem in specs.problems:
            show(as_text(problem))
        sys.stdout.flush()
        say(_summary(specs))
    return 1 if has_errors(specs.problems) else 0


def _tenancy(file: Path, paths: Sequence[Path]) -> Tenancy:
    """A folder that was given is the source."""
    from controller.rules import rules
    from controller.settings import load_tenants

    return rules(load_tenants(file), tuple(f"{path}/" for path in paths if path.is_dir()))


def read_paths(paths: Sequence[Path], tenancy: Tenancy = EVERYBODY) -> SpecSet:
    """The specs of files and folders together. What cannot be read is among the problems."""
    contents: dict[str, bytes] = {}
    problems: list[Problem] = []
    with collector_at_rest():
        for name, file in _files(paths, problems):
            if file.content is None:
                problems.append(as_problem(name, file.problem))
            else:
                contents[name] = file.content
        return load("local", contents, problems, lua=os.environ.get("LOGROUTE_LUA") == "allow", tenancy=tenancy)


def _files(paths: Sequence[Path], problems: list[Problem]) -> Iterator[tuple[str, SourceFile]]:
    """Every file once, by the name to show: what was given, and the path below it."""
    seen: set[str] = set()
    for path in paths:
        for name, file in _below(path, problems):
            if len(paths) > 1 and (full := os.path.abspath(name)) in seen:  # noqa: PTH100 - 10,000 of them
                continue
            elif len(paths) > 1:
                seen.add(full)
            yield name, file


def _below(path: Path, problems: list[Problem]) -> Iterable[tuple[str, SourceFile]]:
    if not path.is_dir():
        return [(str(path), _one(path))]
    from controller.sources.address import FolderSpec
    from controller.sources.errors import SourceError
    from controller.sources.folder import FolderSource

    try:
        files = FolderSource(FolderSpec(str(path)), Limits()).poll(None).files
    except SourceError as error:
        problems.append(as_problem(str(path), error))
        return []
    if not files:
        message = "there is no .yaml or .yml file in this folder"
        problems.append(Problem(str(path), 0, 0, "NO_FILES", Severity.WARNING, message, "check the path"))
    return [(f"{path}/{name}", file) for name, file in files.items()]


def _one(path: Path) -> SourceFile:
    """A file that was named itself may have any name, and be a pipe."""
    limits = Limits()
    with path.open("rb") as stream:
        content = stream.read(limits.max_file_bytes + 1)
    if len(content) > limits.max_file_bytes:
        return too_large(str(path), len(content), limits)
    return SourceFile(str(path), len(content), content)


def as_text(problem: Problem) -> str:
    place = f"{problem.file}:{problem.line}:{problem.column}" if problem.line else problem.file
    word = paint(problem.severity.value, _COLOURS[problem.severity])
    text = f"{paint(place, BOLD)}: {word} {problem.code}: {problem.message}"
    return f"{text}\n    {problem.hint}" if problem.hint else text


def _summary(specs: SpecSet) -> str:
    counts = dict.fromkeys(Severity, 0)
    for problem in specs.problems:
        counts[problem.severity] += 1
    found = [_count(number, severity.value) for severity, number in counts.items() if number]
    return f"{_count(len(specs.routes), 'valid route')}, {', '.join(found) or 'no problems'}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
