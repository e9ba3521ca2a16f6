"""`logroute`: the commands and their arguments. What they do stands in the files beside this one.

Nothing but typer is imported here: `--help` and `inject` must start fast, and boto3 takes its time.
"""

from __future__ import annotations

import gc
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from controller.cli import looks
from controller.cli.groups import iam, rollout
from controller.cli.options import ConfigFile, Format, Output
from controller.cli.running import Done, carry_out

WRONG_USAGE = 64
"""EX_USAGE of sysexits.h: told apart from "it ran and found errors"."""
TYPERS_WRONG_USAGE = 2
GONE = 141
"""128 + SIGPIPE, as shells say it."""

A_BUG = "This is a bug in LogRoute: please report it, with the traceback that LOGROUTE_DEBUG=1 shows."

app = typer.Typer(
    name="logroute",
    help="Log routes from git or S3, made true on live ECS services.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)


class PlanFormat(str, Enum):  # noqa: UP042 - see Format
    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"


class KindName(str, Enum):  # noqa: UP042 - see Format
    ROUTE = "LogRoute"
    OUTPUT = "LogOutput"
    CLASS = "LogRouterClass"


Source = Annotated[
    str | None,
    typer.Option("--source", help="git+https://…, git+ssh://…, git+file://…, s3://bucket/prefix, or a folder."),
]
Definition = Annotated[str, typer.Option("--task-definition", help="Register input or describe output; - for stdin.")]
Out = Annotated[Path | None, typer.Option("-o", "--output", help="Where to write; stdout when absent.")]


@app.command()
def validate(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Files or folders.")],
    output: Output = Format.TEXT,
    tenants: Annotated[
        Path | None, typer.Option(help="Settings, or a list of tenants, to hold the specs against.")
    ] = None,
) -> None:
    """Problems of spec files or folders; nothing is contacted."""
    from controller.cli import validate as command

    carry_out(lambda: command.validate(paths, output.value, tenants))


@app.command()
def check(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Spec files or folders.")],
    fluent_bit: Annotated[
        list[str] | None, typer.Option(metavar="VERSION=PATH", help="A Fluent Bit binary; may be repeated.")
    ] = None,
    task_definition: Annotated[
        str | None, typer.Option(help="The definition to make the config for; each route by itself when absent.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="The service's cluster.")] = None,
    service: Annotated[str | None, typer.Option(help="The service; its family when absent.")] = None,
    region: Annotated[str | None, typer.Option(help="The service's region.")] = None,
    config: ConfigFile = None,
    output: Output = Format.TEXT,
) -> None:
    """Starts real engines on the configs for a moment. Exit 0: none is rejected, 1: some are, or errors."""
    from controller.cli import checks

    options = checks.CheckOptions(
        paths, fluent_bit or (), task_definition, cluster, service, region, config, output.value
    )
    carry_out(lambda: checks.check(options))


@app.command()
def inject(
    task_definition: Definition,
    specs: Annotated[Path, typer.Option(help="A spec file or a folder of them.")],
    config_store: Annotated[str | None, typer.Option(help="s3://bucket/prefix of the config objects.")] = None,
    region: Annotated[str | None, typer.Option(help="The service's region.")] = None,
    cluster: Annotated[str | None, typer.Option(help="The service's cluster.")] = None,
    service: Annotated[str | None, typer.Option(help="The service; its family when absent.")] = None,
    config_dir: Annotated[Path | None, typer.Option(help="Write config objects below this folder.")] = None,
    upload: Annotated[bool, typer.Option("--upload", help="Put config objects into S3.")] = False,
    out: Out = None,
) -> None:
    """The task definition with the router in it, ready for register-task-definition --cli-input-json."""
    from controller.cli import taskdefs

    if upload and config_dir:
        raise typer.BadParameter("give --config-dir or --upload, not both")
    options = taskdefs.InjectOptions(
        task_definition, specs, config_store, region, cluster, service, config_dir, upload, out
    )
    carry_out(lambda: taskdefs.inject(options), short=True)


@app.command()
def restore(task_definition: Definition, out: Out = None) -> None:
    """Takes LogRoute's router out of a task definition; everything else as it was."""
    from controller.cli import taskdefs

    carry_out(lambda: taskdefs.restore(task_definition, out), short=True)


@app.command("import")
def import_(
    task_definition: Annotated[
        str | None, typer.Option("--task-definition", help="Register input or describe output; - for stdin.")
    ] = None,
    cluster: Annotated[str | None, typer.Option(help="The live service's cluster; with a file, the target's.")] = None,
    service: Annotated[str | None, typer.Option(help="The live service; with a file, the target's.")] = None,
    region: Annotated[str | None, typer.Option(help="The service's region.")] = None,
    config_dir: Annotated[Path | None, typer.Option(help="Where its config files are.")] = None,
    config: Annotated[Path | None, typer.Option(help="Its custom config, where the definition names none.")] = None,
    name: Annotated[str | None, typer.Option(help="The route's name; the service's when absent.")] = None,
    namespace: Annotated[str, typer.Option(help="The route's namespace.")] = "default",
    engine: Annotated[str | None, typer.Option(help="The Fluent Bit in a custom image.")] = None,
    out: Out = None,
    definition_out: Annotated[Path | None, typer.Option(help="Write the definition without FireLens here.")] = None,
) -> None:
    """A LogRoute from a hand-made FireLens task definition, or from a live service."""
    from controller.cli import imports

    options = imports.ImportOptions(
        task_definition, cluster, service, region, config_dir, config, name, namespace, engine, out, definition_out
    )
    if wrong := imports.wrong_usage(options):
        raise typer.BadParameter(wrong)
    carry_out(lambda: imports.import_(options))


@app.command()
def plan(
    source: Source = None,
    config: ConfigFile = None,
    output: Annotated[
        PlanFormat, typer.Option("--format", help="For people, for programs, or for a pull request.")
    ] = PlanFormat.TEXT,
) -> None:
    """What would change, and why. Exit 0: nothing, 2: changes, 1: error."""
    from controller.cli import converge

    carry_out(lambda: converge.plan(config, source, output.value))


@app.command()
def apply(
    source: Source = None,
    config: ConfigFile = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the rollouts.")] = False,
) -> None:
    """Converge, with progress. Exit 0: converged, 3: not (blocked, held, waiting), 1: error."""
    from controller.cli import converge

    carry_out(lambda: converge.apply(config, source, wait=not no_wait))


@app.command()
def run(config: ConfigFile = None) -> None:
    """The controller. Ends with 0 on SIGTERM."""
    from controller.cli import daemon

    carry_out(lambda: daemon.run(config))


@app.command()
def approve(
    digest: Annotated[
        str, typer.Argument(metavar="DIGEST", help="Of the blocked plan, or the first 8 digits or more.")
    ],
    source: Source = None,
    config: ConfigFile = None,
) -> None:
    """Lets a plan go on that a guard has blocked; for 24 hours."""
    from controller.cli import approve as command

    carry_out(lambda: command.approve(digest, config, source))


Route = Annotated[str | None, typer.Argument(metavar="[NAMESPACE/NAME]", help="A route; or give --service.")]
Service = Annotated[
    str | None,
    typer.Option("--service", metavar="ACCOUNT/REGION/CLUSTER/SERVICE", help="A service; CLUSTER/SERVICE may do."),
]


@app.command()
def suspend(
    route: Route = None,
    service: Service = None,
    reason: Annotated[str, typer.Option("--reason", help="Why, for others to read.")] = "",
    config: ConfigFile = None,
) -> None:
    """A route, or a service, is observed and reported, and not written, until it is resumed."""
    _one_of(route, service)
    from controller.cli import asking

    carry_out(lambda: asking.suspend(asking.Asked(route, service, config, reason)))


@app.command()
def resume(route: Route = None, service: Service = None, config: ConfigFile = None) -> None:
    """Undoes `suspend`."""
    _one_of(route, service)
    from controller.cli import asking

    carry_out(lambda: asking.resume(asking.Asked(route, service, config)))


@app.command()
def reconcile(route: Route = None, service: Service = None, config: ConfigFile = None) -> None:
    """Look now, and try again what rolled back."""
    _one_of(route, service)
    from controller.cli import asking

    carry_out(lambda: asking.reconcile(asking.Asked(route, service, config)))


app.add_typer(iam, name="iam")
app.add_typer(rollout, name="rollout")


def _one_of(route: str | None, service: str | None) -> None:
    if bool(route) == bool(service):
        raise typer.BadParameter("give a route or --service, one of them")


@app.command()
def status(config: ConfigFile = None, output: Output = Format.TEXT) -> None:
    """The routes and services as the last pass left them, from the config store."""
    from controller.cli import status as command

    carry_out(lambda: command.status(config, output.value))


@app.command()
def doctor(
    config: ConfigFile = None,
    source: Source = None,
    output: Output = Format.TEXT,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Leave out the probe object in the config store.")
    ] = False,
) -> None:
    """Credentials, rights, clock, config store, source. Exit 0: nothing fails, 1: something does."""
    from controller.cli import doctor as command

    asked = command.Asked(config, source, output.value, read_only)
    carry_out(lambda: command.doctor(asked))


@app.command()
def schema(
    kind: Annotated[KindName | None, typer.Argument(help="One kind; all three when absent.")] = None,
) -> None:
    """JSON Schema of the kinds, for editors."""
    from controller.cli import schema as command

    carry_out(lambda: command.schema(kind.value if kind else None))


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="On 127.0.0.1; 0 picks a free one.")] = 4566,
    speed: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="How fast its clock runs beside the real one.", show_default="the scenario's, or 10"
        ),
    ] = None,
    throttle: Annotated[
        bool | None,
        typer.Option(
            "--throttle/--no-throttle", help="Hold to ECS's own rates.", show_default="the scenario's, or throttle"
        ),
    ] = None,
    scenario: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A world to start with, and what happens in it.")
    ] = None,
) -> None:
    """A local AWS: strict ECS with rollouts, the rest from moto. Ends with 0 on Ctrl-C."""
    from controller.cli import sandbox as command

    options = command.SandboxOptions(port, speed, throttle, scenario)
    carry_out(lambda: command.serve(options))


@app.command()
def demo(keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end.")] = False) -> None:
    """The main job on a sandbox: plan, rollout, drift repaired, route deleted, service restored."""
    from controller.cli import demo as command

    carry_out(lambda: command.demo(keep=keep))


for look in (looks.get, looks.describe, looks.events, looks.history):
    app.command()(look)


def _said(text: str) -> None:
    from controller.cli.console import say

    say(text)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Wrong usage ends with 64, an interrupt with 130, a reader that went away with 141."""
    gc.disable()  # looking through what is just being imported is a tenth of a short command; carry_out ends it
    try:
        app(args=arguments, prog_name="logroute")
        status = 0
    except Done as done:
        status = done.status
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0
        status = WRONG_USAGE if status == TYPERS_WRONG_USAGE else status
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = GONE
    except OSError as error:
        _said(f"error: {error}")  # a full disk, a closed pipe, a file that went away
        status = 1
    except Exception as error:
        if os.environ.get("LOGROUTE_DEBUG"):
            raise
        _said(f"error: {type(error).__name__}: {error}\n{A_BUG}")
        status = 1
    finally:
        gc.enable()
    sys.exit(status)
