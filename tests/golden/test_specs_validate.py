"""What `logroute validate` says, word for word: a change of words is a change that somebody reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from controller.specs.load import load

HERE = Path(__file__).parent / "validate"


@pytest.mark.parametrize("spec", sorted(HERE.glob("*.yaml")), ids=lambda path: path.stem)
def test_problems_are_told_in_these_words(spec: Path) -> None:
    found = load("r", {spec.name: spec.read_bytes()})
    said = {"problems": [problem.as_json() for problem in found.problems]}
    assert said == json.loads(spec.with_suffix(".json").read_text())
