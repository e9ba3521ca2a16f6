"""The page on the sandbox: its scenario plays, its requests are answered."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from controller.cli.scenario import read
from controller.sandbox import Sandbox
from controller.sandbox.endpoint import control
from controller.sandbox.endpoint.faults import Fault
from controller.sandbox.scenario.play import play
from controller.sandbox.scenario.shapes import ACTIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "sandbox.md").read_text()
EXAMPLE = DOCS / "examples" / "busy-afternoon.yaml"
REQUESTS = re.findall(r"^\| `(GET|POST|DELETE) (/_sandbox/\S+)` \| (?:`(.*)` )?\|$", PAGE, re.MULTILINE)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        play(running, read(EXAMPLE).scenario, print)
        yield running


def test_the_example_on_the_page_is_the_file() -> None:
    assert re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) == [EXAMPLE.read_text()]


def test_the_example_plays(sandbox: Sandbox) -> None:
    sandbox.advance(3600)
    steps = sandbox.status()["steps"]
    assert [one["at"] for one in steps] == [90, 300, 600, 900, 1200, 1500, 1800]
    assert not [one for one in steps if "error" in one]


def test_every_request_of_the_page_is_answered(sandbox: Sandbox) -> None:
    for method, path, body in REQUESTS:
        sandbox.advance(10)  # longer than its reads lag
        request = urllib.request.Request(f"{sandbox.url}{path}", body.encode() or None, method=method)
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
            json.load(answer)


def test_the_page_and_the_module_name_the_same_requests() -> None:
    in_module = re.findall(r"^(GET|POST|DELETE) +(/_sandbox/[a-z_]+)", control.__doc__ or "", re.MULTILINE)
    on_page = [(method, re.sub(r"(faults)/.*", r"\1", path)) for method, path, _ in REQUESTS]
    assert sorted(in_module) == sorted(on_page)


def test_the_page_names_every_action_and_every_key_of_a_fault() -> None:
    rows = set(re.findall(r"`(\w[\w-]*)`", PAGE))
    assert set(Fault.model_fields) <= rows
    effects = Fault.model_fields["effect"].annotation.__args__  # type: ignore[union-attr]
    assert set(effects) <= rows
    assert set(ACTIONS) - {"advance"} <= rows | set(re.findall(r"^    (\w+):", PAGE, re.MULTILINE))
