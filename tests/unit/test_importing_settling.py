"""What specs refuse is taken out; what they only warn of strongly is accepted by name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from controller.api.problems import Problem, Severity
from controller.fluentbit.classic import Place
from controller.importing import settling
from controller.importing.tree import Map, at, from_plain
from controller.specs.load import load
from controller.specs.model import SpecSet
from tests.support.routes import route_document

CLASS = {"apiVersion": "logroute.dev/v1alpha1", "kind": "LogRouterClass", "metadata": {"name": "default"}, "spec": {}}


def tree(document: object) -> Map:
    found = from_plain(document, Place("x.conf", 1))
    assert isinstance(found, Map)
    return found


def route(**pipeline: object) -> Map:
    return tree({"apiVersion": "logroute.dev/v1alpha1", **route_document(pipeline=pipeline)})


def test_lints_that_are_errors_are_accepted_by_annotation(monkeypatch: pytest.MonkeyPatch) -> None:
    def strict(revision: str, files: Mapping[str, bytes]) -> SpecSet:
        """As if there were a lint of this severity: an error unless its code is allowed."""
        found = load(revision, files)
        if any(b"logroute.dev/allow: LOOPS" in text for text in files.values()):
            return found
        problem = Problem("import.yaml", 10, 1, "LOOPS", Severity.ERROR, "it loops", "do not")
        return SpecSet(revision, (), (problem,), frozenset(), frozenset())

    monkeypatch.setattr(settling, "load", strict)
    settled = settling.settle((route(), tree(CLASS)), ())
    assert settled.left == ()
    assert [one.key for one in settled.specs.routes] == ["web/httpd"]
    for document in settled.documents:
        assert at(document, ("metadata", "annotations", "logroute.dev/allow"))


def test_an_error_that_is_no_lint_gets_no_annotation() -> None:
    settled = settling.settle((route(filters=[{"name": "nosuch", "match": "a"}, {"name": "stdout"}]), tree(CLASS)), ())
    assert settled.left == ()
    assert at(settled.documents[0], ("metadata", "annotations")) is None
    assert [one.what for one in settled.remarks] == ["nosuch"]
    assert at(settled.documents[0], ("spec", "pipeline", "filters", 1)) is None


def test_of_a_list_only_the_bad_value_goes() -> None:
    filters = [{"name": "record_modifier", "record": ["a b", "c ${", "d e"]}]
    settled = settling.settle((route(filters=filters), tree(CLASS)), ())
    [made] = settled.specs.routes
    assert made.document.spec.pipeline.filters[0]["record"] == ["a b", "d e"]


def test_a_section_whose_match_is_refused_goes_whole() -> None:
    settled = settling.settle((route(filters=[{"name": "stdout", "match": "a b"}]), tree(CLASS)), ())
    [made] = settled.specs.routes
    assert made.document.spec.pipeline.filters == ()


def test_what_cannot_be_helped_is_told() -> None:
    broken = route(outputs=[{"name": "nosuch"}])
    assert settling.settle((broken, tree(CLASS)), ()).left
