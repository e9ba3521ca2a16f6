"""One service in the sandbox, and controllers of it that are started, killed and started again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from controller.api.keys import Place, ServiceKey
from controller.api.kinds import ClassSpec, LogRoute
from controller.applying.apply import Outcome
from controller.aws.accounts import AwsAccount
from controller.desired.compose import Installation
from controller.desired.matching import Home, RouteIndex
from controller.desired.model import ConfigStore
from controller.planning.memory import ServiceMemory
from controller.planning.model import ServicePlan
from controller.reconciling.keeper import Specs, frozen
from controller.reconciling.look import look_afresh
from controller.reconciling.notes import Notes
from controller.reconciling.world import Site, site
from controller.sandbox import Sandbox
from controller.specs.carry import InForce
from controller.specs.model import Route
from tests.support.aws import REGION

PLACE = Place("main", REGION)
BUCKET = "configs"
ENOUGH = 120
"""Seconds that any rollout here takes at most."""
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
_numbers = count()


class Killed(BaseException):
    """The process died here."""


def route_for(cluster: str, service: str, output: str = "stdout", **spec: Any) -> Route:
    document = LogRoute.model_validate(
        {
            "apiVersion": "logroute.dev/v1alpha1",
            "kind": "LogRoute",
            "metadata": {"name": "httpd", "namespace": "web"},
            "spec": {
                "target": {"cluster": cluster, "services": [service]},
                "pipeline": {"outputs": [{"name": output}]},
                **spec,
            },
        }
    )
    return Route(
        "web/httpd",
        document,
        "default",
        ClassSpec(),
        "5.0.9",
        (),
        (),
        ({"name": output, "alias": "out"},),
        document.spec.secrets,
        document.spec.log_groups,
        f"digest of {output} {spec}",
        (),
        "route.yaml",
        1,
    )


@dataclass(slots=True)
class Bench:
    """A service of two tasks, with names of its own, so that many can share one sandbox."""

    sandbox: Sandbox
    account: AwsAccount
    name: str = field(default_factory=lambda: f"svc{next(_numbers)}")
    site: Site = field(init=False)
    gone: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        ecs = self.ecs
        ecs.create_cluster(clusterName=self.cluster)
        ecs.create_service(
            cluster=self.cluster,
            serviceName=self.name,
            taskDefinition=self.register(),
            desiredCount=2,
            deploymentConfiguration=BREAKER,
        )
        self.sandbox.advance(ENOUGH)
        self.start()

    # What other people do

    @property
    def ecs(self) -> Any:
        return self.sandbox.client("ecs")

    @property
    def cluster(self) -> str:
        return f"{self.name}-cluster"

    def register(self, image: str = "httpd:1") -> str:
        containers = [{"name": "app", "image": image, "memory": 64}]
        answer = self.ecs.register_task_definition(family=self.name, containerDefinitions=containers)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def deploy(self, image: str) -> str:
        arn = self.register(image)
        self.ecs.update_service(cluster=self.cluster, service=self.name, taskDefinition=arn)
        return arn

    # What the controller does

    @property
    def key(self) -> ServiceKey:
        return ServiceKey(PLACE, self.cluster, self.name)

    @property
    def store(self) -> ConfigStore:
        return ConfigStore(BUCKET, self.name)

    def start(self) -> None:
        """A new process: it knows what the last one had written."""
        notes = Notes(self.account.bucket(BUCKET), self.store.key("_state", "notes"), self.account.ecs.now)
        self.site = site(PLACE, self.account, Installation("prod", self.store), notes)
        self.site.memories.load()

    def route(self, output: str = "stdout", **spec: Any) -> Route:
        return route_for(self.cluster, self.name, output, **spec)

    def specs(self, *routes: Route) -> Specs:
        keys = frozenset(route.key for route in routes)
        return Specs(
            revision="r1",
            empty=False,
            force=InForce(routes, frozenset(), self.gone - keys),
            accounted=self.gone | keys,
            index=RouteIndex(routes, Home(PLACE.account, PLACE.region)),
            frozen=frozen(routes),
            problems=(),
        )

    def plan(self, *routes: Route) -> ServicePlan:
        found = look_afresh(self.site, self.specs(*routes), self.key)
        assert found is not None
        return found

    def step(self, *routes: Route) -> Outcome:
        """As reconciling.service.reconcile does, with no guard in between."""
        self.gone |= {route.key for route in routes}
        return self.site.applier.carry_out(self.plan(*routes))

    def settle(self, *routes: Route, passes: int = 4) -> None:
        for _ in range(passes):
            self.step(*routes)
            self.sandbox.advance(ENOUGH)

    # What there is

    @property
    def service(self) -> dict[str, Any]:
        return self.sandbox.service(self.cluster, self.name)

    @property
    def running(self) -> str:
        return str(self.service["taskDefinition"])

    @property
    def revisions(self) -> list[dict[str, Any]]:
        return self.sandbox.revisions(self.name)

    @property
    def routed(self) -> list[str]:
        """Revisions with a router, the oldest first."""
        return [one["taskDefinitionArn"] for one in self.revisions if "log_router" in _names(one)]

    @property
    def memory(self) -> ServiceMemory | None:
        return self.site.memories.get(str(self.key))

    @property
    def settled(self) -> bool:
        deployments = self.service["deployments"]
        return len(deployments) == 1 and deployments[0]["rolloutState"] == "COMPLETED"

    @property
    def objects(self) -> dict[str, bytes]:
        """Everything in the config store, by key below its prefix."""
        bucket = self.account.bucket(BUCKET)
        return {
            info.key.removeprefix(f"{self.name}/"): bucket.get(info.key).body for info in bucket.list(f"{self.name}/")
        }


def _names(definition: dict[str, Any]) -> list[str]:
    return [container["name"] for container in definition["containerDefinitions"]]


class Wire:
    """All requests of one account: seen, and cut where a test says so."""

    def __init__(self, account: AwsAccount) -> None:
        self.asked: list[str] = []
        self._cut: Callable[[str], bool] = lambda _moment: False
        starters = (account.schedules._events, account.schedules._scheduler)
        calls = (account.ecs._call, account.logs._call, account.codedeploy._call, account._s3, *starters)
        for client in (call.client for call in calls):
            client.meta.events.register_first("before-send", self._sending)
            client.meta.events.register_first("before-parse", self._answered)

    @contextmanager
    def cut(self, number: int, *, answered: bool) -> Iterator[None]:
        """The process dies at the `number`th request from now: before it is sent, or with its answer on the way."""
        last, moment = len(self.asked) + number, "answered" if answered else "sending"
        self._cut = lambda now: now == moment and len(self.asked) >= last
        try:
            yield
        finally:
            self._cut = lambda _moment: False

    def _sending(self, event_name: str, request: Any, **_: Any) -> None:
        service, operation = event_name.split(".")[1:3]
        where = f" {request.url.split('/', 4)[-1]}" if service == "s3" else ""
        self.asked.append(operation + where)
        if self._cut("sending"):
            raise Killed

    def _answered(self, **_: Any) -> None:
        if self._cut("answered"):
            raise Killed
