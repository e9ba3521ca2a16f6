"""Commands that look: `get`, `describe`, `events`, `history`. What they do stands in views.py."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from controller.cli.options import ConfigFile, Server, Shape, Shaped, Watch
from controller.cli.running import carry_out


class Kinds(str, Enum):  # noqa: UP042 - StrEnum members print as their values, typer wants str, Enum
    ROUTES = "routes"
    SERVICES = "services"
    PLANS = "plans"
    EVENTS = "events"
    PROBLEMS = "problems"
    ROLLOUTS = "rollouts"


class Kind(str, Enum):  # noqa: UP042 - see Kinds
    ROUTE = "route"
    SERVICE = "service"


Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="Whole, or an end of it that no other has.")]
Namespace = Annotated[str | None, typer.Option("-n", "--namespace", help="Only those of one.")]


def get(
    kind: Annotated[Kinds, typer.Argument(help="What to list.")],
    name: Name = None,
    namespace: Namespace = None,
    output: Shaped = Shape.TABLE,
    watch: Watch = False,
    server: Server = None,
    config: ConfigFile = None,
) -> None:
    """Routes, services, plans, events, problems of the specs, or rollouts."""
    from controller.cli import views

    carry_out(lambda: views.get(kind.value, views.Asked(config, server, output.value, name, namespace, watch)))


def describe(
    kind: Annotated[Kind, typer.Argument(help="What it is.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whole, or an end of it that no other has.")],
    server: Server = None,
    config: ConfigFile = None,
) -> None:
    """A route or a service, how it stands, and what happened to it lately."""
    from controller.cli import views

    carry_out(lambda: views.describe(f"{kind.value}s", views.Asked(config, server, "table", name)))


def events(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="A service or route; all when absent.")] = None,
    output: Shaped = Shape.TABLE,
    watch: Watch = False,
    server: Server = None,
    config: ConfigFile = None,
) -> None:
    """What happened, the latest last: of one service for as long as it is kept, or of all."""
    from controller.cli import views

    carry_out(lambda: views.events(views.Asked(config, server, output.value, name, watch=watch)))


def history(
    name: Annotated[str, typer.Argument(metavar="SERVICE", help="Whole, or an end of it that no other has.")],
    output: Shaped = Shape.TABLE,
    server: Server = None,
    config: ConfigFile = None,
) -> None:
    """What was rolled out to a service, the latest first: why, by whom, and what came of it; `wide` has the diffs."""
    from controller.cli import views

    carry_out(lambda: views.history(views.Asked(config, server, output.value, name)))
