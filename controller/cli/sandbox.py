"""`logroute sandbox`: a local AWS to try things on, and for users' own CI."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.cli.isolation import forget_settings
from controller.runtime.stopping import Stopper

if TYPE_CHECKING:
    from controller.cli.scenario import ScenarioFile
    from controller.sandbox import Sandbox

_SPEED = 10.0
_TICK = 0.05
"""Real seconds between two looks for steps that are due."""


@dataclass(frozen=True, slots=True)
class SandboxOptions:
    """None: as the scenario says, or by default."""

    port: int
    speed: float | None = None
    throttle: bool | None = None
    scenario: Path | None = None


def serve(options: SandboxOptions) -> int:
    """Serves until SIGTERM or Ctrl-C. Raises CommandError where it cannot start."""
    from controller.cli.scenario import Refused, read
    from controller.cli.validate import as_text

    forget_settings()
    try:
        _serve(options, read(options.scenario) if options.scenario else None)
    except Refused as refused:
        for problem in refused.problems:
            print(as_text(problem))
        return 1
    except ImportError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"127.0.0.1:{options.port}: {error.strerror or error}") from error
    return 0


def _serve(options: SandboxOptions, file: ScenarioFile | None) -> None:
    stopper = Stopper()
    sandbox, speed = _sandbox(options, file)
    with stopper.on_signals(), sandbox:
        if file:
            _play(sandbox, file)
        say(f"sandbox: ECS, S3, logs, STS and more on {sandbox.url}; its clock runs {speed:g} times as fast")
        for name, value in sandbox.environment().items():
            print(f"export {name}={value}", flush=True)
        while not stopper.wait(_TICK if file else None):
            sandbox.run_due()


def _sandbox(options: SandboxOptions, file: ScenarioFile | None) -> tuple[Sandbox, float]:
    from controller.sandbox import RealClock, Sandbox
    from controller.sandbox.sandbox import DEFAULT_REGION
    from controller.sandbox.scenario.shapes import Speeds

    stated = file.scenario.settings if file else Speeds()
    speed = options.speed or stated.speed or _SPEED
    settings = stated.settings(throttle=True)
    if options.throttle is not None:
        settings = replace(settings, throttle=options.throttle)
    region = stated.region or DEFAULT_REGION
    return Sandbox(clock=RealClock(speed), port=options.port, region=region, settings=settings), speed


def _play(sandbox: Sandbox, file: ScenarioFile) -> None:
    from controller.sandbox.scenario.play import CannotBuild, play

    try:
        play(sandbox, file.scenario, say)
    except CannotBuild as error:
        raise file.refuse(error.path, str(error)) from error
