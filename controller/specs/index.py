"""All documents of a revision by kind and name: what a route may refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.api.kinds import Kind
from controller.specs.documents import Document

DEFAULT_CLASS = "default"


@dataclass(frozen=True, slots=True)
class Entry:
    """A document and the file that it stands in."""

    file: str
    document: Document


@dataclass(slots=True)
class Index:
    entries: dict[Kind, dict[str, Entry]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    twice: dict[Kind, dict[str, list[Entry]]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    """Names that stand more than once: which document is meant, nobody can tell, so none is usable."""
    broken: set[Document] = field(default_factory=set)
    """Documents that their model takes, with an error all the same."""

    def of(self, kind: Kind) -> Mapping[str, Entry]:
        return self.entries[kind]

    def usable(self, document: Document) -> bool:
        twice = document.key in self.twice[document.kind]
        return document.model is not None and not twice and document not in self.broken


def make_index(entries: Iterable[Entry]) -> Index:
    index = Index()
    for entry in entries:
        document = entry.document
        first = index.entries[document.kind].setdefault(document.key, entry)
        if first is not entry:
            index.twice[document.kind].setdefault(document.key, [first]).append(entry)
    return index
