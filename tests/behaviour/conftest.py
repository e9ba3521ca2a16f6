"""Scenarios: each gets a sandbox whose clock it turns, and a controller beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.aws.limiter import FAMILIES, Rate
from controller.sandbox import Sandbox
from tests.support.playground import ALL_AT_ONCE, OUTPUT, REGION, Playground


@pytest.fixture
def play(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Playground]:
    """Parametrized indirectly: by the sandbox's Settings."""
    with Sandbox(region=REGION, settings=getattr(request, "param", None)) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        specs = tmp_path / "specs"
        specs.mkdir()
        (specs / "archive.yaml").write_text(OUTPUT)
        (specs / "class.yaml").write_text(ALL_AT_ONCE)
        yield Playground(sandbox, specs)


@pytest.fixture(autouse=True)
def _iam_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands wait for IAM's rate by the clock on the wall; tests/unit/test_preflight.py turns one."""
    monkeypatch.setitem(FAMILIES, "iam", Rate(1000, 1000))
