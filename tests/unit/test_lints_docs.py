"""docs/lints.md tells every lint, and its examples call forth what they say."""

from __future__ import annotations

import re

import pytest
import yaml

from controller.fluentbit.lints.registry import LINTS
from controller.specs.load import load
from tests.support.lints_page import PAGE, cases, document, page, router


def told(code: str, which: str) -> list[tuple[str, str]]:
    """Code and severity of what is said of an example."""
    case = cases()[code]
    documents = [document(case[which]), *([router(case["engine"])] if "engine" in case else [])]
    read = load("r", {"a.yaml": yaml.safe_dump_all(documents).encode()})
    return [(problem.code, problem.severity.value) for problem in read.problems]


def test_every_lint_is_documented_and_nothing_else() -> None:
    assert list(cases()) == list(LINTS)
    assert re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE) == list(LINTS)


def test_the_page_says_what_the_lints_say() -> None:
    assert PAGE.read_text() == page(), "python -m tests.support.lints_page writes it anew"


@pytest.mark.parametrize("code", LINTS)
def test_the_example_calls_forth_exactly_its_lint(code: str) -> None:
    assert told(code, "before") == [(code, LINTS[code].severity.value)]


@pytest.mark.parametrize("code", LINTS)
def test_the_mended_example_has_no_problem(code: str) -> None:
    assert told(code, "after") == []


@pytest.mark.parametrize("lint", LINTS.values(), ids=list(LINTS))
def test_a_lint_is_told_in_whole_sentences(lint: object) -> None:
    sees, why, mend = (str(getattr(lint, name)) for name in ("sees", "why", "mend"))
    assert sees.endswith(".")
    assert why.endswith(".")
    assert not mend.endswith(".")
    assert re.fullmatch(r"[A-Z0-9_]+", str(getattr(lint, "code", "")))
