"""A real Prometheus scrapes a controller that runs beside a sandbox, and a real Alertmanager tells somebody."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from controller.sandbox import RealClock, Sandbox
from tests.support.playground import PREFIX, REGION, STORE, Playground, route_yaml
from tests.support.process import Process
from tests.support.programs import PATIENCE, answers, until

ALERTS = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yaml"

pytestmark = pytest.mark.needs("prometheus", "prometheus-alertmanager")


class Pager:
    """Where Alertmanager sends to."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        pager = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                pager.told += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def alerts(self) -> dict[str, dict[str, Any]]:
        return {one["labels"]["alertname"]: one for one in self.told if one["status"] == "firing"}


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def program(folder: Path, command: list[str], ready: str) -> Iterator[None]:
    log = (folder / f"{Path(command[0]).name}.log").open("wb")
    with log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            until(lambda: answers(ready), Path(log.name))
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)


@contextmanager
def watched(folder: Path, target: str, pager: Pager) -> Iterator[tuple[str, Path]]:
    """Prometheus with the rules as they are shipped, but looked at each second; its URL and its log."""
    at, alertmanager_at = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    route = {"receiver": "pager", "group_wait": "0s", "group_interval": "1s", "repeat_interval": "1h"}
    receivers = [{"name": "pager", "webhook_configs": [{"url": pager.url}]}]
    (folder / "alertmanager.yaml").write_text(yaml.safe_dump({"route": route, "receivers": receivers}))
    scrape = {"job_name": "logroute", "static_configs": [{"targets": [target]}]}
    (folder / "prometheus.yaml").write_text(
        yaml.safe_dump(
            {
                "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
                "rule_files": [str(ALERTS)],
                "scrape_configs": [scrape],
                "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager_at]}]}]},
            }
        )
    )
    alertmanager = [
        "prometheus-alertmanager",
        "--config.file=alertmanager.yaml",
        "--storage.path=alertmanager",
        f"--web.listen-address={alertmanager_at}",
        "--cluster.listen-address=",
    ]
    prometheus = [
        "prometheus",
        "--config.file=prometheus.yaml",
        "--storage.tsdb.path=tsdb",
        f"--web.listen-address={at}",
    ]
    with ExitStack() as stack:
        stack.enter_context(program(folder, alertmanager, f"http://{alertmanager_at}/-/ready"))
        stack.enter_context(program(folder, prometheus, f"http://{at}/-/ready"))
        yield f"http://{at}", folder / "prometheus.log"


def scrapes(prometheus: str) -> int:
    """So many of the counter that the alert looks at."""
    asked = urllib.parse.quote('count_over_time(logroute_drift_found_total{kind="ConfigMissing"}[1h])')
    with urllib.request.urlopen(f"{prometheus}/api/v1/query?query={asked}", timeout=5) as answer:
        found = json.load(answer)["data"]["result"]
    return int(found[0]["value"][1]) if found else 0


def test_a_deleted_config_object_is_put_back_and_somebody_is_told(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    with Sandbox(region=REGION, clock=RealClock(60)) as sandbox, pytest.MonkeyPatch.context() as patch:
        for name, value in sandbox.environment().items():
            patch.setenv(name, value)
        play = Playground(sandbox, tmp_path / "specs")
        play.service()
        play.write("httpd.yaml", route_yaml())
        process, pager = Process(play, tmp_path), Pager()
        try:
            process.until(lambda: 'logroute_services{state="InSync"} 1.0' in process.get("/metrics")[1])
            with watched(tmp_path, process.url().removeprefix("http://"), pager) as (prometheus, log):
                until(lambda: scrapes(prometheus) > 1, log)  # or nothing could have increased
                assert not pager.told
                for path in play.configs():
                    play.s3.delete_object(Bucket=STORE, Key=f"{PREFIX}/{path}")
                until(lambda: "LogRouteConfigDeleted" in pager.alerts(), log)
            assert pager.alerts().keys() == {"LogRouteConfigDeleted"}
            told = pager.alerts()["LogRouteConfigDeleted"]
            assert told["labels"]["severity"] == "warning"
            assert told["annotations"]["runbook_url"].endswith("/LogRouteConfigDeleted.md")
            assert play.configs()
        finally:
            process.stop(signal.SIGTERM)
            pager.server.shutdown()
