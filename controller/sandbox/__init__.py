"""A local AWS that behaves: strict ECS with rollouts, the rest from moto; for the demo, tests and users' CI.

    with Sandbox() as sandbox:
        ecs = sandbox.client("ecs")
        ...
        sandbox.advance(30)

`clock`, `timeline` and `settings` say when things happen; `model/` is the state; `registration/` is what
RegisterTaskDefinition refuses and adds; `rollout/` moves tasks and services; `ecs/` are the operations and
their shapes; `endpoint/` is HTTP and moto.
"""

from __future__ import annotations

from controller.sandbox.clock import Clock, ManualClock, RealClock
from controller.sandbox.rollout.faults import Ailment
from controller.sandbox.sandbox import Sandbox
from controller.sandbox.settings import Settings

__all__ = ["Ailment", "Clock", "ManualClock", "RealClock", "Sandbox", "Settings"]
