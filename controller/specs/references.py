"""`ref` and `routerClass`: from a name to a document, or to why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from controller.api.globs import selected
from controller.api.kinds import Kind, LogOutput, LogRouterClass
from controller.fluentbit.findings import Finding, error
from controller.fluentbit.words import lowered, nearest, shown
from controller.specs.documents import Document
from controller.specs.index import DEFAULT_CLASS, Index

_BESIDE_REF = frozenset({"ref", "match", "match_regex", "alias"})
"""What a route may say of a shared output: which records go there, and what it is called in this route."""


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a route, its `ref` followed; option names in lower case. `document` is its LogOutput, if any."""

    position: int
    """Among the outputs of the route."""
    section: Mapping[str, Any]
    document: Document | None = None
    shared: LogOutput | None = None


def find_class(name: str, index: Index) -> tuple[Document | None, LogRouterClass | None, list[Finding]]:
    """The class; nothing and no finding for `default` where nobody wrote one."""
    path = ("spec", "routerClass")
    entry = index.of(Kind.CLASS).get(name)
    if entry is None:
        if name == DEFAULT_CLASS:
            return None, None, []
        near = nearest(name, index.of(Kind.CLASS))
        hint = f'did you mean "{near}"?' if near else "write it, or use default"
        return None, None, [error(path, "CLASS_NOT_FOUND", f"there is no LogRouterClass {shown(name)}", hint)]
    document = entry.document
    if not index.usable(document) or not isinstance(document.model, LogRouterClass):
        hint = f"see {entry.file}:{document.line}"
        return None, None, [error(path, "CLASS_INVALID", f"the LogRouterClass {name} is not valid", hint)]
    return document, document.model, []


def find_output(
    section: Mapping[str, Any], position: int, namespace: str, index: Index
) -> tuple[Output | None, list[Finding]]:
    """An output of a route in `namespace`; paths start at the output."""
    lower = lowered(section)
    if "ref" not in lower:
        return Output(position, lower), []
    ref = lower["ref"]
    if not isinstance(ref, str):
        return None, [
            error(("ref",), "WRONG_TYPE", "ref must be the name of a LogOutput", "write name or namespace/name")
        ]
    found = [_surplus(key) for key in section if key.lower() not in _BESIDE_REF]
    document, trouble = _document(ref, namespace, index)
    if document is None or found or trouble:
        return None, found + trouble
    assert isinstance(document.model, LogOutput)  # noqa: S101 - _document saw to it
    over = {key: value for key, value in lower.items() if key != "ref"}
    return Output(position, _overlaid(document.model.spec.section, over), document, document.model), []


def _surplus(key: str) -> Finding:
    hint = "only match, match_regex and alias stand beside ref; the rest belongs to the LogOutput"
    return error((key,), "REF_AND_OPTIONS", f"{shown(key)} cannot stand beside ref", hint, key=True)


def _document(ref: str, namespace: str, index: Index) -> tuple[Document | None, list[Finding]]:
    key = ref if "/" in ref else f"{namespace}/{ref}"
    outputs = index.of(Kind.OUTPUT)
    entry = outputs.get(key)
    if entry is None:
        near = nearest(key, outputs)
        hint = f'did you mean "{near}"?' if near else "ref is a name in this namespace, or namespace/name"
        return None, [error(("ref",), "REF_NOT_FOUND", f"there is no LogOutput {shown(key)}", hint)]
    document = entry.document
    if not index.usable(document) or not isinstance(document.model, LogOutput):
        hint = f"see {entry.file}:{document.line}"
        return None, [error(("ref",), "REF_INVALID", f"the LogOutput {key} is not valid", hint)]
    owner = key.partition("/")[0]
    allowed = document.model.spec.allowed_namespaces
    if namespace != owner and not selected(allowed, namespace):
        message = f"the LogOutput {key} is not for routes in namespace {namespace}"
        return None, [error(("ref",), "REF_NOT_ALLOWED", message, "its allowedNamespaces must say so")]
    return document, []


def _overlaid(section: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """What the route says of records goes before what the LogOutput says, whichever way each says it."""
    dropped = set(over)
    if dropped & {"match", "match_regex"}:
        dropped |= {"match", "match_regex"}
    kept = {lower: value for key, value in section.items() if (lower := key.lower()) not in dropped}
    return {**kept, **over}
