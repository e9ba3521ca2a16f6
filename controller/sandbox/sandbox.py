"""The sandbox as one object: started, looked into, its time turned, its rollouts made to fail."""

from __future__ import annotations

import copy
import os
from collections import Counter
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from controller.sandbox.arns import short_name
from controller.sandbox.clock import Clock, ManualClock
from controller.sandbox.ecs.api import EcsApi
from controller.sandbox.ecs.service_views import service_view
from controller.sandbox.ecs.task_views import task_view
from controller.sandbox.endpoint.app import Application, CallCounts
from controller.sandbox.endpoint.moto_side import MotoSide, moto_application, require_moto, reset_moto
from controller.sandbox.endpoint.server import Server
from controller.sandbox.ids import Ids
from controller.sandbox.model import Json
from controller.sandbox.model.world import Cluster, Region, World
from controller.sandbox.outside import ACCOUNT
from controller.sandbox.rollout.faults import Fault
from controller.sandbox.settings import Settings
from controller.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import boto3

DEFAULT_REGION = "us-east-1"
_ACCESS_KEY, _SECRET_KEY = "AKIASANDBOXSANDBOX00", "sandbox"

# A session makes one client at a time (boto3 guide, "Multithreading or multiprocessing with sessions").
_SESSION_LOCK = Lock()


@cache
def _session() -> boto3.Session:
    """One for the process: a session reads each service's model once, and that is what takes time.

    Profiles and files of the person who runs this say nothing here.
    """
    import boto3
    import botocore.session

    files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    base = botocore.session.Session(session_vars={"profile": (None, None, None, None), **files})
    base.set_credentials(_ACCESS_KEY, _SECRET_KEY)
    return boto3.Session(botocore_session=base)


class Sandbox:
    """A local AWS on 127.0.0.1, for as long as the `with` block lasts.

    ECS is simulated strictly and moves on `clock`; by default a clock that stands still until `advance`. The
    other services are moto's, whose state is global to the process and emptied on start. `region` is where
    the helpers below look; clients may use any.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        port: int = 0,
        seed: int = 0,
        region: str = DEFAULT_REGION,
        settings: Settings | None = None,
    ) -> None:
        self.clock: Clock = clock or ManualClock()
        self.default_region = region
        self._port = port
        self._outside = MotoSide()
        self._world = World(Timeline(self.clock.now()), Ids(seed), settings or Settings(), self._outside)
        self._api = EcsApi(self._world, self.clock)
        self._counts = CallCounts()
        self._server: Server | None = None

    def start(self) -> Self:
        """Listen and serve. Raises ImportError, with what to install, where moto is missing."""
        require_moto()
        reset_moto()
        application = Application(self._api, self._outside, self, self._counts, moto_application())
        self._server = Server(application, self._port, self.clock.now)
        self._server.start()
        return self

    def stop(self) -> None:
        if self._server:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        if self._server is None:
            raise RuntimeError("the sandbox is not started")
        return self._server.url

    def environment(self) -> dict[str, str]:
        """The environment in which boto3 and the aws command line talk to this sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_DEFAULT_REGION": self.default_region,
        }

    def client(self, service: str, *, region: str | None = None, **options: Any) -> Any:
        """A boto3 client of this sandbox, whatever the environment and the machine's profiles say."""
        with _SESSION_LOCK:
            make_client: Any = _session().client  # boto3's stubs know each service by a literal of its own
            region = region or self.default_region
            return make_client(service, region_name=region, endpoint_url=self.url, **options)

    def advance(self, seconds: float) -> float:
        """Turn the clock, let everything happen that is due, and return the new time."""
        self.clock.advance(seconds)
        self._api.catch_up()
        return self.clock.now()

    def fail_next_rollout(
        self,
        service: str | None = None,
        *,
        container: str = "log_router",
        exit_code: int = 1,
        reason: str | None = None,
    ) -> None:
        """The next rollout of `service` (None: of any) that has this container sees it exit at each start.

        Where the container is essential its tasks die; otherwise they run without it.
        """
        why = reason or f"Container exited with code {exit_code}"
        with self._api.lock:
            self._world.faults.add(Fault(service, container, exit_code, why))

    @property
    def call_counts(self) -> Counter[str]:
        """Requests so far, as `ecs:DescribeServices`, `s3:PutObject`; outside ECS as well as can be told."""
        return self._counts.snapshot()

    def reset_call_counts(self) -> None:
        self._counts.reset()

    def status(self) -> dict[str, Any]:
        return {"now": self.clock.now(), "calls": dict(self.call_counts)}

    def revisions(self, family: str, *, region: str | None = None) -> list[Json]:
        """Every revision of a family as DescribeTaskDefinition shows it, the oldest first."""
        with self._api.lock:
            found = self._region(region).families.get(family)
            return [copy.deepcopy(one.body) for _, one in sorted(found.revisions.items())] if found else []

    def service(self, cluster: str, name: str, *, region: str | None = None) -> Json:
        """A service as DescribeServices shows it, with its tags. Raises KeyError where there is none."""
        self._api.catch_up()
        with self._api.lock:
            found = self._cluster(cluster, region).services[short_name(name)]
            return copy.deepcopy(service_view(found, tags=True))

    def tasks(self, cluster: str, *, service: str | None = None, region: str | None = None) -> list[Json]:
        """The tasks of a cluster as DescribeTasks shows them, the oldest first, stopped ones included."""
        self._api.catch_up()
        with self._api.lock:
            tasks = self._cluster(cluster, region).tasks.values()
            group = None if service is None else f"service:{service}"
            return [copy.deepcopy(task_view(one, tags=True)) for one in tasks if group in {None, one.group}]

    def _region(self, name: str | None) -> Region:
        return self._world.region(ACCOUNT, name or self.default_region)

    def _cluster(self, name: str, region: str | None) -> Cluster:
        return self._region(region).clusters[short_name(name)]
