"""Commands that have commands: `logroute iam …` and `logroute rollout …`. What they do stands in the files beside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from controller.cli.options import ConfigFile, Format
from controller.cli.running import carry_out

iam = typer.Typer(help="IAM policies, no wider than settings and specs ask for.", no_args_is_help=True)
Specs = Annotated[Path | None, typer.Option("--specs", help="A spec file or a folder of them.")]
Region = Annotated[str | None, typer.Option("--region", help="Where an output names none; AWS_REGION when absent.")]
AccountId = Annotated[str | None, typer.Option("--account-id", help="Twelve digits; any account when absent.")]
OfRoutes = Annotated[list[str] | None, typer.Option("--route", help="NAMESPACE/NAME; repeatable; all when absent.")]
KmsKey = Annotated[str, typer.Option("--kms-key", help="ARN of the config bucket's own KMS key, where it has one.")]
StoreOption = Annotated[str | None, typer.Option("--config-store", help="s3://bucket/prefix, if not the settings'.")]


@iam.command("controller")
def iam_controller(
    config: ConfigFile = None,
    specs: Specs = None,
    account: Annotated[str | None, typer.Option("--account", help="A name from the settings, if not its own.")] = None,
    account_id: AccountId = None,
    family: Annotated[
        list[str] | None, typer.Option("--family", help="Task families it may register in: names or globs; repeatable.")
    ] = None,
    role: Annotated[
        list[str] | None, typer.Option("--role", help="Names of roles it may pass to tasks, or globs; repeatable.")
    ] = None,
    kms_key: KmsKey = "",
    trust: Annotated[
        str | None, typer.Option("--trust", metavar="ROLE_ARN", help="Print the trust policy: who may assume the role.")
    ] = None,
) -> None:
    """What the controller's role in an account has to allow."""
    from controller.cli import iam as command

    asked = command.Asked(
        config, specs, account, account_id, tuple(family or ()), tuple(role or ()), trust, kms_key=kms_key
    )
    carry_out(lambda: command.controller(asked))


def _of_tasks(role: Literal["task", "execution"], told: str) -> Callable[..., None]:
    def command(
        specs: Specs = None,
        config_store: StoreOption = None,
        config: ConfigFile = None,
        region: Region = None,
        account_id: AccountId = None,
        route: OfRoutes = None,
        kms_key: KmsKey = "",
    ) -> None:
        from controller.cli import iam as command

        asked = command.Asked(
            config,
            specs,
            account_id=account_id,
            routes=tuple(route or ()),
            config_store=config_store,
            region=region,
            kms_key=kms_key,
        )
        carry_out(lambda: command.task(asked, role))

    command.__doc__ = told
    return command


iam.command("task-role")(
    _of_tasks(
        "task", "What the task roles of routed services have to allow: reading the config, and writing to the outputs."
    )
)
iam.command("execution-role")(
    _of_tasks("execution", "What their execution roles have to allow: the router's own log, its secrets, its image.")
)


rollout = typer.Typer(help="The changes that go over services in waves.", no_args_is_help=True)
Change = Annotated[str | None, typer.Argument(metavar="[CHANGE]", help="Its id; needed where there are several.")]
Why = Annotated[str, typer.Option("--reason", help="Why, for others to read.")]


@rollout.command("status")
def rollout_status(
    output: Annotated[Format, typer.Option("--output", "--format", help="For people, or for programs.")] = Format.TEXT,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Until all are over.")] = False,
    config: ConfigFile = None,
) -> None:
    """How far each change is, and what stops it."""
    from controller.cli import rollout as command

    carry_out(lambda: command.status(config, output.value, watch=watch))


@rollout.command("pause")
def rollout_pause(change: Change = None, reason: Why = "", config: ConfigFile = None) -> None:
    """No more services of a change begin, until it is resumed."""
    from controller.cli import rollout as command

    carry_out(lambda: command.pause_change(command.Asked(change, config, reason)))


@rollout.command("resume")
def rollout_resume(change: Change = None, reason: Why = "", config: ConfigFile = None) -> None:
    """A change goes on that a person or a failure paused."""
    from controller.cli import rollout as command

    carry_out(lambda: command.resume(command.Asked(change, config, reason)))


@rollout.command("abort")
def rollout_abort(
    change: Annotated[str, typer.Argument(metavar="CHANGE", help="Its id.")],
    reason: Why = "",
    config: ConfigFile = None,
) -> None:
    """What has not begun stays as it is, until a spec changes it."""
    from controller.cli import rollout as command

    carry_out(lambda: command.abort(command.Asked(change, config, reason)))
