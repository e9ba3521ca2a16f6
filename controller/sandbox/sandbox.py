"""The sandbox as one object: started, looked into, its time turned, its rollouts made to fail."""

from __future__ import annotations

import copy
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any

from controller.sandbox.actors.cast import Cast
from controller.sandbox.actors.desk import Clients
from controller.sandbox.actors.shapes import Shape
from controller.sandbox.arns import short_name
from controller.sandbox.clock import Clock, ManualClock
from controller.sandbox.codedeploy.api import CodeDeployApi
from controller.sandbox.ecs.api import EcsApi
from controller.sandbox.ecs.service_views import service_view
from controller.sandbox.ecs.task_views import task_view
from controller.sandbox.endpoint.app import Application, CallCounts
from controller.sandbox.endpoint.faults import Fault, FaultScript
from controller.sandbox.endpoint.moto_side import MotoSide, moto_application, require_moto, reset_moto
from controller.sandbox.endpoint.server import Server
from controller.sandbox.ids import Ids
from controller.sandbox.model import Json
from controller.sandbox.model.world import Cluster, Region, World
from controller.sandbox.outside import ACCOUNT
from controller.sandbox.plans import Plans
from controller.sandbox.rollout.faults import Ailment, Target
from controller.sandbox.settings import Settings
from controller.sandbox.timeline import Timeline

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    import boto3

DEFAULT_REGION = "us-east-1"
_ACCESS_KEY, _SECRET_KEY = "AKIASANDBOXSANDBOX00", "sandbox"
_EXITS = Ailment()

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
        self._faults = FaultScript()
        self._plans = Plans()
        self._turning = RLock()  # of two who turn the clock at once, each turns it by all they want
        self.happened: list[dict[str, Any]] = []
        """What the steps of a scenario did so far."""
        self._cast = Cast(self._clients_of)
        self._credentials: dict[str, tuple[str, str, str]] = {}
        self._server: Server | None = None
        self._application: Application | None = None

    def start(self) -> Self:
        """Listen and serve. Raises ImportError, with what to install, where moto is missing."""
        require_moto()
        reset_moto()
        self._credentials.clear()
        codedeploy = CodeDeployApi(self._world, self._api)
        self._application = Application(
            self._api, codedeploy, self._outside, self, self._counts, self._faults, moto_application()
        )
        self._server = Server(self._application, self._port, self.clock.now)
        self._server.start()
        return self

    def stop(self) -> None:
        if self._application:
            self._application.stopping.set()
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
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds}")
        with self._turning:
            until = self.clock.now() + seconds
            while (when := self._plans.next_until(until)) is not None:
                self._turn_to(when)
                self.run_due()
            self._turn_to(until)
            return self.clock.now()

    def _turn_to(self, when: float) -> None:
        self.clock.advance(max(0.0, when - self.clock.now()))
        self._api.catch_up()

    def at(self, seconds: float, action: Callable[[], object]) -> None:
        """Do something of one's own in so many seconds from now: within `advance`, or the next `run_due`."""
        self._plans.add(self.clock.now() + seconds, action)

    def run_due(self) -> None:
        """Do what was planned for now or before. On a clock that runs by itself, somebody must keep calling this."""
        with self._turning:  # first, as in `advance`: an action may turn the clock
            self._plans.run_until(self.clock.now)

    @contextmanager
    def at_leisure(self) -> Iterator[None]:
        """Within: no throttles, no lag, and no call is counted. For making a world to start from."""
        self._api.at_leisure = True
        try:
            yield
        finally:
            self._api.at_leisure = False
            self.reset_call_counts()

    def enforce_iam(self, *, on: bool = True) -> None:
        """From now on, sessions of roles that IAM knows may do what their policies allow. The sandbox's own keys, and
        sessions of other roles, may do everything.
        """
        if self._application is None:
            raise RuntimeError("the sandbox is not started")
        self._application.enforces_iam = on

    @property
    def denied(self) -> list[str]:
        """What IAM refused since the start, in its words."""
        return list(self._application.denied) if self._application else []

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
        self.break_container(service, container, Ailment(exit_code=exit_code, reason=reason), rollouts=1)

    def break_container(
        self,
        service: str | None = None,
        container: str = "log_router",
        ailment: Ailment = _EXITS,
        *,
        rollouts: int | None = None,
        revision: str | None = None,
        label: str | None = None,
    ) -> str:
        """A container of that name breaks in each task of the next `rollouts`; None: in each task that starts.

        `revision` (`family:number`) and `label` (a Docker label's `name=value`) choose by definition. Returns
        what `mend` takes. Raises ValueError for what makes no sense.
        """
        with self._api.lock:
            return self._world.faults.add(Target(container, service, revision, label), ailment, rollouts=rollouts)

    def mend(self, fault: str | None = None) -> None:
        """The fault breaks nothing more; None: no fault does. Raises KeyError where there is no such fault."""
        self._api.catch_up()
        with self._api.lock:
            self._world.faults.mend(fault)

    def add_fault(self, **stated: Any) -> str:
        """Strike AWS calls as `Fault` says, given by its fields; the fault's id, to remove it by.

        Raises ValueError (pydantic's) where a field is wrong.
        """
        return self._faults.add(Fault(**stated))

    def remove_fault(self, name: str) -> None:
        """Raises LookupError where there is no fault of that id."""
        self._faults.remove(name)

    def faults(self) -> list[dict[str, Any]]:
        """Every fault with its id, how many calls it has seen, and how many it has struck."""
        return self._faults.shown()

    def act(self, told: Shape) -> Json:
        """Let an actor do something: a Ci, CiCopy, Terraform or Person. What it did, or ActorFailed."""
        return self._cast.perform(told)

    def _clients_of(self, role: str) -> Clients:
        """They try nothing twice: a retry would wait for a clock that may stand still."""
        from botocore.config import Config

        if role not in self._credentials:
            self._credentials[role] = self._outside.credentials(role)
            self._counts.actors.add(self._credentials[role][0])
        names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
        keys: Any = dict(zip(names, self._credentials[role], strict=True))
        config = Config(retries={"total_max_attempts": 1})
        return lambda service, region: self.client(service, region=region, config=config, **keys)

    @property
    def call_counts(self) -> Counter[str]:
        """Requests so far, as `ecs:DescribeServices`, `s3:PutObject`; outside ECS as well as can be told.

        Those of the sandbox's own actors are in `actor_call_counts`.
        """
        return self._counts.snapshot()

    @property
    def actor_call_counts(self) -> Counter[str]:
        return self._counts.snapshot(actors=True)

    def reset_call_counts(self) -> None:
        self._counts.reset()

    def status(self) -> dict[str, Any]:
        return {
            "now": self.clock.now(),
            "calls": dict(self.call_counts),
            "actor_calls": dict(self.actor_call_counts),
            "throttles": self._api.throttles(),
            "steps": list(self.happened),
        }

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
