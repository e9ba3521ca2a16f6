"""A company's ECS with every service routed and in sync: the specs in a folder, the state in the config store."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from controller import app as composition
from controller import wiring
from controller.api.keys import Place, ServiceKey
from controller.applying.configs import COPIES
from controller.desired.compose import desire
from controller.desired.model import Desired
from controller.desired.subject import Subject
from controller.planning.case import fingerprint
from controller.planning.groups import groups_of
from controller.planning.memory import ServiceMemory, Stage
from controller.reconciling.controller import Controller
from controller.reconciling.keeper import Specs
from controller.reconciling.telling import Several
from controller.runtime.clock import SystemClock
from controller.runtime.queue import WorkQueue
from controller.settings import Limits, Settings
from controller.telemetry.journal import Journal
from controller.telemetry.logs import configure
from controller.telemetry.metrics import Metrics
from controller.telling import Teller
from tests.bench import bodies, specs
from tests.bench.bucket import Bucket
from tests.bench.ecs import Ecs
from tests.bench.logs import Logs
from tests.bench.measuring import say
from tests.bench.wire import Wire

BUCKET, PREFIX = "logroute-configs", "prod"
MOST_IN_A_CLUSTER = 5000
"""Services in a cluster (Amazon ECS service quotas)."""
WIDE_OPEN = 100.0
"""The limiter's share: nothing waits, for what is measured is CPU."""


class Estate:
    """`size` services in `folder`; there already, or made by `settle`. Each has a route of its own, or a hundred
    share one that names them by a glob.
    """

    def __init__(self, size: int, folder: Path, *, shared: bool = False) -> None:
        self.size, self.folder, self._shared = size, folder, shared
        self.clusters = clusters(size)
        self.bucket = Bucket(folder / "bucket", BUCKET)
        self.wire = Wire(ecs=Ecs(self.clusters), s3=self.bucket, logs=Logs(specs.DAYS))

    def controller(self, share: float = WIDE_OPEN, **clock_of_its_own: Any) -> Controller:
        """A new one, as after a restart; it knows what the config store knows."""
        clock, teller = SystemClock(), Teller(Metrics("bench"))
        queue: WorkQueue[ServiceKey] = WorkQueue(clock)
        app = composition.build(self._settings(share), observer=teller, **clock_of_its_own)
        self.app, self.queue = app, queue
        telling = Several([teller, wiring.chronicle(app, Journal().tell, lambda: clock.now().timestamp())])
        return Controller(app.world, app.keeper, dict.fromkeys(app.world.sites, queue), telling, clock.monotonic)

    def settle(self) -> dict[ServiceKey, Desired]:
        """Write the specs, and the memory of having applied them all; nothing else has to be done to be in sync."""
        for number, (cluster, target) in enumerate(self._targets()):
            path = self.folder / "specs" / cluster / f"{number:05}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(specs.route(number, cluster, [target]))
        controller = self.controller()
        controller.poll_source()
        found = self.app.keeper.specs
        assert found is not None
        assert not found.problems, found.problems[:5]
        site = self.app.world.home_site
        desired = dict(self._desired(found))
        site.memories.update({str(key): self._memory(key, one, found) for key, one in desired.items()})
        self.bucket.fill(
            (site.install.store.key(path), config.body)
            for one in desired.values()
            for config in one.configs
            for path in (config.path, f"{COPIES}/{config.sha256}")
        )
        return desired

    def _targets(self) -> list[tuple[str, str]]:
        pairs = ((cluster, name) for cluster, names in self.clusters.items() for name in names)
        if self._shared:
            return list(dict.fromkeys((cluster, f"{name[:-2]}??") for cluster, name in pairs))
        return list(pairs)

    def _desired(self, found: Specs) -> Iterator[tuple[ServiceKey, Desired]]:
        site = self.app.world.home_site
        for cluster, names in self.clusters.items():
            for name in names:
                app = bodies.application(name)
                subject = Subject(site.place.account, site.place.region, cluster, name, name, app, {})
                yield ServiceKey(Place("main", specs.REGION), cluster, name), desire(found.index, subject, site.install)

    def _memory(self, key: ServiceKey, desired: Desired, found: Specs) -> ServiceMemory:
        """As the applier writes it down when a rollout has ended well."""
        revision = bodies.revision_arn(key.service)
        routes = found.index.routes_for_service(key, {}, key.service)
        log_configuration = bodies.application(key.service)["containerDefinitions"][0]["logConfiguration"]
        return ServiceMemory(
            revision,
            revision.replace(":7", ":6"),
            desired.digest,
            fingerprint(routes, self.app.world.home_site.install),
            Stage.SETTLED,
            dict(desired.route_digests),
            tuple(config.path for config in desired.configs),
            groups_of(desired),
            {"logConfiguration": {"app": log_configuration}, "volumes": []},
            deployment="7034619283746501928",
        )

    def _settings(self, share: float) -> Settings:
        return Settings(
            source=str(self.folder / "specs"),
            config_store=f"s3://{BUCKET}/{PREFIX}",
            region=specs.REGION,
            limits=Limits(share=share),
        )


def clusters(size: int) -> dict[str, list[str]]:
    """A few clusters of unlike sizes, none beyond ECS's quota."""
    names = [f"svc-{number:05}" for number in range(size)]
    if size <= MOST_IN_A_CLUSTER // 10:
        return {"main": names}
    big, middle = min(MOST_IN_A_CLUSTER, size // 2), size // 3
    return {"main": names[:big], "batch": names[big : big + middle], "edge": names[big + middle :]}


def settled(size: int, *, shared: bool = False) -> Estate:
    """The one of this process, its wire plugged in."""
    estate = _made(size, shared=shared)
    estate.wire.plug_in()
    return estate


@cache
def _made(size: int, *, shared: bool) -> Estate:
    say(f"preparing {size:,} services …")
    estate = Estate(size, Path(tempfile.mkdtemp(prefix="estate-")), shared=shared)
    estate.wire.plug_in()
    estate.settle()
    return estate


def alone() -> None:
    """Nothing of this machine's own settings gets in, and nothing gets out."""
    for name in [name for name in os.environ if name.startswith(("AWS_", "LOGROUTE_"))]:
        del os.environ[name]
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "AKIABENCH",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": specs.REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "XDG_CACHE_HOME": tempfile.mkdtemp(),
    }
    configure()
