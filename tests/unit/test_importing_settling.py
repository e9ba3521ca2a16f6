"""What specs refuse is taken out; what they only warn of strongly is accepted by name."""

from __future__ import annotations

from controller.fluentbit.classic import Place
from controller.importing import settling
from controller.importing.tree import Map, at, from_plain, to_plain
from tests.support.routes import route_document

CLASS = {"apiVersion": "logroute.dev/v1alpha1", "kind": "LogRouterClass", "metadata": {"name": "default"}, "spec": {}}


def tree(document: object) -> Map:
    found = from_plain(document, Place("x.conf", 1))
    assert isinstance(found, Map)
    return found


def route(**pipeline: object) -> Map:
    return tree({"apiVersion": "logroute.dev/v1alpha1", **route_document(pipeline=pipeline)})


LOOP = {"name": "rewrite_tag", "match": "*-firelens-*", "rule": "$log . $TAG.x false"}
LATE = {"container": {"stopTimeout": "10"}, "service": {"grace": "20"}}


def test_lints_that_are_errors_are_accepted_by_annotation_where_they_stand_and_said() -> None:
    made, router = settling.settle((route(filters=[LOOP]), tree({**CLASS, "spec": LATE})), ()).documents
    assert to_plain(made)["metadata"]["annotations"] == {"logroute.dev/allow": "REWRITE_LOOP"}
    assert to_plain(router)["metadata"]["annotations"] == {"logroute.dev/allow": "STOP_TIMEOUT"}
    settled = settling.settle((route(filters=[LOOP]), tree(CLASS)), ())
    assert (settled.left, at(settled.documents[1], ("metadata", "annotations"))) == ((), None)
    assert [one.key for one in settled.specs.routes] == ["web/httpd"]
    [said] = settled.remarks
    assert (said.what, said.lost) == ("REWRITE_LOOP", False)


def test_lints_that_only_show_when_something_is_taken_out_are_accepted_too() -> None:
    outputs = [{"name": "stdout", "match": "other.*"}, {"name": "nosuch"}, {"name": "null"}]
    settled = settling.settle((route(outputs=outputs), tree(CLASS)), ())
    assert settled.left == ()
    allowed = to_plain(settled.documents[0])["metadata"]["annotations"]
    assert allowed == {"logroute.dev/allow": "OUTPUT_UNREACHABLE"}
    assert [one.what for one in settled.remarks if one.lost] == ["nosuch"]


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
