"""Spec files of one revision → SpecSet. One bad spec harms itself only, and nothing here raises for bad input.

Files whose bytes did not change are not parsed again; routes whose documents did not change are not made again.
"""

from __future__ import annotations

import gc
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

from pydantic import ValidationError

from controller.api.kinds import MODELS, Kind, LogRoute
from controller.api.problems import Problem, Severity
from controller.fluentbit.findings import Finding
from controller.specs.documents import Document, ParsedFile, digest_of, document_key, document_kind, parse_file
from controller.specs.index import Entry, Index, make_index
from controller.specs.model import Plain, Route, SpecSet
from controller.specs.routes import Made, Resolved, make, resolve
from controller.specs.shared import check_shared
from controller.specs.tenancy import EVERYBODY, Tenancy
from controller.specs.text import MAX_FILES

_WORD_START = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Trouble(Protocol):
    """Why a source has no content for a file, or none at all."""

    @property
    def reason(self) -> Any: ...
    @property
    def message(self) -> str: ...
    @property
    def hint(self) -> str: ...


class Unread(Protocol):
    """A file that the source could not take in."""

    @property
    def path(self) -> str: ...
    @property
    def problem(self) -> Trouble | None: ...


class SnapshotLike(Protocol):
    """What a source hands on, as far as it is needed here."""

    @property
    def revision(self) -> str: ...
    def contents(self) -> Mapping[str, bytes]: ...
    def problems(self) -> Sequence[Unread]: ...


def load(
    revision: str,
    files: Mapping[str, bytes],
    unread: Iterable[Problem] = (),
    *,
    lua: bool = False,
    tenancy: Tenancy = EVERYBODY,
) -> SpecSet:
    """The specs in `files` (path → content). `unread`: problems of files that could not be read. `lua`: the settings
    allow it.
    """
    return Loader(lua=lua, tenancy=tenancy).load_files(revision, files, unread)


def reread(made_from: Sequence[Plain], file: str, *, lua: bool = False, tenancy: Tenancy = EVERYBODY) -> Route | None:
    """A route from the documents that it was made from; None where this version cannot read them any more, or the
    tenants of today do not permit it.

    The same documents give the same digest. The line is 0.
    """
    index = make_index(Entry(file, one) for data in made_from if (one := _remembered(data)))
    _find_broken(index, {})
    entry = next(iter(index.of(Kind.ROUTE).values()), None)
    if entry is None or not isinstance(entry.document.model, LogRoute) or not tenancy.permits(entry):
        return None
    if any(tenancy.beyond(Entry("", one.document)) for one in index.of(Kind.OUTPUT).values()):
        return None  # where those stood, nobody remembers
    return make(resolve(entry, entry.document.model, index), lua=lua).route


def _remembered(data: Plain) -> Document | None:
    kind = document_kind(data)
    key = document_key(kind, data) if kind else None
    if kind is None or key is None:
        return None
    try:
        return Document(kind, key, MODELS[kind].model_validate(data), b"", 0, 0, digest_of(data), data)
    except ValidationError:
        return None


@contextmanager
def collector_at_rest() -> Iterator[None]:
    """A first load makes a million objects that stay. Looking through them for garbage, over and over while
    there come more, takes as long as the parsing itself.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.unfreeze()  # what is young now is old, without a look at it
        if was_enabled:
            gc.enable()


class Loader:
    """Keeps what it read last time."""

    def __init__(self, *, lua: bool = False, tenancy: Tenancy = EVERYBODY) -> None:
        self._lua, self._tenancy = lua, tenancy
        self._files: dict[bytes, ParsedFile] = {}
        self._shared: dict[Document, tuple[Finding, ...]] = {}
        self._made: dict[Document, tuple[Resolved, Made]] = {}
        self.parsed = 0
        """Files parsed so far: bytes seen in the load before do not count again."""

    def load(self, snapshot: SnapshotLike) -> SpecSet:
        return self.load_files(
            snapshot.revision, snapshot.contents(), [as_problem(one.path, one.problem) for one in snapshot.problems()]
        )

    def load_files(self, revision: str, files: Mapping[str, bytes], unread: Iterable[Problem] = ()) -> SpecSet:
        """See `load`."""
        with collector_at_rest():
            return self._load(revision, files, list(unread))

    def _load(self, revision: str, files: Mapping[str, bytes], unread: list[Problem]) -> SpecSet:
        if len(files) > MAX_FILES:
            return _too_many(revision, files, unread)
        parsed = self._parse(files)
        every = (Entry(file, one) for file, read in parsed.items() for one in read.documents)
        entries, refused = self._tenancy.divide(every)
        index = make_index(entries)
        self._shared = _find_broken(index, self._shared)
        beyond = self._find_beyond(index)
        self._made = dict(self._make_routes(index))
        specs = _assemble(revision, parsed, index, self._made.values(), self._shared, unread, self._tenancy)
        return _with_refused(specs, [*beyond, *((entry, [why]) for entry, why in refused)], self._tenancy)

    def _find_beyond(self, index: Index) -> list[tuple[Entry, list[Finding]]]:
        """What asks for more than its tenant may, which makes it unusable."""
        entries = (entry for kind in (Kind.ROUTE, Kind.OUTPUT) for entry in index.of(kind).values())
        found = [(entry, why) for entry in entries if (why := self._tenancy.beyond(entry))] if self._tenancy else []
        index.broken.update(entry.document for entry, _ in found)
        return found

    def _parse(self, files: Mapping[str, bytes]) -> dict[str, ParsedFile]:
        known: dict[bytes, ParsedFile] = {}
        parsed = {}
        for file in sorted(files):
            content = files[file]
            read = known.get(content) or self._files.get(content)
            if read is None:
                read = parse_file(content)
                self.parsed += 1
            known[content] = parsed[file] = read
        self._files = known
        return parsed

    def _make_routes(self, index: Index) -> Iterator[tuple[Document, tuple[Resolved, Made]]]:
        for entry in index.of(Kind.ROUTE).values():
            document = entry.document
            if not index.usable(document) or not isinstance(document.model, LogRoute):
                continue
            resolved = resolve(entry, document.model, index)
            before = self._made.get(document)
            if before and _same(before[0], resolved):
                yield document, before
            else:
                yield document, (resolved, make(resolved, lua=self._lua))


def _same(before: Resolved, now: Resolved) -> bool:
    """Documents are compared by identity: they are kept as long as their bytes stay."""
    found_all = not before.findings and not now.findings
    return found_all and before.entry.file == now.entry.file and before.depends_on == now.depends_on


def _find_broken(index: Index, known: Mapping[Document, tuple[Finding, ...]]) -> dict[Document, tuple[Finding, ...]]:
    """Look through LogOutputs and classes, and tell the index which cannot be used."""
    found = {}
    for kind in (Kind.OUTPUT, Kind.CLASS):
        for entry in index.of(kind).values():
            document = entry.document
            findings = known.get(document)
            found[document] = findings = check_shared(document) if findings is None else findings
            if any(finding.severity is Severity.ERROR for finding in findings):
                index.broken.add(document)
    return found


def _assemble(
    revision: str,
    parsed: Mapping[str, ParsedFile],
    index: Index,
    made: Iterable[tuple[Resolved, Made]],
    shared: Mapping[Document, tuple[Finding, ...]],
    unread: list[Problem],
    tenancy: Tenancy,
) -> SpecSet:
    problems = list(unread)
    for file, read in parsed.items():
        problems += [replace(one, file=file) for one in read.problems]
    for kind in (Kind.OUTPUT, Kind.CLASS):
        for entry in index.of(kind).values():
            problems += _placed(entry, shared[entry.document])
    routes = []
    for resolved, one in made:
        problems += _placed(resolved.entry, one.findings)
        routes += [one.route] if one.route else []
    problems += _twice(index)
    valid = {route.key for route in routes}
    claimed = {key for file, read in parsed.items() for key in read.claims if tenancy.may_hide(key, file)}
    return SpecSet(
        revision,
        tuple(sorted(routes, key=lambda route: route.key)),
        tuple(sorted(dict.fromkeys(problems))),
        frozenset((claimed | index.of(Kind.ROUTE).keys()) - valid),
        frozenset({file for file, read in parsed.items() if read.unreadable} | {one.file for one in unread}),
        frozenset(parsed.keys() | {one.file for one in unread}),
    )


def _with_refused(specs: SpecSet, found: Iterable[tuple[Entry, list[Finding]]], tenancy: Tenancy) -> SpecSet:
    """With what the tenants refuse said. A route of theirs that stands in the wrong file is not gone; one that others
    wrote in its name says nothing of it.
    """
    if not tenancy:
        return specs
    some = list(found)
    problems = [problem for entry, findings in some for problem in _placed(entry, findings)]
    routes = [(entry.document.key, entry.file) for entry, _ in some if entry.document.kind is Kind.ROUTE]
    valid = {route.key for route in specs.routes}
    astray = {key for key, file in routes if tenancy.may_hide(key, file)} - valid
    return replace(
        specs,
        problems=tuple(sorted({*specs.problems, *problems})),
        invalid=specs.invalid | astray,
        refused=frozenset(routes),
    )


def _placed(entry: Entry, findings: Iterable[Finding]) -> Iterator[Problem]:
    for one in findings:
        line, column = entry.document.place(one.path, key=one.key)
        yield Problem(entry.file, line, column, one.code, one.severity, one.message, one.hint)


def _twice(index: Index) -> Iterator[Problem]:
    for kind, names in index.twice.items():
        for key, entries in names.items():
            places = [(entry.file, *entry.document.place(("metadata", "name"))) for entry in entries]
            for entry_place in places:
                other = places[0] if entry_place is not places[0] else places[1]
                yield Problem(
                    *entry_place,
                    "DUPLICATE_NAME",
                    Severity.ERROR,
                    f"another {kind} is called {key}, at {other[0]}:{other[1]}:{other[2]}",
                    "rename or delete one: until then none of them counts",
                )


def as_problem(file: str, why: Trouble | None) -> Problem:
    """A source's `FileTooLarge` is `FILE_TOO_LARGE` here."""
    code = _WORD_START.sub("_", str(why.reason) if why else "FileUnreadable").upper()
    message = why.message if why else "the file cannot be read"
    return Problem(file, 0, 0, code, Severity.ERROR, message, why.hint if why else "")


def _too_many(revision: str, files: Mapping[str, bytes], unread: list[Problem]) -> SpecSet:
    """Nothing is read, so nothing counts as gone either: any route may be in any of the files."""
    message = f"there are {len(files):,} spec files, more than the {MAX_FILES:,} that are read"
    first = min(files)
    many = Problem(first, 0, 0, "TOO_MANY_FILES", Severity.ERROR, message, "point at fewer of them")
    known = frozenset(files) | {one.file for one in unread}
    return SpecSet(revision, (), tuple(sorted([*unread, many])), frozenset(), known, known)
