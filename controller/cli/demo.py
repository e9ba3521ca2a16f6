"""`logroute demo`: the main job on a sandbox, with the real controller as a process of its own.

A git repository, a cluster and a plain httpd service are set up; then the plan, the rollout and the config are
shown, drift is made by hand and repaired, the route is deleted and the service restored.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from controller.cli.console import BOLD, CYAN, DIM, GREEN, paint
from controller.cli.demo_world import CLUSTER, NEW_IMAGE, SERVICE, STORE, DemoWorld
from controller.cli.failures import CommandError
from controller.cli.isolation import forget_settings

PATIENCE = 60.0
"""Seconds that any one step may take before the demo gives up."""


def demo(*, keep: bool) -> int:
    """Raises CommandError where something does not come true in time."""
    started = time.monotonic()
    signal.signal(signal.SIGTERM, _terminated)
    forget_settings()
    with TemporaryDirectory(prefix="logroute-demo-") as folder:
        try:
            world = DemoWorld(Path(folder))
        except ImportError as error:
            raise CommandError(str(error)) from error
        with world:
            _story(world)
            took = time.monotonic() - started
            print(_summary(world, took))
            if keep:
                _stay(world)
    return 0


def _terminated(_number: int, _frame: object) -> None:
    """As Ctrl-C does: everything that was started is stopped on the way out."""
    raise SystemExit(128 + signal.SIGTERM)


def _story(world: DemoWorld) -> None:
    _title("1. A plain httpd service on ECS, and a LogRoute in git")
    _wait("the service is up", world, DemoWorld.steady)
    _show(f"cluster {CLUSTER}, service {SERVICE}, {world.revision()}: logs go to {_drivers(world)}")
    _show(f"{world.repository}: {', '.join(world.spec_files())} at {world.head()[:12]}")

    _title("2. logroute plan")
    world.logroute("plan")

    _title("3. logroute run: the controller takes over")
    world.start_controller()
    _wait("the service runs a revision with the router", world, _routed)
    _show(f"{world.revision()}: logs go to {_drivers(world)}")

    _title("4. The config that the router loads, in S3 under its own digest")
    key = world.config_keys()[0]
    _show(f"s3://{STORE}/{key}")
    print(paint("\n".join(f"    {line}" for line in world.object(key).splitlines()), DIM))

    _title("5. Drift by hand: somebody deletes the config object")
    world.delete(key)
    _show(f"deleted s3://{STORE}/{key}: no new task could start now")
    _wait("the object is back", world, lambda world: key in world.config_keys())

    _title("6. Drift by CI: a deploy from a file without the router, with a new image")
    world.deploy_from_ci()
    _show(f"CI rolled out {world.revision()} with {NEW_IMAGE}: the router is gone")
    _wait(
        "the router is back, on top of the new image",
        world,
        lambda world: _routed(world) and world.image() == NEW_IMAGE,
    )
    _show(f"{world.revision()}: image {world.image()}, logs go to {_drivers(world)}")

    _title("7. The route is deleted from git")
    world.delete_route()
    _show(f"commit {world.head()[:12]}")
    _wait("the service has its own log configuration back", world, _restored)
    _show(f"{world.revision()}: image {world.image()}, logs go to {_drivers(world)}")


def _routed(world: DemoWorld) -> bool:
    return world.steady() and _drivers(world) == "awsfirelens, router: awslogs"


def _restored(world: DemoWorld) -> bool:
    return world.steady() and _drivers(world) == "awslogs"


def _drivers(world: DemoWorld) -> str:
    found = {one["name"]: one["logConfiguration"]["logDriver"] for one in world.containers()}
    router = found.pop("log_router", None)
    return ", ".join([*found.values(), *([f"router: {router}"] if router else [])])


def _wait(what: str, world: DemoWorld, true: Callable[[DemoWorld], bool]) -> None:
    began, seen = time.monotonic(), ""
    while not true(world):
        world.check_controller()
        now = world.rollout()
        if now != seen:
            seen = now
            print(f"    {paint(now, DIM)}", flush=True)
        if time.monotonic() - began > PATIENCE:
            raise CommandError(
                f"after {PATIENCE:.0f} s it is not so that {what}; the controller said:\n{world.controller_log()}"
            )
        time.sleep(0.1)
    print(f"  {paint('✓', GREEN)} {what} ({time.monotonic() - began:.1f} s)", flush=True)


def _summary(world: DemoWorld, took: float) -> str:
    revisions: list[dict[str, Any]] = world.revisions()
    rows = [f"  {one['taskDefinitionArn'].rsplit('/', 1)[-1]}: {_words(one)}" for one in revisions]
    head = paint("Summary", BOLD)
    return "\n".join(
        ["", head, *rows, f"  {len(revisions)} revisions, {took:.0f} s. The service ends as its owners left it."]
    )


def _words(definition: dict[str, Any]) -> str:
    containers = definition["containerDefinitions"]
    app = next(one for one in containers if one["name"] != "log_router")
    router = "with the router" if len(containers) > 1 else "without a router"
    return f"{app['image']}, logs by {app['logConfiguration']['logDriver']}, {router}"


def _stay(world: DemoWorld) -> None:
    from controller.runtime.stopping import Stopper

    print("\nIt stays up until Ctrl-C. In another shell:\n")
    for name, value in world.environment().items():
        print(f"export {name}={value}")
    stopper = Stopper()
    with stopper.on_signals():
        stopper.wait()


def _title(text: str) -> None:
    print(f"\n{paint(text, BOLD)}", flush=True)


def _show(text: str) -> None:
    print(f"  {paint('→', CYAN)} {text}", flush=True)
