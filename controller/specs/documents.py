"""One file → its documents: composed, walked, and read by the model of their kind."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from controller.api.kinds import API_VERSION, MODELS, Kind, LogOutput, LogRoute, LogRouterClass
from controller.api.problems import Problem, Severity, has_errors
from controller.api.values import DNS_LABEL
from controller.fluentbit.words import listed, nearest, shown
from controller.specs.composing import NULL, Composed, compose, composed
from controller.specs.model import Plain
from controller.specs.places import Path, Place, place_of
from controller.specs.plain import Blank, Unwalkable, plain
from controller.specs.text import check_bytes, problem

MOST_PROBLEMS = 100
"""Of one file. More help nobody, and a hostile file could make hundreds of thousands."""
_LABEL = re.compile(DNS_LABEL)
_KINDS = [kind.value for kind in Kind]

Model = LogRoute | LogOutput | LogRouterClass


@dataclass(frozen=True, eq=False, slots=True)
class Document:
    """A document with a kind and a name. `model` is None where it is not valid."""

    kind: Kind
    key: str
    """`namespace/name`; of a class its name."""
    model: Model | None
    content: bytes = field(repr=False)
    """The whole file, for positions."""
    index: int
    """Which of the file's documents it is, from 0."""
    line: int
    digest: bytes
    """Of its data, whatever the order of keys."""
    kept: Plain | None = field(default=None, repr=False)
    """Its data, where no file has it: ten thousand documents take less as bytes."""

    @property
    def data(self) -> Plain:
        """Read again from the file: only what is new or changed is asked for it."""
        if self.kept is not None:
            return self.kept
        data, _ = plain(composed(self.content)[self.index], aliases=_has_aliases(self.content))
        assert isinstance(data, dict)  # noqa: S101 - as it was the first time
        return data

    def place(self, path: Path, *, key: bool = False) -> Place:
        """Line and column of what stands at `path`. Composes the file again: for problems only."""
        if not self.content:
            return (0, 0)
        return place_of(composed(self.content)[self.index], path, key=key)


@dataclass(frozen=True, slots=True, eq=False)
class ParsedFile:
    """Equal bytes are read once, so nothing in here knows the file's name: problems get it later."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    claims: frozenset[str]
    """Names on documents of no known kind: they may be routes gone wrong."""
    unreadable: bool
    """Something in the file could not even be named."""


def digest_of(data: Plain) -> bytes:
    return sha256(orjson.dumps(data, option=orjson.OPT_SORT_KEYS)).digest()


def parse_file(content: bytes) -> ParsedFile:
    """Never raises, whatever the bytes are."""
    problems = check_bytes(content)
    if has_errors(problems):
        return ParsedFile((), tuple(problems), frozenset(), unreadable=True)
    reading = _Reading(content, problems, aliases=_has_aliases(content))
    for index, one in enumerate(_numbered(compose(content), reading)):
        reading.take(one, index)
    if not reading.seen and not has_errors(reading.problems):
        reading.problems.append(_nothing())
    return ParsedFile(
        tuple(reading.documents),
        tuple(_bounded(reading.problems)),
        frozenset(reading.claims),
        reading.unreadable,
    )


def _has_aliases(content: bytes) -> bool:
    return b"*" in content and b"&" in content


def _numbered(found: Iterable[Composed | Problem], reading: _Reading) -> Iterable[Composed]:
    for one in found:
        if isinstance(one, Composed):
            yield one
        else:
            reading.problems.append(one)
            reading.unreadable = True


@dataclass(slots=True)
class _Reading:
    content: bytes
    problems: list[Problem]
    aliases: bool
    documents: list[Document] = field(default_factory=list)
    claims: set[str] = field(default_factory=set)
    unreadable: bool = False
    seen: bool = False
    """There was a document that is not empty."""

    def take(self, one: Composed, index: int) -> None:
        if one.node.tag is NULL and not one.node.value:
            return
        self.seen = True
        try:
            data, troubles = plain(one, aliases=self.aliases)
        except Unwalkable as error:
            self._give_up(error.problem)
            return
        if not isinstance(data, dict):
            self._give_up(*(troubles or [_no_mapping(one)]))
            return
        self._read(one, data, troubles, index)

    def _give_up(self, *problems: Problem) -> None:
        self.problems += problems
        self.unreadable = True

    def _read(self, one: Composed, data: Plain, troubles: list[Problem], index: int) -> None:
        kind = document_kind(data)
        if kind is None:
            self.problems += troubles + _header_problems(one, data)
            self._claim(document_key(Kind.ROUTE, data))
            return
        model, said = _validated(one, data, kind)
        self.problems += troubles + said
        key = document_key(kind, data)
        if key is None:
            self.unreadable = True
            return
        valid = None if troubles or said else model
        line = one.line_offset + one.node.start_mark.line + 1
        # The digest is taken while the data is in the processor's cache, and the data is let go.
        self.documents.append(Document(kind, key, valid, self.content, index, line, digest_of(data)))

    def _claim(self, key: str | None) -> None:
        if key is None:
            self.unreadable = True
        else:
            self.claims.add(key)


def _validated(one: Composed, data: Plain, kind: Kind) -> tuple[Model | None, list[Problem]]:
    model = MODELS[kind]
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        return None, _translated(error, one, data, model)


def _translated(error: ValidationError, one: Composed, data: Plain, model: type[BaseModel]) -> list[Problem]:
    from controller.specs.wording import words_for

    return [
        problem(place_of(one, said.path, key=said.key), said.code, said.message, said.hint)
        for said in words_for(error, data, model)
    ]


def document_kind(data: Plain) -> Kind | None:
    """None where it says none, or one that does not exist."""
    kind = data.get("kind")
    return Kind(kind) if isinstance(kind, str) and kind in _KINDS else None


def document_key(kind: Kind, data: Plain) -> str | None:
    """None where the document does not say its name, or not a possible one."""
    metadata = data.get("metadata")
    if not isinstance(metadata, dict):
        return None
    name, namespace = metadata.get("name"), metadata.get("namespace", "default")
    if not _is_label(name) or not _is_label(namespace):
        return None
    return str(name) if kind is Kind.CLASS else f"{namespace}/{name}"


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and _LABEL.fullmatch(value) is not None


def _header_problems(one: Composed, data: Plain) -> list[Problem]:
    """Why no model can be chosen."""
    found = []
    version, kind = data.get("apiVersion"), data.get("kind")
    if "apiVersion" not in data:
        hint = f'add "apiVersion: {API_VERSION}"'
        found.append(problem(place_of(one, ()), "MISSING_API_VERSION", "the key apiVersion is missing", hint))
    elif version != API_VERSION and not isinstance(version, Blank):
        place = place_of(one, ("apiVersion",))
        hint = f'this version of LogRoute knows "{API_VERSION}"'
        found.append(problem(place, "UNKNOWN_API_VERSION", f"unknown apiVersion {shown(version)}", hint))
    if "kind" not in data:
        hint = f"add one of {listed(_KINDS)}"
        found.append(problem(place_of(one, ()), "MISSING_KIND", "the key kind is missing", hint))
    elif not isinstance(kind, Blank):
        near = nearest(str(kind), _KINDS)
        hint = f'did you mean "{near}"?' if near else f"known: {listed(_KINDS)}"
        found.append(problem(place_of(one, ("kind",)), "UNKNOWN_KIND", f"unknown kind {shown(kind)}", hint))
    return found


def _no_mapping(one: Composed) -> Problem:
    return problem(
        place_of(one, ()),
        "NOT_A_MAPPING",
        "a document must be a mapping with apiVersion, kind, metadata and spec",
        "check the indent of its first lines",
    )


def _nothing() -> Problem:
    return problem(
        (1, 1),
        "EMPTY_FILE",
        "the file holds no document",
        "delete it, or write a LogRoute into it",
        Severity.WARNING,
    )


def _bounded(problems: list[Problem]) -> list[Problem]:
    found = sorted(dict.fromkeys(problems))
    if len(found) <= MOST_PROBLEMS:
        return found
    last = found[MOST_PROBLEMS - 1]
    more = problem(
        (last.line, last.column), "TOO_MANY_PROBLEMS", f"and {len(found) - MOST_PROBLEMS:,} more", "mend these first"
    )
    return [*found[:MOST_PROBLEMS], more]
