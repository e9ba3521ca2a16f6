"""The dashboard asks for series that there are, and real Prometheus understands how."""

from __future__ import annotations

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.telemetry.table import TABLE
from tests.unit.test_alerts import MATCHER, SERIES, exposed

BOARD = json.loads((Path(__file__).parents[2] / "deploy" / "grafana" / "logroute.json").read_text())
GROUPED = re.compile(r"by \(([^)]*)\)")


def panels() -> list[dict[str, Any]]:
    return [one for one in BOARD["panels"] if one["type"] != "row"]


def expressions() -> list[str]:
    return [target["expr"] for panel in panels() for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_a_panel_asks_for_series_that_there_are(expression: str) -> None:
    there = exposed()
    asked = SERIES.findall(expression)
    assert asked
    labels: set[str] = {"le", "instance"}
    for name, matchers in asked:
        assert name in there
        labels |= there[name].keys()
        for label, is_pattern, value in MATCHER.findall(matchers):
            if label == "instance":
                continue
            values = there[name][label]
            assert not values or set(value.split("|") if is_pattern else [value]) <= set(values)
    for names in GROUPED.findall(expression):
        assert set(names.split(", ")) <= labels


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for expression in expressions() for name, _ in SERIES.findall(expression)}
    bare = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    left_out = {"logroute_changes", "logroute_services_with_hint", "logroute_workqueue_unfinished_work_seconds"}
    assert {row.name for row in TABLE} - bare == left_out


def test_panels_have_a_place_of_their_own() -> None:
    ids = [one["id"] for one in BOARD["panels"]]
    assert len(ids) == len(set(ids))
    for one, other in combinations(BOARD["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"] or a["y"] + a["h"] <= b["y"]
        assert apart or b["y"] + b["h"] <= a["y"]


@pytest.mark.needs("promtool")
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    filled = [one.replace("$__rate_interval", "5m").replace("$instance", ".*") for one in expressions()]
    rules = [{"record": f"panel:{number}", "expr": one} for number, one in enumerate(filled)]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        ["promtool", "check", "rules", "rules.yaml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
