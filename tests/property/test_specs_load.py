"""Whatever the bytes are, loading them ends in problems, never in a traceback."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.api.kinds import Kind
from controller.api.problems import Problem
from controller.fluentbit.engines import ENGINES
from controller.specs.load import load, reread
from controller.specs.model import SpecSet

SNIPPETS = [
    "---\n", "...\n", "apiVersion: logroute.dev/v1alpha1\n", "kind: LogRoute\n", "metadata: {name: a}\n",
    "spec:\n", "  target: {taskFamilies: [x]}\n", "  pipeline:\n", "    outputs: [{name: s3, bucket: b}]\n",
    "&a ", "*a ", "[", "]", "{", "}", "- ", "? ", ": ", "!x ", "!!str ", "|\n", ">\n", "'", '"', "#", "\t",
    "%YAML 1.1\n",
    "<<: *a\n", "\x00", "\x85", "\u2028", "\ufeff", "null", "~", "\\", "@", "`", "é", "𝔘",
]  # fmt: skip
SCALARS = st.one_of(
    st.text(max_size=20), st.sampled_from(["", "true", "1", "s3", "a*", "^a", "${X}", "1G", "null"]), st.integers()
)
KEYS = st.sampled_from(
    ["name", "namespace", "target", "pipeline", "outputs", "filters", "inputs", "parsers", "multiline_parsers", "rules",
     "service", "services", "cluster", "ref", "alias", "match", "secrets", "logGroups", "router", "rollout",
     "container", "image", "engine", "bucket", "format", "regex", "spec", "metadata", "labels", "annotations"]
)  # fmt: skip
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.one_of(KEYS, st.text(max_size=6)), inner, max_size=5)
    ),
    max_leaves=25,
)


def good(found: SpecSet) -> None:
    for problem in found.problems:
        assert isinstance(problem, Problem)
        assert problem.hint
        assert "\n" not in problem.message
        assert problem.line >= 0
    assert found.invalid.isdisjoint(route.key for route in found.routes)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    good(load("r", {"a.yaml": content}))


@given(st.lists(st.sampled_from(SNIPPETS), max_size=40))
def test_any_mixture_of_yaml(parts: list[str]) -> None:
    good(load("r", {"a.yaml": "".join(parts).encode()}))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(Kind)), st.dictionaries(KEYS, TREES, max_size=6))
def test_any_tree_below_any_kind(kind: Kind, spec: dict[str, Any]) -> None:
    document = {"apiVersion": "logroute.dev/v1alpha1", "kind": kind.value, "metadata": {"name": "a"}, "spec": spec}
    good(load("r", {"a.yaml": yaml.safe_dump(document).encode()}))


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=4), st.lists(TREES, min_size=1, max_size=3), st.sampled_from(ENGINES))
def test_any_pipeline(parts: dict[str, Any], outputs: list[Any], engine: str) -> None:
    document: dict[str, Any] = {
        "apiVersion": "logroute.dev/v1alpha1",
        "kind": "LogRoute",
        "metadata": {"name": "a"},
        "spec": {"target": {"taskFamilies": ["x"]}, "pipeline": {**parts, "outputs": outputs}},
    }
    router = {**document, "kind": "LogRouterClass", "metadata": {"name": "default"}, "spec": {"engine": engine}}
    good(load("r", {"a.yaml": yaml.safe_dump_all([document, router]).encode()}))


@given(st.lists(st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec"]), TREES), max_size=3))
def test_any_memory(made_from: list[dict[str, Any]]) -> None:
    assert reread(made_from, "a.yaml") is None or made_from


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=30))
def test_a_scalar_is_its_source_text(text: str) -> None:
    quoted = text.replace("'", "''")
    document = (
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRoute\n"
        f"metadata: {{name: a, annotations: {{note: '{quoted}'}}}}\n"
        "spec: {target: {taskFamilies: [x]}, pipeline: {outputs: [{name: stdout}]}}\n"
    )
    found = load("r", {"a.yaml": document.encode()})
    for route in found.routes:
        if not any(char in text for char in "\x85\u2028\u2029"):
            assert route.document.metadata.annotations["note"] == text
