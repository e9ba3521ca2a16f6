"""Alerts, their tests and their runbooks belong together, and ask for metrics that there are."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.telemetry.metrics import Metrics
from controller.telemetry.table import TABLE, Kind
from tests.support.metrics_page import PAGE, page

ROOT = Path(__file__).parent.parent.parent
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
CASES = ROOT / "tests" / "prometheus" / "alerts_test.yaml"
RUNBOOKS = ROOT / "docs" / "runbooks"
SERIES = re.compile(r"(logroute_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)=(~?)"([^"]*)"')


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def names() -> list[str]:
    return [rule["alert"] for rule in rules()]


def exposed() -> dict[str, dict[str, tuple[str, ...]]]:
    """What a scrape shows → labels and their values."""
    ends = {Kind.HISTOGRAM: ("_bucket", "_sum", "_count"), Kind.COUNTER: ("",), Kind.GAUGE: ("",)}
    return {f"{row.name}{end}": dict(row.labels) for row in TABLE for end in ends[row.kind]}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_for_series_that_there_are(rule: dict[str, Any]) -> None:
    there = exposed()
    asked = SERIES.findall(rule["expr"])
    assert asked
    for name, matchers in asked:
        assert name in there
        for label, is_pattern, value in MATCHER.findall(matchers):
            values = there[name][label]
            wanted = value.split("|") if is_pattern else [value]
            assert not values or set(wanted) <= set(values)


def test_what_an_alert_looks_for_is_there_at_zero_before_anything_happened() -> None:
    shown = Metrics("0.1.0").render()[0].decode()
    for name, matchers in (found for rule in rules() for found in SERIES.findall(rule["expr"])):
        values = [(label, value) for label, pattern, value in MATCHER.findall(matchers) if not pattern]
        if all(exposed()[name].values()):
            assert any(
                line.startswith(name) and all(f'{label}="{value}"' in line for label, value in values)
                for line in shown.splitlines()
            )


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    runbook = RUNBOOKS / f"{rule['alert']}.md"
    assert rule["annotations"]["runbook_url"].endswith(f"/docs/runbooks/{runbook.name}")
    text = runbook.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert "## What to look at" in text
    assert "## What to do" in text


def test_no_runbook_is_without_an_alert_and_the_index_has_all() -> None:
    pages = {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"}
    assert pages == set(names())
    index = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|$", (RUNBOOKS / "README.md").read_text(), re.MULTILINE)
    assert index == [(rule["alert"], rule["alert"], rule["labels"]["severity"]) for rule in rules()]


def test_each_alert_is_tested_silent_and_firing() -> None:
    cases = yaml.safe_load(CASES.read_text())["tests"]
    silent = {one["alertname"] for case in cases for one in case["alert_rule_test"] if not one["exp_alerts"]}
    firing = {one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]}
    assert silent == firing == set(names())


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("words", [("check", "rules", str(ALERTS)), ("test", "rules", str(CASES))], ids=lambda w: w[0])
def test_promtool_is_content(words: tuple[str, ...]) -> None:
    done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_of_metrics_is_the_table() -> None:
    assert PAGE.read_text() == page()
