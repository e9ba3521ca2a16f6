"""A sandbox, a folder of specs and the real controller, turned by hand: nothing sleeps."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

from controller import app as composition
from controller import wiring
from controller.api.errors import Explained
from controller.api.keys import ServiceKey
from controller.cli.main import main
from controller.reconciling.controller import Controller
from controller.reconciling.telling import Several
from controller.runtime.clock import ManualClock
from controller.runtime.queue import WorkQueue
from controller.sandbox import Sandbox
from controller.settings import Settings
from controller.telemetry.journal import Journal
from controller.telemetry.metrics import Metrics
from controller.telling import Teller

REGION = "ap-northeast-1"
CLUSTER = "example-poc-app"
STORE, PREFIX = "configs", "logroute"
SEED = Path(__file__).parent.parent / "cases" / "seed"
ROLLOUT_SECONDS = 120
OUTPUT = """
apiVersion: logroute.dev/v1alpha1
kind: LogOutput
metadata: {name: archive, namespace: web}
spec: {name: s3, bucket: archive, region: ap-northeast-1, s3_key_format: /$TAG/$UUID.gz}
"""
"""Something that stays when routes are deleted: from an empty source nothing is restored unasked."""
ALL_AT_ONCE = """
apiVersion: logroute.dev/v1alpha1
kind: LogRouterClass
metadata: {name: default}
spec: {rollout: {batch: 100%, maxParallel: 0}}
"""
"""As class.yaml: for scenarios that are about something else than waves."""


def plain_definition(family: str = "example", /, **app: Any) -> dict[str, Any]:
    """The seed's definition, its one container with `app` over it."""
    body: dict[str, Any] = json.loads((SEED / "task-definition.plain.json").read_text())
    body["family"] = family
    body["containerDefinitions"][0] |= app
    return body


def route_yaml(
    name: str = "httpd", services: str = "[example]", outputs: str = "[{name: stdout}]", extra: str = ""
) -> str:
    """A LogRoute document; `extra` is more of its spec, indented by two."""
    return (
        "apiVersion: logroute.dev/v1alpha1\nkind: LogRoute\n"
        f"metadata: {{name: {name}, namespace: web}}\n"
        "spec:\n"
        f"  target: {{cluster: {CLUSTER}, services: {services}}}\n"
        f"  pipeline:\n    outputs: {outputs}\n{extra}"
    )


class Playground:
    """One account, one region, one cluster. `settle` is what time and the controller do together."""

    def __init__(self, sandbox: Sandbox, specs: Path) -> None:
        self.sandbox, self.specs = sandbox, specs
        self.ecs: Any = sandbox.client("ecs")
        self.s3: Any = sandbox.client("s3")
        self.logs: Any = sandbox.client("logs")
        self.events: Any = sandbox.client("events")
        self.scheduler: Any = sandbox.client("scheduler")
        self.s3.create_bucket(Bucket=STORE, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.ecs.create_cluster(clusterName=CLUSTER)
        self.settings = Settings(source=str(specs), config_store=f"s3://{STORE}/{PREFIX}", region=REGION)
        self.start()

    def start(self) -> None:
        """The controller, as after a kill: everything that it knows comes from the world."""
        self.clock = ManualClock()
        self.metrics = Metrics("test")
        self.queue: WorkQueue[ServiceKey] = WorkQueue(self.clock)
        teller = Teller(self.metrics, repairs=not self.settings.read_only)
        self.app = composition.build(
            self.settings,
            observer=teller,
            told=teller.config_checked,
            sleep=self.sleep,
            monotonic=self.sandbox.clock.now,
        )
        queues = dict.fromkeys(self.app.world.sites, self.queue)
        self.journal, self.history = Journal(), wiring.history(self.app)
        self.journal.listeners.append(self.history.tell)
        self.telling = Several([teller, wiring.chronicle(self.app, self.journal.tell, self.sandbox.clock.now)])
        self.controller = Controller(self.app.world, self.app.keeper, queues, self.telling, self.clock.monotonic)

    def sleep(self, seconds: float) -> None:
        """What the controller waits for, it need not wait for in real time."""
        self.sandbox.advance(seconds)

    # Specs

    def write(self, name: str, text: str) -> None:
        (self.specs / name).write_text(text)

    def remove(self, name: str) -> None:
        (self.specs / name).unlink()

    # Services and other people

    def service(self, name: str = "example", *, definition: dict[str, Any] | None = None, **settings: Any) -> None:
        """Made and rolled out."""
        arn = self.register(definition or plain_definition(name))
        breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
        network = {"awsvpcConfiguration": {"subnets": ["subnet-0a"]}}
        place = {} if "capacityProviderStrategy" in settings else {"launchType": "FARGATE"}
        options = {"desiredCount": 2, **place, "networkConfiguration": network, **settings}
        options.setdefault("deploymentConfiguration", breaker)
        self.ecs.create_service(cluster=CLUSTER, serviceName=name, taskDefinition=arn, **options)
        self.sandbox.advance(ROLLOUT_SECONDS)

    def register(self, body: dict[str, Any]) -> str:
        return str(self.ecs.register_task_definition(**copy.deepcopy(body))["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, body: dict[str, Any], service: str = "example") -> str:
        """Somebody else's deploy, as CI does it."""
        arn = self.register(body)
        self.ecs.update_service(cluster=CLUSTER, service=service, taskDefinition=arn)
        return arn

    # The controller

    def step(self) -> None:
        """One poll, one pass, and all the work that follows from it at once."""
        with suppress(Explained):  # what the source says is in the status
            self.controller.poll_source()
        if self.controller.has_specs:
            self.controller.resync()
        self.drain()

    def drain(self) -> None:
        while self.queue.depth():
            key = self.queue.get()
            assert key is not None
            try:
                again = self.controller.reconcile(key)
            except Explained:
                self.queue.retry(key)
            else:
                self.queue.forget(key)
                if again is not None:
                    self.queue.add_after(key, again)
            finally:
                self.queue.done(key)

    def settle(self, times: int = 3) -> None:
        """Passes with a rollout's time after each."""
        for _ in range(times):
            self.step()
            self.sandbox.advance(ROLLOUT_SECONDS)
            self.clock.advance(ROLLOUT_SECONDS)

    # The world afterwards

    def running(self, service: str = "example") -> dict[str, Any]:
        """The definition that the service runs."""
        arn = self.sandbox.service(CLUSTER, service)["taskDefinition"]
        found: dict[str, Any] = self.ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
        return {key: value for key, value in found.items() if key != "ResponseMetadata"}

    def containers(self, service: str = "example") -> dict[str, dict[str, Any]]:
        return {one["name"]: one for one in self.running(service)["taskDefinition"]["containerDefinitions"]}

    def is_routed(self, service: str = "example") -> bool:
        found = self.containers(service)
        router = found.pop("log_router", None)
        return router is not None and all(
            one["logConfiguration"]["logDriver"] == "awsfirelens" for one in found.values()
        )

    def revisions(self, family: str = "example") -> int:
        return len(self.sandbox.revisions(family))

    def configs(self) -> dict[str, bytes]:
        """Config objects by key below the store's prefix, state left out."""
        return {key: body for key, body in self.objects().items() if not key.startswith("_state/")}

    def objects(self) -> dict[str, bytes]:
        keys = [row["Key"] for row in self.s3.list_objects_v2(Bucket=STORE).get("Contents", ())]
        return {
            key.removeprefix(f"{PREFIX}/"): self.s3.get_object(Bucket=STORE, Key=key)["Body"].read() for key in keys
        }

    def status(self, route: str = "web/httpd") -> dict[str, tuple[str, str]]:
        """Condition → (status, reason) of a route, as `logroute status` shows it."""
        found = self.controller.board.plain()["routes"].get(route, [])
        return {one["condition"]: (one["status"], one["reason"]) for one in found}

    def command(self, *words: str) -> int:
        """`logroute …` as somebody else runs it meanwhile, with this world's settings."""
        settings = self.specs.parent / "settings.yaml"
        settings.write_text(f"source: {self.specs}\nconfigStore: {self.settings.config_store}\nregion: {REGION}\n")
        try:
            main([*words, "--config", str(settings)])
        except SystemExit as ended:
            return int(ended.code or 0)

    def reason(self, service: str = "example") -> str:
        key = f"main/{REGION}/{CLUSTER}/{service}"
        return str(self.controller.board.plain()["services"].get(key, {}).get("reason", ""))
