"""`logroute sandbox`: a local AWS to try things on, and for users' own CI."""

from __future__ import annotations

from controller.cli.console import say
from controller.cli.failures import CommandError
from controller.cli.isolation import forget_settings
from controller.runtime.stopping import Stopper


def serve(port: int, speed: float) -> int:
    """Serves until SIGTERM or Ctrl-C. Raises CommandError where it cannot start."""
    from controller.sandbox import RealClock, Sandbox

    forget_settings()
    stopper = Stopper()
    try:
        with stopper.on_signals(), Sandbox(clock=RealClock(speed), port=port) as sandbox:
            say(f"sandbox: ECS, S3, logs, STS and more on {sandbox.url}; its clock runs {speed:g} times as fast")
            for name, value in sandbox.environment().items():
                print(f"export {name}={value}", flush=True)
            stopper.wait()
    except ImportError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"127.0.0.1:{port}: {error.strerror or error}") from error
    return 0
